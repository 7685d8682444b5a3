internal import Statistics
internal import Tables
public import Vocabulary

/// Decides which samples are worth a person's second.
extension AcquisitionState {
    /// Takes a candidate into the pool, or into the audit sample if it belongs there: never into both, so that no test
    /// label is ever a training label.
    ///
    /// - Parameters:
    ///   - candidate: Belongs to the audit sample if it has an audit probability.
    ///   - modelOrdinal: The dataset ordinal of the model that scored it, 0 for none or an unknown one.
    ///   - policy: The revision in force.
    ///   - context: The entry that brought it.
    /// - Complexity: O(1) on average, O(*poolCapacity*) for the first after a batch.
    public mutating func receive(
        _ candidate: Candidate,
        modelOrdinal: Int,
        policy: AcquisitionPolicy,
        context: EntryContext
    ) {
        let id = candidate.sample.id
        guard asked[id] == nil else { return }
        if cadence.value.waitingSince == nil { cadence.value.waitingSince = context.time }
        let pooled = PooledCandidate(candidate: candidate, modelOrdinal: modelOrdinal)
        if candidate.auditProbability != nil {
            pool[id] = nil
            receiveAudit(pooled)
            return
        }
        // Drawn for the audit sample once, under a cut-off that has been lowered since: it stays there.
        guard audit[id] == nil else { return }
        if let known = pool[id] {
            // A model says the same of a sample every time; only a newer one changes anything.
            if known.modelOrdinal < modelOrdinal { floor.update(in: &pool, with: pooled) }
            return
        }
        if pool.count >= policy.poolCapacity {
            floor.replace(in: &pool, with: pooled)
        } else {
            pool[id] = pooled
        }
    }

    private mutating func receiveAudit(_ pooled: PooledCandidate) {
        let id = pooled.candidate.sample.id
        if let known = audit[id], known.modelOrdinal >= pooled.modelOrdinal { return }
        if audit[id] == nil, audit.count >= Self.auditCapacity {
            guard let last = audit.minimum(by: { Self.isDrawnEarlier($1.value, $0.value) }),
                Self.isDrawnEarlier(pooled, last.value)
            else { return }
            audit[last.key] = nil
        }
        audit[id] = pooled
    }

    /// Chooses the next batch, if one is due, and reserves its votes.
    ///
    /// - Parameters:
    ///   - openTasks: Tasks open now; the open-task limit is the back-pressure of people.
    ///   - votesPerTask: The most votes that a task may take.
    ///   - newestOrdinal: The dataset ordinal of the newest trained model, 0 before the first.
    ///   - unlearned: Training labels asked for, answered or not, that the newest model does not know.
    ///   - policy: The revision in force.
    ///   - context: The entry that gives the time and seeds the choice.
    /// - Returns: Distinct samples, the audit sample's last; empty when no batch is due.
    public mutating func selectBatch(
        openTasks: Int,
        votesPerTask: Int,
        newestOrdinal: Int,
        unlearned: Int,
        policy: AcquisitionPolicy,
        context: EntryContext
    ) -> [Selection] {
        ledger.value.advance(to: context.time, window: policy.window)
        guard openTasks + policy.batchSize <= policy.openTaskLimit, !pool.isEmpty || !audit.isEmpty else {
            cadence.value.waitingSince = nil
            return []
        }
        // Patience begins when a batch becomes possible: the model that the last one taught may still be in training.
        if cadence.value.waitingSince == nil { cadence.value.waitingSince = context.time }
        guard isReady(newestOrdinal, unlearned, policy, at: context.time) else { return [] }
        let affordable = min(
            ledger.value.available(of: policy.votes) / max(1, votesPerTask),
            policy.openTaskLimit - openTasks
        )
        let auditWanted = auditTasksDue(policy, affordable)
        let wanted = min(policy.batchSize, affordable - min(auditWanted, affordable))
        var batch = chooseAcquisition(wanted, policy, context)
        batch += chooseAudit(min(auditWanted, affordable))
        for selection in batch {
            guard ledger.value.reserve(votesPerTask, of: policy.votes) else { break }
            pool[selection.sample.id] = nil
            audit[selection.sample.id] = nil
            asked[selection.sample.id] = selection.purpose
        }
        guard !batch.isEmpty else { return [] }
        cadence.value.lastBatchAt = context.time
        cadence.value.lastBatchOrdinal = newestOrdinal
        let hasRoom = openTasks + batch.count + policy.batchSize <= policy.openTaskLimit
        cadence.value.waitingSince = hasRoom && !(pool.isEmpty && audit.isEmpty) ? context.time : nil
        for selection in batch {
            if selection.purpose == .audit {
                cadence.value.auditTasks += 1
            } else {
                remember(selection.sample, policy.batch)
                cadence.value.acquisitionTasks += 1
            }
        }
        return batch
    }

    /// One of the votes reserved for a task was given: it counts in the window in which it was given.
    public mutating func voteGiven(policy: AcquisitionPolicy, at time: StreamTime) {
        ledger.value.advance(to: time, window: policy.window)
        ledger.value.spend()
    }

    /// A task closed with votes left.
    public mutating func votesReleased(_ count: Int) { ledger.value.release(count) }

    /// When a batch could become due without a further candidate.
    public func nextDeadline(openTasks: Int, votesPerTask: Int, policy: AcquisitionPolicy) -> StreamTime? {
        guard let waiting = cadence.value.waitingSince, !pool.isEmpty || !audit.isEmpty,
            openTasks + policy.batchSize <= policy.openTaskLimit
        else { return nil }
        let ledger = ledger.value
        if ledger.available(of: policy.votes) < votesPerTask {
            return policy.votes < votesPerTask ? nil : ledger.windowStart.advanced(byMilliseconds: policy.window)
        }
        return waiting.advanced(byMilliseconds: policy.patience)
    }

    // MARK: - Choosing

    /// Candidates of the newest model, for each task of a diverse batch, that a batch waits for.
    private static let diverseBreadth = 10

    /// A batch waits for a model that has learnt from the last one, and for candidates that it scored, but not for ever: a
    /// model that is one batch behind asks for much of the same again.
    private func isReady(
        _ newestOrdinal: Int,
        _ unlearned: Int,
        _ policy: AcquisitionPolicy,
        at time: StreamTime
    ) -> Bool {
        let since = cadence.value.waitingSince ?? time
        if time.milliseconds(since: since) >= policy.patience { return true }
        guard newestOrdinal > cadence.value.lastBatchOrdinal, unlearned <= policy.batchSize / 2 else { return false }
        // Intake lets only the highest scores of a stream through, so these are the best of many more.
        let breadth = policy.isDiverse ? max(Self.diverseBreadth, policy.preselection) : 2
        let enough = min(policy.poolCapacity, policy.batchSize * breadth)
        return pool.count >= enough && pool.count { $1.modelOrdinal >= newestOrdinal } >= enough
    }

    static func selection(_ pooled: PooledCandidate, strategy: String, utility: Utility? = nil) -> Selection {
        let candidate = pooled.candidate
        return Selection(
            sample: candidate.sample,
            purpose: .acquisition,
            reason: SelectionReason(
                strategy: strategy,
                score: utility?.value ?? candidate.score,
                scoredBy: candidate.model?.version,
                predicted: candidate.output?.top.label,
                inclusionProbability: nil,
                parts: utility?.parts ?? []
            ),
            predictedAt: candidate.predictedAt
        )
    }

    /// The part of a batch that is drawn by chance: a class that the model is wrongly sure to know is found by no score.
    func chooseExploration(_ count: Int, _ policy: AcquisitionPolicy, _ context: EntryContext) -> [PooledCandidate] {
        guard policy.function != .random, policy.explorationShare > 0 else { return [] }
        let ranked = pool.sortedRows.map(\.value).sorted { Self.isLessUseful($1, $0) }
        guard let newest = ranked.first?.modelOrdinal else { return [] }
        let drawn = ranked.filter { $0.candidate.isExploration && $0.modelOrdinal == newest }
        let wanted = min(drawn.count, Int((policy.explorationShare * Double(count)).rounded()))
        guard wanted > 0 else { return [] }
        var generator = SplitMix64(seed: context.seed ^ 0x6578_706C_6F72_6521)
        return SeededSampling.distinctIndices(wanted, of: drawn.count, using: &generator).map { drawn[$0] }
    }

    /// Audit tasks that keep their share of all tasks once this batch is out.
    private func auditTasksDue(_ policy: AcquisitionPolicy, _ affordable: Int) -> Int {
        let cadence = cadence.value
        // Nothing else to ask for: the audit sample may take the whole batch.
        guard !pool.isEmpty else { return min(policy.batchSize, audit.count) }
        let share = min(max(policy.auditShare, 0), 0.9)
        let acquisition = Double(cadence.acquisitionTasks + min(policy.batchSize, affordable))
        let wanted = Int(acquisition * share / (1 - share)) - cadence.auditTasks
        return min(max(0, wanted), audit.count, max(1, policy.batchSize))
    }

    private func chooseAudit(_ count: Int) -> [Selection] {
        audit.sortedRows.map(\.value).sorted { Self.isDrawnEarlier($0, $1) }.prefix(count).map { pooled in
            let candidate = pooled.candidate
            let reason = SelectionReason(
                strategy: "audit",
                // Not the draw: whoever knew draws could guess the audit sample.
                score: candidate.auditProbability ?? 0,
                scoredBy: candidate.model?.version,
                predicted: candidate.output?.top.label,
                inclusionProbability: candidate.auditProbability
            )
            return Selection(
                sample: candidate.sample,
                purpose: .audit,
                reason: reason,
                predictedAt: candidate.predictedAt
            )
        }
    }

    // MARK: - Orders (total, so that nothing depends on hashing)

    private static func isLessUseful(_ a: PooledCandidate, _ b: PooledCandidate) -> Bool {
        (a.modelOrdinal, a.candidate.score, b.candidate.sample.id) < (
            b.modelOrdinal, b.candidate.score, a.candidate.sample.id
        )
    }

    private static func isDrawnEarlier(_ a: PooledCandidate, _ b: PooledCandidate) -> Bool {
        (a.candidate.auditDraw, a.candidate.sample.id) < (b.candidate.auditDraw, b.candidate.sample.id)
    }
}
