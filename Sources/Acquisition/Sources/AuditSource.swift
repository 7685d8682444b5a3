public import Tables
public import Vocabulary

/// The audit sample: drawn without bias, asked for in the order of the draws, and never trained on.
public struct AuditSource: TaskSource, Sendable {
    /// Candidates kept.
    public static let capacity = 200

    var purpose: TaskPurpose { .audit }

    /// At most `capacity` candidates: those drawn first.
    public var candidates = Table<SampleID, PooledCandidate>()
    /// The last of them, a cache.
    private var floor = Foremost<AuditRank>()

    var isEmpty: Bool { candidates.isEmpty }

    /// Takes a candidate in, of a sample that is new or that a newer model has seen.
    mutating func receive(_ pooled: PooledCandidate) {
        let id = pooled.candidate.sample.id
        let known = candidates[id]
        if let known, known.modelOrdinal >= pooled.modelOrdinal { return }
        let rank = AuditRank(pooled)
        if known == nil, candidates.count >= Self.capacity {
            let last = floor.first(of: candidates) { AuditRank($1) }
            guard let last, last < rank else { return }
            floor.set(last.draw.id, nil, in: &candidates, from: last, to: nil)
        }
        floor.set(id, pooled, in: &candidates, from: known.map { AuditRank($0) }, to: rank)
    }

    mutating func remove(_ sample: SampleID) { candidates[sample] = nil }

    // MARK: - Asking

    func hasCandidates(_ accounts: TaskAccounts, _ context: SelectionContext) -> Bool {
        context.policy.sharesByWindow ? due(0, accounts, context) > 0 : !isEmpty
    }

    /// Audit tasks that are due once so many tasks more for training labels are open; at most as many as there are candidates.
    ///
    /// In each window of the budget they are `auditShare` of all tasks, give or take one, as long as there are candidates.
    private func due(_ training: Int, _ accounts: TaskAccounts, _ context: SelectionContext) -> Int {
        guard context.policy.isAudited else { return 0 }
        let first = max(context.auditTasksWanted, context.policy.auditFirst - accounts.cadence.value.auditTasks)
        return min(first.adding(owed(training, accounts, context)), candidates.count)
    }

    /// Of the audit tasks due those that the share asks for, without the first ones.
    private func owed(_ training: Int, _ accounts: TaskAccounts, _ context: SelectionContext) -> Int {
        guard context.policy.isAudited else { return 0 }
        // A share of a fifth is owed a whole task after four, whatever the sum rounds to.
        let owed = accounts.cadence.value.auditOwed + Double(training) * context.policy.auditRatio + 1e-9
        return min(Int(max(0, owed)), candidates.count)
    }

    /// Tasks for training labels, at most so many, that leave room for the audit tasks that they bring with them. The first
    /// audit tasks take what is left: they would keep every training task back where few may be open.
    ///
    /// - Complexity: O(*most*).
    func trainingTasks(_ most: Int, of affordable: Int, _ accounts: TaskAccounts, _ context: SelectionContext) -> Int {
        guard context.policy.sharesByWindow else { return most }
        var count = max(0, most)
        while count > 0, count + owed(count, accounts, context) > affordable { count -= 1 }
        // Where one more task brings an audit task that has no room, the room goes to the task, and the audit task stays owed.
        if count < most, count + owed(count, accounts, context) < affordable { count += 1 }
        return count
    }

    /// Audit tasks that keep their share of all tasks once this batch is out.
    func allowance(_ room: BatchRoom, _ accounts: TaskAccounts, _ context: SelectionContext) -> Int {
        if context.policy.sharesByWindow { return min(due(room.training, accounts, context), room.affordable) }
        // Nothing else to ask for: the audit sample may take the whole batch.
        guard room.isShared else { return min(context.policy.batchSize, candidates.count, room.affordable) }
        let cadence = accounts.cadence.value
        let share = min(max(context.policy.auditShare, 0), 0.9)
        let acquisition = Double(cadence.acquisitionTasks + room.tasks)
        let wanted = Int(acquisition * share / (1 - share)) - cadence.auditTasks
        return min(max(0, wanted), candidates.count, max(1, context.policy.batchSize), room.affordable)
    }

    mutating func take(_ count: Int, _ accounts: inout TaskAccounts, _ context: SelectionContext) -> [Selection] {
        candidates.least(count) { AuditDraw($1) }.compactMap { candidates[$0.id] }.map { pooled in
            pooled.selection(
                purpose,
                strategy: "audit",
                // Not the draw: whoever knew draws could guess the audit sample.
                score: pooled.candidate.auditProbability ?? 0,
                inclusionProbability: pooled.candidate.auditProbability,
                propensity: pooled.candidate.auditProbability
            )
        }
    }

    /// Audit tasks keep their share of all tasks, so the next candidate of a stream is what they wait for.
    func nextAsking(_ room: BatchRoom, _ accounts: TaskAccounts, _ context: SelectionContext) -> NextAsking {
        allowance(room, accounts, context) > 0 ? .afterPatience : .never
    }
}
