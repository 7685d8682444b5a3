public import Strategies
public import Tables
public import Vocabulary

/// The pool: candidates that a strategy chooses batches from, or that a stream's rule has chosen one by one.
public struct PoolSource: TaskSource, Sendable {
    var purpose: TaskPurpose { .acquisition }

    /// At most `poolCapacity` candidates for training labels.
    public var candidates = Table<SampleID, PooledCandidate>()
    /// Sketches of the samples queried last for training, by slot; at most as many as the policy's `memory`.
    public var queriedSketches = Table<Int, EmbeddingSketch>()
    /// Unanswerable samples, by slot; at most `UnanswerableSample.limit`. Empty in edition 1.
    public var unanswerable = Table<Int, UnanswerableSample>()
    /// Mean predictions of models over the pool, while a cold start lasts; from edition 2 on.
    public var shares = Cell(PredictedShares())
    /// The rule that queries one by one, and its ledger; nil until the first candidate of a stream.
    public var stream = Cell<StreamFilter?>(nil)
    /// The least useful candidates, a cache.
    private var evictionOrder = TopK<PoolRank>()
    /// Snapshot of the quotas under which `evictionOrder` was computed; nil if there were no quotas.
    private var evictionSnapshot: QuotaSnapshot?
    /// Data about the queried and the unanswerable samples, derived from the tables, a cache.
    var sampleCache = SampleCache()
    /// Whether no candidate has free capacity, a cache.
    private var block = QuotaBlock()

    var isEmpty: Bool { candidates.isEmpty }

    /// Adds a candidate, in place of the least useful one if the pool is full.
    ///
    /// - Complexity: O(1) on average, O(*poolCapacity*) for the first after a batch.
    mutating func receive(_ received: PooledCandidate, _ accounts: inout TaskAccounts, _ context: SelectionContext) {
        if let stream = context.policy.stream {
            judge(received, by: stream, accounts: &accounts, in: context)
            return
        }
        let id = received.candidate.sample.id
        let quotas = quotas(&accounts, context)
        let wasBlocked = block.holds(candidates, quotas)
        let known = candidates[id]
        // The output of a model for a sample is the same every time; only a newer model changes anything.
        if let known, known.modelVersionNumber >= received.modelVersionNumber { return }
        let reason = reason(toSetAside: received.candidate.sample, context.policy)
        let pooled = reason == nil ? received : received.settingAside(reason)
        defer { maintainBlock(afterAdding: pooled, quotas, wasBlocked: wasBlocked) }
        if let known {
            evictionOrder.set(id, pooled, in: &candidates, from: PoolRank(known, quotas), to: PoolRank(pooled, quotas))
            return
        }
        let rank = PoolRank(pooled, quotas)
        if candidates.count >= context.policy.poolCapacity {
            guard let least = leastUseful(quotas), least < rank else { return }
            evictionOrder.set(least.id, nil, in: &candidates, from: least, to: nil)
        }
        evictionOrder.set(id, pooled, in: &candidates, from: nil, to: rank)
    }

    mutating func remove(_ sample: SampleID) { candidates[sample] = nil }

    /// Stores the sketch of a sample that is queried at the given index among training tasks; the oldest sketch is
    /// replaced.
    mutating func storeSketch(of sample: Sample, index: Int, _ acquisition: AcquisitionPolicy) {
        let policy = acquisition.batch
        // A revision may make the memory smaller: sketches beyond it are removed.
        if queriedSketches.count > policy.memory {
            for slot in queriedSketches.sortedKeys where slot >= policy.memory { queriedSketches[slot] = nil }
        }
        let keepsDigest = acquisition.edition >= 2
        guard policy.memory > 0,
            let sketch = sample.embedding.flatMap({ EmbeddingSketch($0, keepsDigest: keepsDigest) })
        else { return }
        let (slot, revision) = (index % policy.memory, queriedSketches.revision)
        queriedSketches[slot] = sketch
        sampleCache.noteWrite(slot, from: revision, to: queriedSketches.revision)
    }

    // MARK: - Quotas

    /// Quotas of the entry's window, which decide the candidate that a full pool evicts; resets the order of eviction
    /// if they have changed.
    mutating func quotas(_ accounts: inout TaskAccounts, _ context: SelectionContext) -> SliceQuotas? {
        let quotas = accounts.quotasNow(context)
        let isCurrent =
            evictionSnapshot.map { old in quotas.map { $0.isUnchanged(since: old) } ?? false } ?? (quotas == nil)
        if !isCurrent {
            evictionOrder = TopK()
            evictionSnapshot = quotas?.snapshot
        }
        return quotas
    }

    mutating func leastUseful(_ quotas: SliceQuotas?) -> PoolRank? {
        evictionOrder.first(of: candidates) { PoolRank($1, quotas) }
    }

    /// Keeps the quota block in force after the pool added a row, if it was in force before and the row has no free
    /// capacity either.
    mutating func maintainBlock(afterAdding pooled: PooledCandidate, _ quotas: SliceQuotas?, wasBlocked: Bool) {
        guard wasBlocked, let quotas, !quotas.hasRoom(pooled.candidate.sample) else { return }
        block.revalidate(candidates)
    }

    mutating func checkQuotas(_ accounts: TaskAccounts, _ context: SelectionContext) {
        block.update(candidates, accounts.quotas(context)) { $1.hasRoom($0.candidate.sample) }
    }

    /// Whether quotas blocked all candidates when they were last checked.
    var blockedAtLastCheck: Bool { block.blockedAtLastCheck }

    /// Whether every candidate is known to wait for a quota.
    func isBlocked(_ quotas: SliceQuotas?) -> Bool { block.holds(candidates, quotas) }

    // MARK: - Querying

    func isActive(_ context: SelectionContext) -> Bool { !isEmpty || context.policy.stream != nil }

    /// Candidates of the newest model that a diverse batch waits for, per task.
    private static let diverseBreadth = 10

    /// Whether a batch need not wait for `maximumWait`. Candidates that a stream's rule has chosen never wait. A batch
    /// waits for a model that has learnt from the last batch, and for candidates scored by that model: a model that is
    /// one batch behind queries much of the same again.
    func isReady(_ room: BatchRoom, _ accounts: TaskAccounts, _ context: SelectionContext) -> Bool {
        if context.policy.stream != nil, !isEmpty { return true }
        let size = context.policy.batchSize
        guard hasLearnt(context, accounts) else { return false }
        // Intake lets only the highest scores of a stream through, so these are the best of many more.
        let breadth = context.policy.isDiverse ? max(Self.diverseBreadth, context.policy.preselection) : 2
        let enough = min(context.policy.poolCapacity, size * breadth)
        return candidates.count >= enough
            && candidates.count { $1.modelVersionNumber >= context.newestVersionNumber && $1.setAside == nil } >= enough
    }

    /// Whether the newest model has learnt from the last batch.
    private func hasLearnt(_ context: SelectionContext, _ accounts: TaskAccounts) -> Bool {
        context.newestVersionNumber > accounts.schedule.value.lastBatchVersionNumber
            && context.unlearnedLabels <= context.policy.batchSize / 2
    }

    /// Whether a model that has learnt from the last batch has scored enough candidates for a batch, or all candidates.
    func isScored(_ context: SelectionContext, _ accounts: TaskAccounts) -> Bool {
        guard !isEmpty, context.newestVersionNumber > 0, hasLearnt(context, accounts) else { return false }
        let waiting = candidates.count { $1.setAside == nil }
        let enough = min(context.policy.batchSize, max(1, waiting))
        return candidates.count { $1.modelVersionNumber >= context.newestVersionNumber && $1.setAside == nil } >= enough
    }

    /// All tasks left of the batch; 0 if quotas block all candidates.
    func allowance(_ room: BatchRoom, _ accounts: TaskAccounts, _ context: SelectionContext) -> Int {
        isBlocked(accounts.quotas(context)) ? 0 : room.tasks
    }

    func nextQueryTime(_ room: BatchRoom, _ accounts: TaskAccounts, _ context: SelectionContext) -> NextQueryTime {
        guard !isEmpty else {
            return context.policy.stream == nil ? .at(accounts.nextQuota(context)) : .never
        }
        guard let quotas = accounts.quotas(context) else { return .afterMaximumWait }
        let isSpent = isBlocked(quotas) || !candidates.contains { quotas.hasRoom($1.candidate.sample) }
        return isSpent ? .at(accounts.nextQuota(context)) : .afterMaximumWait
    }
}
