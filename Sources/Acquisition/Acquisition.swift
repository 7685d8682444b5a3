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
    ///   - pending: Labels asked for that its model does not know; of use to a stream's rule only.
    ///   - votesPerTask: The most votes that a task may take; slices have quotas of votes.
    ///   - policy: The revision in force.
    ///   - context: The entry that brought it.
    /// - Complexity: O(1) on average, O(*poolCapacity*) for the first after a batch.
    public mutating func receive(
        _ candidate: Candidate,
        modelOrdinal: Int,
        pending: Int = 0,
        votesPerTask: Int = 1,
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
        guard !candidate.isBelowThreshold else { return }
        if let stream = policy.stream {
            receiveStreamed(pooled, pending: pending, stream, votesPerTask, policy, context)
            return
        }
        let quotas = quotasOfPool(votesPerTask, policy, at: context.time)
        let wasBlocked = isPoolBlocked(quotas)
        defer { poolTook(candidate.sample, quotas, wasBlocked: wasBlocked) }
        if let known = pool[id] {
            // A model says the same of a sample every time; only a newer one changes anything.
            guard known.modelOrdinal < modelOrdinal else { return }
            floor.set(id, pooled, in: &pool, from: PoolRank(known, quotas), to: PoolRank(pooled, quotas))
            return
        }
        let rank = PoolRank(pooled, quotas)
        if pool.count >= policy.poolCapacity {
            let least = floor.first(of: pool) { PoolRank($1, quotas) }
            guard let least, least < rank else { return }
            floor.set(least.id, nil, in: &pool, from: least, to: nil)
        }
        floor.set(id, pooled, in: &pool, from: nil, to: rank)
    }

    private mutating func receiveAudit(_ pooled: PooledCandidate) {
        let id = pooled.candidate.sample.id
        let known = audit[id]
        if let known, known.modelOrdinal >= pooled.modelOrdinal { return }
        let rank = AuditRank(pooled)
        if known == nil, audit.count >= Self.auditCapacity {
            let last = auditFloor.first(of: audit) { AuditRank($1) }
            guard let last, last < rank else { return }
            auditFloor.set(last.draw.id, nil, in: &audit, from: last, to: nil)
        }
        auditFloor.set(id, pooled, in: &audit, from: known.map { AuditRank($0) }, to: rank)
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
        ledger.value.advance(to: context.time, budget: policy.budget)
        guard openTasks + policy.batchSize <= policy.openTaskLimit, hasCandidates else {
            cadence.value.waitingSince = nil
            return []
        }
        // Patience begins when a batch becomes possible: the model that the last one taught may still be in training.
        if cadence.value.waitingSince == nil { cadence.value.waitingSince = context.time }
        lookAtQuotas(votesPerTask, policy, at: context.time)
        guard isReady(newestOrdinal, unlearned, votesPerTask, policy, at: context.time) else { return [] }
        makeRoomForSlices(policy, at: context.time)
        let affordable = affordableTasks(openTasks, votesPerTask, policy)
        let auditWanted = auditTasksDue(policy, affordable)
        let wanted = min(policy.batchSize, affordable - min(auditWanted, affordable))
        let fired = takeTriggered(wanted, votesPerTask: votesPerTask, policy: policy, at: context.time)
        var batch = chooseAcquisition(wanted - fired.count, votesPerTask, policy, context) + fired
        batch += chooseAudit(min(auditWanted, affordable))
        batch = batch.map { markTriggers(on: $0).costing(policy.voteCost) }
        for selection in batch {
            guard ledger.value.reserve(votesPerTask, cost: policy.voteCost, of: policy.budget) else { break }
            pool[selection.sample.id] = nil
            audit[selection.sample.id] = nil
            asked[selection.sample.id] = selection.purpose
        }
        guard !batch.isEmpty else { return [] }
        cadence.value.lastBatchAt = context.time
        cadence.value.lastBatchOrdinal = newestOrdinal
        let hasRoom = openTasks + batch.count + policy.batchSize <= policy.openTaskLimit
        cadence.value.waitingSince = hasRoom && hasCandidates ? context.time : nil
        for selection in batch {
            if selection.purpose == .audit {
                cadence.value.auditTasks += 1
            } else {
                remember(selection.sample, policy.batch)
                if selection.reason.strategy != Self.triggerStrategy {
                    countSlice(selection.sample, votes: votesPerTask, policy: policy, at: context.time)
                }
                cadence.value.acquisitionTasks += 1
            }
        }
        return batch
    }

    /// When a batch could become due without a further candidate.
    ///
    /// - Parameters:
    ///   - openTasks: Tasks open now.
    ///   - votesPerTask: The most votes that a task may take.
    ///   - policy: The revision in force.
    ///   - now: Of the last entry; nil: the beginning of the window.
    /// - Returns: Nil where only an entry can bring it about.
    public func nextDeadline(
        openTasks: Int,
        votesPerTask: Int,
        policy: AcquisitionPolicy,
        at now: StreamTime? = nil
    ) -> StreamTime? {
        guard let waiting = cadence.value.waitingSince, hasCandidates,
            openTasks + policy.batchSize <= policy.openTaskLimit
        else { return nil }
        if isExhausted(votesPerTask: votesPerTask, policy: policy) {
            // A budget that never holds a task is not waited for.
            let most = policy.budget.mostTasks(votes: votesPerTask, cost: policy.voteCost)
            return most == 0 ? nil : ledger.value.windowStart.advanced(byMilliseconds: policy.window)
        }
        let affordable = affordableTasks(openTasks, votesPerTask, policy)
        let count = min(policy.batchSize, affordable)
        let now = now ?? ledger.value.windowStart
        let fired = triggeredDue(count, votesPerTask: votesPerTask, policy: policy, at: now)
        if fired.isEmpty, auditTasksDue(policy, affordable) == 0 {
            // Audit tasks keep their share of all tasks, so the next candidate of a stream is what they wait for.
            // What triggers let through may wait for a quota.
            if policy.stream != nil, pool.isEmpty, triggered.isEmpty || policy.slices == nil { return nil }
            if pool.isEmpty || isQuotaSpent(votesPerTask: votesPerTask, policy: policy, at: now) {
                // A slice that is new no longer may have another share.
                let end = ledger.value.windowStart.advanced(byMilliseconds: policy.window)
                return min(end, quotas(votesPerTask, policy, at: now)?.nextAgeing ?? end)
            }
        }
        return waiting.advanced(byMilliseconds: policy.patience)
    }

    private func affordableTasks(_ openTasks: Int, _ votesPerTask: Int, _ policy: AcquisitionPolicy) -> Int {
        min(
            ledger.value.affordableTasks(votes: votesPerTask, cost: policy.voteCost, of: policy.budget),
            policy.openTaskLimit - openTasks
        )
    }

    // MARK: - Choosing

    /// Candidates of the newest model, for each task of a diverse batch, that a batch waits for.
    private static let diverseBreadth = 10

    /// A batch waits for a model that has learnt from the last one, and for candidates that it scored, but not for ever: a
    /// model that is one batch behind asks for much of the same again.
    private func isReady(
        _ newestOrdinal: Int,
        _ unlearned: Int,
        _ votesPerTask: Int,
        _ policy: AcquisitionPolicy,
        at time: StreamTime
    ) -> Bool {
        // A stream's rule has chosen already, and so have triggers as far as their share goes.
        if policy.stream != nil {
            if !pool.isEmpty { return true }
            if !triggeredDue(1, votesPerTask: votesPerTask, policy: policy, at: time).isEmpty { return true }
        }
        let since = cadence.value.waitingSince ?? time
        if time.milliseconds(since: since) >= policy.patience { return true }
        guard newestOrdinal > cadence.value.lastBatchOrdinal, unlearned <= policy.batchSize / 2 else { return false }
        // Intake lets only the highest scores of a stream through, so these are the best of many more.
        let breadth = policy.isDiverse ? max(Self.diverseBreadth, policy.preselection) : 2
        let enough = min(policy.poolCapacity, policy.batchSize * breadth)
        return pool.count >= enough && pool.count { $1.modelOrdinal >= newestOrdinal } >= enough
    }

    static func selection(
        _ pooled: PooledCandidate,
        strategy: String,
        propensity: Double?,
        utility: Utility? = nil
    ) -> Selection {
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
                propensity: propensity,
                parts: utility?.parts ?? []
            ),
            predictedAt: candidate.predictedAt
        )
    }

    /// The part of a batch that is drawn by chance: a class that the model is wrongly sure to know is found by no score.
    ///
    /// - Returns: Each with the probability of its draw among those that could have been drawn.
    func chooseExploration(
        _ count: Int,
        _ ranked: [PooledCandidate],
        _ policy: AcquisitionPolicy,
        _ context: EntryContext
    ) -> [(pooled: PooledCandidate, propensity: Double)] {
        guard policy.function != .random, policy.explorationShare > 0, let newest = ranked.first?.modelOrdinal else {
            return []
        }
        let drawn = ranked.filter { $0.candidate.isExploration && $0.modelOrdinal == newest }
        let wanted = min(drawn.count, Int((policy.explorationShare * Double(count)).rounded()))
        guard wanted > 0 else { return [] }
        var generator = SplitMix64(seed: context.seed ^ 0x6578_706C_6F72_6521)
        let propensity = Double(wanted) / Double(drawn.count)
        return SeededSampling.distinctIndices(wanted, of: drawn.count, using: &generator).map {
            (drawn[$0], propensity)
        }
    }

    /// Audit tasks that keep their share of all tasks once this batch is out.
    private func auditTasksDue(_ policy: AcquisitionPolicy, _ affordable: Int) -> Int {
        let cadence = cadence.value
        // Nothing else to ask for: the audit sample may take the whole batch.
        let isTriggered = !triggered.isEmpty && policy.triggerShare > 0
        guard !pool.isEmpty || isTriggered || policy.stream != nil else { return min(policy.batchSize, audit.count) }
        let share = min(max(policy.auditShare, 0), 0.9)
        let acquisition = Double(cadence.acquisitionTasks + min(policy.batchSize, affordable))
        let wanted = Int(acquisition * share / (1 - share)) - cadence.auditTasks
        return min(max(0, wanted), audit.count, max(1, policy.batchSize))
    }

    private func chooseAudit(_ count: Int) -> [Selection] {
        guard count > 0 else { return [] }
        let first = audit.least(count) { AuditDraw($1) }
        return first.compactMap { audit[$0.id] }.map { pooled in
            let candidate = pooled.candidate
            let reason = SelectionReason(
                strategy: "audit",
                // Not the draw: whoever knew draws could guess the audit sample.
                score: candidate.auditProbability ?? 0,
                scoredBy: candidate.model?.version,
                predicted: candidate.output?.top.label,
                inclusionProbability: candidate.auditProbability,
                propensity: candidate.auditProbability
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

    static func isLessUseful(_ a: PooledCandidate, _ b: PooledCandidate) -> Bool {
        (a.modelOrdinal, a.candidate.score, b.candidate.sample.id) < (
            b.modelOrdinal, b.candidate.score, a.candidate.sample.id
        )
    }
}
