internal import Tables
public import Vocabulary

/// What triggers let through: beside the pool, with a share of their own of what is asked.
extension AcquisitionState {
    /// The strategy that a task names which a trigger asked for.
    public static let triggerStrategy = "trigger"

    /// Takes a candidate that triggers fired for, or wait with, into a table of its own, beside what `receive` makes of it.
    ///
    /// Nothing of the audit sample is taken: its labels test.
    ///
    /// - Parameters:
    ///   - candidate: As `receive` has it.
    ///   - modelOrdinal: As `receive` has it.
    ///   - classes: Of the label schema.
    ///   - policy: The revision in force.
    ///   - context: The entry that brought it.
    /// - Complexity: O(1); O(*poolCapacity*) where the table is full.
    public mutating func considerTriggers(
        of candidate: Candidate,
        modelOrdinal: Int,
        classes: Int,
        policy: AcquisitionPolicy,
        context: EntryContext
    ) {
        let id = candidate.sample.id
        guard audit[id] == nil else {
            triggered[id] = nil
            awaiting[id] = nil
            return
        }
        guard !candidate.triggers.isEmpty || !candidate.awaiting.isEmpty, asked[id] == nil else { return }
        let pooled = PooledCandidate(candidate: candidate, modelOrdinal: modelOrdinal)
        let known = triggered[id] ?? awaiting[id]
        var fired = known?.triggers ?? []
        var names = candidate.triggers
        let isNewer = known.map { Self.speaks(for: pooled, before: $0.pooled) } ?? true
        // What was known of the word that stood for the sample says nothing of another.
        let heard = known.flatMap { Self.disagree(candidate, $0.pooled.candidate) }
        let disagrees = heard ?? (isNewer ? nil : known?.disagrees)
        let isOverridden = isNewer ? nil : known?.isOverridden
        if let known, heard != nil {
            for name in candidate.awaiting where known.awaiting.contains(name) {
                let isFired = policy.fires(name, for: candidate, classes, context) {
                    $0.disagrees = disagrees
                    $0.isOverridden = isOverridden
                }
                if isFired { names.append(name) }
            }
        }
        for name in names where !fired.contains(name) { fired.append(name) }
        keep(
            TriggeredCandidate(
                pooled: isNewer ? pooled : known?.pooled ?? pooled,
                triggers: fired,
                awaiting: isNewer ? candidate.awaiting : known?.awaiting ?? [],
                entryNumber: known?.entryNumber ?? context.entryNumber,
                disagrees: disagrees,
                isOverridden: isOverridden
            ),
            policy
        )
    }

    /// Takes in what a user did: triggers that waited for it may fire, and it is kept for those that wait for more.
    ///
    /// - Complexity: O(*poolCapacity*) where one fires and the table is full, else O(1).
    public mutating func heard(
        _ feedback: Feedback,
        classes: Int,
        policy: AcquisitionPolicy,
        context: EntryContext
    ) {
        guard !policy.triggers.isEmpty, let known = triggered[feedback.sample] ?? awaiting[feedback.sample],
            known.pooled.candidate.model?.version == feedback.modelVersion
        else { return }
        // One user's confirmation takes nothing back of another's correction.
        let isOverridden = feedback.verdict.isNegative || known.isOverridden == true
        let fired = known.awaiting.filter { name in
            policy.fires(name, for: known.pooled.candidate, classes, context) {
                $0.disagrees = known.disagrees
                $0.isOverridden = isOverridden
            }
        }
        let new = fired.filter { !known.triggers.contains($0) }
        guard !new.isEmpty || !known.awaiting.isEmpty else { return }
        keep(
            TriggeredCandidate(
                pooled: known.pooled,
                triggers: known.triggers + new,
                awaiting: known.awaiting,
                entryNumber: known.entryNumber,
                disagrees: known.disagrees,
                isOverridden: isOverridden
            ),
            policy
        )
    }

    /// Whether champion and challenger disagree; nil unless the two are one of each.
    private static func disagree(_ a: Candidate, _ b: Candidate) -> Bool? {
        guard let one = a.model, let other = b.model, one.role != other.role, one.version != other.version,
            let first = a.output, let second = b.output
        else { return nil }
        return first.top.label != second.top.label
    }

    /// Whether a candidate stands for its sample instead of another: a champion's, and of two the newer model's.
    private static func speaks(for a: PooledCandidate, before b: PooledCandidate) -> Bool {
        let isChallenger = (a.candidate.model?.role == .challenger, b.candidate.model?.role == .challenger)
        guard isChallenger.0 == isChallenger.1 else { return !isChallenger.0 }
        return a.modelOrdinal > b.modelOrdinal
    }

    /// Where a table is full, the one goes that has waited longest.
    private mutating func keep(_ row: TriggeredCandidate, _ policy: AcquisitionPolicy) {
        let id = row.pooled.candidate.sample.id
        if row.triggers.isEmpty {
            guard !row.awaiting.isEmpty, awaiting[id] != row else { return }
            Self.makeRoom(in: &awaiting, for: id, policy.poolCapacity)
            awaiting[id] = row
        } else {
            awaiting[id] = nil
            guard triggered[id] != row else { return }
            Self.makeRoom(in: &triggered, for: id, policy.poolCapacity)
            triggered[id] = row
        }
    }

    private static func makeRoom(
        in table: inout Table<SampleID, TriggeredCandidate>,
        for id: SampleID,
        _ capacity: Int
    ) {
        guard table[id] == nil, table.count >= capacity else { return }
        let oldest = table.minimum { ($0.value.entryNumber, $0.key) < ($1.value.entryNumber, $1.key) }
        if let oldest { table[oldest.key] = nil }
    }

    // MARK: - Asking

    /// Takes out what is to be asked for because triggers fired, and counts its slices.
    ///
    /// - Parameters:
    ///   - count: Tasks for training labels that this batch may have.
    ///   - votesPerTask: The most votes that a task may take.
    ///   - policy: The revision in force.
    ///   - time: Of the entry that asks.
    /// - Returns: At most `count` distinct samples.
    mutating func takeTriggered(
        _ count: Int,
        votesPerTask: Int,
        policy: AcquisitionPolicy,
        at time: StreamTime
    ) -> [Selection] {
        let chosen = triggeredDue(count, votesPerTask: votesPerTask, policy: policy, at: time)
        for row in chosen {
            let sample = row.pooled.candidate.sample
            triggered[sample.id] = nil
            pool[sample.id] = nil
            countSlice(sample, votes: votesPerTask, policy: policy, at: time)
            cadence.value.triggerTasks += 1
        }
        return chosen.map { row in
            let candidate = row.pooled.candidate
            return Selection(
                sample: candidate.sample,
                purpose: .acquisition,
                reason: SelectionReason(
                    strategy: Self.triggerStrategy,
                    score: candidate.score,
                    scoredBy: candidate.model?.version,
                    predicted: candidate.output?.top.label,
                    inclusionProbability: nil,
                    propensity: 1,
                    triggers: row.triggers
                ),
                predictedAt: candidate.predictedAt
            )
        }
    }

    /// What triggers may ask for in a batch of `count` tasks: their share of it, and of all tasks so far. Where there is
    /// nothing else to ask for, the whole batch.
    ///
    /// Triggers take turns; of one trigger's candidates the most useful comes first.
    ///
    /// - Complexity: O(*n* log *n*) in the candidates that triggers let through.
    func triggeredDue(
        _ count: Int,
        votesPerTask: Int,
        policy: AcquisitionPolicy,
        at time: StreamTime
    ) -> [TriggeredCandidate] {
        guard count > 0, !triggered.isEmpty, policy.triggerShare > 0 else { return [] }
        var most = count
        if !pool.isEmpty || policy.stream != nil {
            let ofBatch = Int((policy.triggerShare * Double(count)).rounded(.up))
            let ofAll = Int(policy.triggerShare * Double(cadence.value.acquisitionTasks + count))
            most = min(count, ofBatch, ofAll - cadence.value.triggerTasks)
        }
        guard most > 0, !isTriggeredBlocked(quotas(votesPerTask, policy, at: time)) else { return [] }
        let rows = inTurn(policy)
        let kept = withinQuota(rows.map(\.pooled), votesPerTask: votesPerTask, policy: policy, at: time)
        let ids = Set(kept.map(\.candidate.sample.id))
        return Array(rows.filter { ids.contains($0.pooled.candidate.sample.id) }.prefix(most))
    }

    private func inTurn(_ policy: AcquisitionPolicy) -> [TriggeredCandidate] {
        // Whose trigger is no longer in force comes last.
        var queues = [[TriggeredCandidate]](repeating: [], count: policy.triggers.count + 1)
        for (_, row) in triggered.sortedRows {
            let position = policy.triggers.firstIndex { row.triggers.contains($0.name) }
            queues[position ?? policy.triggers.count].append(row)
        }
        queues.removeAll(where: \.isEmpty)
        for index in queues.indices { queues[index].sort { Self.isLessUseful($1.pooled, $0.pooled) } }
        var rows: [TriggeredCandidate] = []
        // Not always the same one first, where a batch has room for one.
        let start = queues.isEmpty ? 0 : cadence.value.triggerTasks % queues.count
        for place in 0..<(queues.map(\.count).max() ?? 0) {
            for step in queues.indices {
                let queue = queues[(start + step) % queues.count]
                if place < queue.count { rows.append(queue[place]) }
            }
        }
        return rows
    }

    /// Says of a selection which triggers fired for its sample, and forgets them.
    mutating func markTriggers(on selection: Selection) -> Selection {
        let id = selection.sample.id
        awaiting[id] = nil
        guard let row = triggered[id] else { return selection }
        triggered[id] = nil
        return selection.purpose == .audit ? selection : selection.triggered(by: row.triggers)
    }
}

extension AcquisitionPolicy {
    /// Whether a trigger holds of a candidate once more is known; false where the revision in force has none of that name.
    fileprivate func fires(
        _ name: String,
        for candidate: Candidate,
        _ classes: Int,
        _ context: EntryContext,
        _ learn: (inout TriggerFacts) -> Void
    ) -> Bool {
        guard let trigger = triggers.first(where: { $0.name == name }) else { return false }
        var facts = TriggerFacts(
            candidate.output,
            score: candidate.score,
            role: candidate.model?.role,
            classes: classes
        )
        learn(&facts)
        return TriggerProgram(trigger, project: context.project).judge(
            facts,
            sample: candidate.sample,
            output: candidate.output,
            version: candidate.model?.version,
            classes: classes
        ) == .holds
    }
}
