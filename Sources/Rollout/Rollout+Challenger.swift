internal import Kinds
internal import Statistics
internal import Tables
public import Vocabulary

/// Comparison of the challenger with the champion.
extension RolloutState {
    /// Starts shadowing by a newly trained model, in place of an older challenger; releases the first model of a
    /// project.
    ///
    /// - Parameters:
    ///   - model: A model that is not quarantined; otherwise nothing happens.
    ///   - policy: The revision in force.
    ///   - time: The time of the entry.
    /// - Returns: The release; nil if the model waits for the challenger's role, in place of an older model that
    ///   waited.
    /// - Complexity: O(*rowCapacity*).
    public mutating func register(_ model: ReleasedModel, policy: RolloutPolicy, at time: StreamTime) -> ModelRelease? {
        var state = roles.value
        guard !state.quarantined.contains(model.version) else { return nil }
        guard state.champion != nil else {
            state.champion = model
            roles.value = state
            watch.value = FeedbackWatch()
            return release(.first, replaced: nil, evidence: .none)
        }
        if let challenger = state.challenger, keepsRole(challenger, policy) {
            roles.value.waiting = model
            return nil
        }
        return shadow(model, at: time)
    }

    /// Makes a model that served before Flywheel the first champion: trained models are judged against it.
    ///
    /// - Parameters:
    ///   - incumbent: The model.
    ///   - evidence: The command.
    /// - Returns: The release; refused if there is a champion, as `duplicate` if that is the same version, else as
    ///   `championExists`.
    public mutating func register(
        incumbent: IncumbentModel,
        evidence: Evidence
    ) -> Result<ModelRelease, EntryRejectionError> {
        let version = incumbent.version
        if let champion = roles.value.champion {
            guard champion.version != version else {
                return .failure(.init(.duplicate, "model \(version) is the champion already"))
            }
            return .failure(
                .init(
                    .championExists,
                    "\(champion.version) is champion: an incumbent is registered before a project has one"
                )
            )
        }
        roles.value.champion = ReleasedModel(
            version: version,
            artifact: incumbent.artifact,
            datasetVersionNumber: 0,
            newestSampleAt: StreamTime(milliseconds: 0)
        )
        watch.value = FeedbackWatch()
        recountPairs()
        endEra()
        guard let release = release(.registered, replaced: nil, evidence: evidence) else {
            preconditionFailure("there is a champion")
        }
        return .success(release)
    }

    /// Whether a version is champion, challenger, waiting or canary, a former champion that is kept, or quarantined.
    public func knows(_ version: ModelVersion) -> Bool {
        let state = roles.value
        return version == state.champion?.version || version == state.challenger?.version
            || version == state.waiting?.version || state.history.contains { $0.model.version == version }
            || state.quarantined.contains(version)
            || version == canary?.version
    }

    /// Records the prediction of a model for a sample of the audit sample. The first prediction of a model counts; but
    /// a model in rollout is judged by the predictions that it serves, so that its first prediction that is shown
    /// replaces one in shadow, until the sample has its pair or is queried.
    ///
    /// - Parameters:
    ///   - label: The predicted label.
    ///   - sample: A sample of the audit draw.
    ///   - version: The model.
    ///   - draw: The draw of the sample.
    ///   - isLive: Whether a service made the prediction, in live traffic or in shadow.
    ///   - isShown: Whether a service showed it to users, rather than shadowed with it.
    ///   - trainersPredict: Whether trainers predict for challengers, so a service's prediction does not count as a
    ///     live one of the challenger.
    ///   - time: The time of the entry.
    /// - Complexity: O(1); O(*rowCapacity*) when the table is full.
    public mutating func predicted(
        _ label: Label,
        of sample: SampleID,
        by version: ModelVersion,
        draw: Double,
        isLive: Bool,
        isShown: Bool = false,
        trainersPredict: Bool = false,
        at time: StreamTime
    ) {
        guard isTracked(version, roles.value) else { return }
        if isLive, !trainersPredict, version == roles.value.challenger?.version {
            roles.value.challengerLivePredictions += 1
        }
        if isLive { noteChampionPrediction(version) }
        let state = roles.value
        // Predictions that are not live concern only samples labelled before: a sample whose row was evicted since gets
        // no new row.
        guard var row = rows[sample] ?? (isLive ? newRow(draw, time) : nil) else { return }
        if let known = row.predictions.firstIndex(where: { $0.version == version }) {
            if isShown, isServedFirst(version, row) {
                row.predictions[known] = AuditPrediction(version: version, label: label)
                order.set(sample, row, in: &rows)
            }
            return
        }
        countLate(version, row)
        let pair = row.pair
        row.predictions.removeAll { !isTracked($0.version, state) && !isInPair($0.version, pair) }
        row.predictions.append(AuditPrediction(version: version, label: label))
        order.set(sample, row, in: &rows)
        if version == state.champion?.version || version == state.challenger?.version { countPair(row, state) }
    }

    /// Whether a shown prediction is the first that the model in rollout serves for a sample: it fixes the sample's
    /// pair.
    private func isServedFirst(_ version: ModelVersion, _ row: AuditRow) -> Bool {
        guard let rollout = progress.value.rollout, rollout.model.version == version, row.label == nil, !row.isQueried,
            row.opening == nil
        else { return false }
        return row.pair.map { bets[$0.number] == nil } ?? true
    }

    /// Counts live predictions of the champion on audit samples that a challenger could have made as well and has not.
    ///
    /// - Returns: A notice for people, once for each challenger and once an hour: when their number reaches the number
    ///   of predictions that the challenger itself needs, and at least 10.
    public mutating func noteMissingShadow(version: ModelVersion, policy: RolloutPolicy, at time: StreamTime) -> Notice?
    {
        let state = roles.value
        let enough = Self.silenceThreshold(policy)
        guard policy.minimumShadow > 0, !policy.predicts, version == state.champion?.version,
            let challenger = state.challenger,
            state.challengerLivePredictions == 0, state.livePredictionsWithoutChallenger < enough
        else { return nil }
        roles.value.livePredictionsWithoutChallenger += 1
        guard roles.value.livePredictionsWithoutChallenger == enough,
            state.silenceReportedAt.map({ time.milliseconds(since: $0) >= Self.silenceInterval }) ?? true
        else { return nil }
        roles.value.silenceReportedAt = time
        return Notice(
            kind: .nobodyShadows,
            text:
                "\(challenger.version) shadows, and no live prediction of it has come while \(version) made \(enough) on the audit sample: it needs \(policy.minimumShadow) of them to be promoted. Services have to run it beside the champion and publish what it says under its version"
        )
    }

    /// Number of live predictions of the champion after which a challenger without any is reported as silent.
    static func silenceThreshold(_ policy: RolloutPolicy) -> Int { max(10, policy.minimumShadow) }
    /// Milliseconds before a silent challenger is reported again.
    static let silenceInterval: Int64 = 3_600_000

    /// Counts a prediction of a pair's challenger for a sample whose task has opened, whether its label has entered or
    /// not.
    mutating func countLate(_ version: ModelVersion, _ row: AuditRow) {
        guard row.opening != nil, let pair = row.pair?.number, bets[pair]?.challenger == version else { return }
        var ledger = ledger(of: pair)
        ledger.counts.late += 1
        set(ledger, of: pair)
    }

    /// Removes a sample from the audit sample before it has a label.
    public mutating func forget(_ sample: SampleID) {
        guard let row = rows[sample], row.label == nil else { return }
        uncountCandidate(row)
        order.set(sample, nil, in: &rows)
    }

    /// Records the label of an audit sample.
    public mutating func labelled(_ sample: SampleID, _ label: Label, at time: StreamTime) {
        guard var row = rows[sample] ?? newRow(0, time), row.label == nil else { return }
        row.label = label
        order.set(sample, row, in: &rows)
        countPair(row, roles.value)
        updateTrust(row, label)
    }

    // MARK: - Pairs

    /// Whether a version is the champion, the challenger, the model that waits for the challenger's role, the canary,
    /// or a version that a rollback could return to.
    func isTracked(_ version: ModelVersion, _ state: ModelRoles) -> Bool {
        if version == state.champion?.version || version == state.challenger?.version { return true }
        if version == state.waiting?.version { return true }
        if let canary, version == canary.version { return true }
        for former in state.history.suffix(2) where former.model.version == version { return true }
        return false
    }

    /// Whether a version is the champion or the challenger of a row's pair.
    func isInPair(_ version: ModelVersion, _ pair: RowPair?) -> Bool {
        guard let pair, let bet = bets[pair.number] else { return false }
        return version == bet.champion || version == bet.challenger
    }

    /// Creates a row for a sample that has none. A full table evicts its oldest label while labels take more than four
    /// fifths of it, so that new audit samples are always recorded; otherwise it evicts the unlabelled sample with the
    /// highest draw, if that draw is higher than this one, or, if models are judged by eras, the oldest unlabelled
    /// sample.
    private mutating func newRow(_ draw: Double, _ time: StreamTime) -> AuditRow? {
        if rows.count >= Self.rowCapacity {
            let evictsLabel = order.labelled(of: rows) > Self.rowCapacity * 4 / 5
            // If models are judged by eras, a new sample is worth more than an old one: its pair is the current one.
            let rule: EvictionRule = evictsLabel ? .label : era.value.number > 0 ? .age : .draw
            let first = order.first(of: rows, rule)
            guard let first, rule != .draw || -first.order > draw else { return nil }
            order.set(first.id, nil, in: &rows)
        }
        return AuditRow(draw: draw, since: time)
    }

    /// Adds a row to the counts of pairs, if it is complete.
    mutating func countPair(_ row: AuditRow, _ state: ModelRoles) {
        if let pair = PairCounts(row, state) { pairs.value.add(pair) }
    }

    /// Subtracts a row from the counts of pairs, before it changes or is removed.
    mutating func uncountPair(_ row: AuditRow) {
        if let pair = PairCounts(row, roles.value) { pairs.value.subtract(pair) }
    }

    mutating func recountPairs() {
        let state = roles.value
        pairs.value = rows.reduce(into: PairCounts()) { counts, _, row in
            if let pair = PairCounts(row, state) { counts.add(pair) }
        }
    }

    func release(_ cause: ModelRelease.Cause, replaced: ModelVersion?, evidence: Evidence) -> ModelRelease? {
        let state = roles.value
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

extension RolloutState {
    /// Applies a changed label of an audit sample, or the end of its use as a test label: its pair is counted anew, or
    /// no longer.
    ///
    /// Changed labels that the champion's evidence may contain are counted; the evidence stays as it was.
    ///
    /// - Parameters:
    ///   - sample: The sample whose label was a test label until now.
    ///   - label: The label from now on; nil if it is no longer a test label.
    ///   - sequence: The sequence number of the fact that held the label until now.
    public mutating func labelChanged(_ sample: SampleID, to label: Label?, from sequence: Int64) {
        guard var row = rows[sample], row.label != nil else { return }
        let state = roles.value
        if let last = state.evidenceThrough, sequence <= last, let champion = state.champion,
            let former = state.history.last, row.prediction(of: champion.version) != nil,
            row.prediction(of: former.model.version) != nil
        {
            roles.value.changedEvidence += 1
        }
        uncountPair(row)
        guard let label else {
            order.set(sample, nil, in: &rows)
            return
        }
        row.label = label
        order.set(sample, row, in: &rows)
        countPair(row, state)
    }
}

extension PairCounts {
    /// Counts of one row; nil unless both models have predicted it, its label is known, and it was selected by the draw
    /// alone: if a sample is queried because two models differ, the champion is known to differ from another model.
    fileprivate init?(_ row: AuditRow, _ state: ModelRoles) {
        guard !row.isDuel, let label = row.label, let champion = state.champion, let challenger = state.challenger,
            let old = row.prediction(of: champion.version), let new = row.prediction(of: challenger.version)
        else { return nil }
        self.init(difference: new.agreement(with: label) - old.agreement(with: label))
    }

    /// Creates the counts of one row.
    ///
    /// - Parameter given: The challenger's agreement with the label, less the champion's, in `-1...1`.
    init(difference given: Double) {
        let difference = Self.rounded(given)
        self.init(
            labels: 1,
            challengerOnly: difference > 0 ? 1 : 0,
            championOnly: difference < 0 ? 1 : 0,
            challengerLack: difference > 0 ? 1 - difference : 0,
            championLack: difference < 0 ? 1 + difference : 0
        )
    }

    /// Rounds to a multiple of 2⁻²⁰, about a millionth: sums of such numbers are exact, so that an added number can be
    /// subtracted again.
    static func rounded(_ difference: Double) -> Double { (difference * 0x1p20).rounded() / 0x1p20 }

    mutating func subtract(_ pair: PairCounts) {
        labels -= pair.labels
        challengerOnly -= pair.challengerOnly
        championOnly -= pair.championOnly
        challengerLack -= pair.challengerLack
        championLack -= pair.championLack
    }

    mutating func add(_ pair: PairCounts) {
        labels += pair.labels
        challengerOnly += pair.challengerOnly
        championOnly += pair.championOnly
        challengerLack += pair.challengerLack
        championLack += pair.championLack
    }
}
