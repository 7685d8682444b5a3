internal import Statistics
internal import Tables
public import Vocabulary

/// Challenger against champion.
extension RolloutState {
    /// A newly trained model begins to shadow, in place of an older challenger; the first model of a project is released.
    public mutating func register(_ model: ReleasedModel, at time: StreamTime) -> ModelRelease? {
        var state = phase.value
        guard !state.quarantined.contains(model.version) else { return nil }
        guard state.champion != nil else {
            state.champion = model
            phase.value = state
            watch.value = FeedbackWatch()
            return release(.first, replaced: nil, evidence: .none)
        }
        state.challenger = model
        state.challengerSince = time
        state.heardFromChallenger = 0
        phase.value = state
        recountPairs()
        return release(.shadow, replaced: nil, evidence: .none)
    }

    /// What a model said about a sample of the audit sample. The first word of a model counts.
    ///
    /// - Complexity: O(1); O(*rowCapacity*) when the table is full.
    public mutating func predicted(
        _ label: ClassIndex,
        of sample: SampleID,
        by version: ModelVersion,
        draw: Double,
        isLive: Bool,
        at time: StreamTime
    ) {
        guard isInQuestion(version, phase.value) else { return }
        if isLive, version == phase.value.challenger?.version { phase.value.heardFromChallenger += 1 }
        let state = phase.value
        // Beside live traffic only samples labelled before are spoken of: one given up since has no place to win back.
        guard var row = rows[sample] ?? (isLive ? newRow(draw, time) : nil) else { return }
        guard row.prediction(of: version) == nil else { return }
        row.predictions.removeAll { !isInQuestion($0.version, state) }
        row.predictions.append(AuditPrediction(version: version, label: label))
        rows[sample] = row
        if version == state.champion?.version || version == state.challenger?.version { countPair(row, state) }
    }

    /// The label of an audit sample.
    public mutating func labelled(_ sample: SampleID, _ label: ClassIndex, at time: StreamTime) {
        guard var row = rows[sample] ?? newRow(0, time), row.label == nil else { return }
        row.label = label
        rows[sample] = row
        countPair(row, phase.value)
    }

    /// Promotes the challenger once the evidence suffices.
    ///
    /// The e-value of "better than the champion wherever they differ" may be looked at after every label: the chance that it
    /// ever reaches 1/alpha for a challenger that is no better is at most alpha (Ville 1939).
    public mutating func promoteIfBetter(policy: RolloutPolicy) -> ModelRelease? {
        var state = phase.value
        guard !state.isHeld, let challenger = state.challenger, let champion = state.champion,
            state.heardFromChallenger >= policy.minimumShadow
        else { return nil }
        let counts = pairs.value
        guard counts.challengerOnly > counts.championOnly else { return nil }
        let threshold = -Reproducible.log(policy.alpha)
        let logE = pairedEProcess(wins: counts.challengerOnly, losses: counts.championOnly)
        guard logE >= threshold else { return nil }
        let expectedRate = expectedRate(after: watch.value, policy)
        state.history.append(FormerChampion(model: champion, expectedRate: expectedRate))
        if state.history.count > Self.historyCapacity { state.history.removeFirst() }
        state.champion = challenger
        state.challenger = nil
        state.heardFromChallenger = 0
        phase.value = state
        // A better model is not expected to be rejected more often than the one before.
        watch.value = FeedbackWatch(expectedRate: expectedRate)
        pairs.value = PairCounts()
        return release(
            .promoted,
            replaced: champion.version,
            evidence: .paired(
                labels: counts.labels,
                challengerOnly: counts.challengerOnly,
                championOnly: counts.championOnly,
                logE: logE,
                threshold: threshold
            )
        )
    }

    // MARK: - Pairs

    /// The champion, the challenger, and those a rollback could return to.
    private func isInQuestion(_ version: ModelVersion, _ state: RolloutPhase) -> Bool {
        if version == state.champion?.version || version == state.challenger?.version { return true }
        for former in state.history.suffix(2) where former.model.version == version { return true }
        return false
    }

    /// A row for a sample that has none. A full table gives up its oldest label while labels take more than four fifths of it,
    /// so that new audit samples are always heard; else the sample drawn last that has no label, if it was drawn after this one.
    private mutating func newRow(_ draw: Double, _ time: StreamTime) -> AuditRow? {
        if rows.count >= Self.rowCapacity {
            let labelled = rows.count { $1.label != nil }
            let givesLabel = labelled > Self.rowCapacity * 4 / 5
            let least = rows.least(1) { id, row in
                let order = givesLabel ? Double(row.since.milliseconds) : -row.draw
                return Leaving(isKept: (row.label != nil) != givesLabel, order: order, id: id)
            }
            guard let first = least.first, givesLabel || -first.order > draw else { return nil }
            rows[first.id] = nil
        }
        return AuditRow(draw: draw, since: time)
    }

    /// Which row gives way first: of those that may, the oldest label or the sample drawn last.
    private struct Leaving: Comparable {
        let isKept: Bool
        let order: Double
        let id: SampleID

        static func < (a: Leaving, b: Leaving) -> Bool {
            if a.isKept != b.isKept { return b.isKept }
            return a.order != b.order ? a.order < b.order : a.id < b.id
        }
    }

    /// Adds a row that has just become complete.
    private mutating func countPair(_ row: AuditRow, _ state: RolloutPhase) {
        guard let label = row.label, let champion = state.champion, let challenger = state.challenger,
            let old = row.prediction(of: champion.version), let new = row.prediction(of: challenger.version)
        else { return }
        pairs.value.labels += 1
        if new == label, old != label { pairs.value.challengerOnly += 1 }
        if old == label, new != label { pairs.value.championOnly += 1 }
    }

    mutating func recountPairs() {
        pairs.value = PairCounts()
        let state = phase.value
        for (_, row) in rows.sortedRows { countPair(row, state) }
    }

    func release(_ cause: ModelRelease.Cause, replaced: ModelVersion?, evidence: Evidence) -> ModelRelease? {
        let state = phase.value
        guard let champion = state.champion else { return nil }
        return ModelRelease(
            cause: cause,
            champion: champion,
            challenger: state.challenger,
            replaced: replaced,
            quarantined: state.quarantined,
            evidence: evidence
        )
    }
}
