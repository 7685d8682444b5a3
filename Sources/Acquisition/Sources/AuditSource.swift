public import Tables
public import Vocabulary

/// The audit sample: drawn without bias, queried in the order of the draws, and never trained on.
///
/// Part of it is queried where champion and challenger disagree: where they agree, a label does not show which is
/// better.
public struct AuditSource: TaskSource, Sendable {
    /// Candidates kept.
    public static let capacity = 200

    var purpose: TaskPurpose { .audit }

    /// At most `capacity` candidates: those drawn first. If champion and challenger are distinguished, half of the
    /// capacity is for samples on which the current pair disagrees, or may.
    public var candidates = Table<SampleID, PooledCandidate>()
    /// Pairing of each candidate that eras judge by, with the agreement of its two models' predictions.
    public var pairings = Table<SampleID, AuditPairing>()
    /// The candidates drawn last, a cache.
    private var evictionOrder = TopK<AuditRank>()

    public init() {}

    var isEmpty: Bool { candidates.isEmpty }

    /// Adds a candidate if its sample is new or it was scored by a newer model.
    ///
    /// - Parameters:
    ///   - pooled: A candidate of the audit sample.
    ///   - context: Context at the entry that contains it.
    /// - Complexity: O(1) on average; O(*capacity*) in a full table if pairs are distinguished.
    public mutating func receive(_ pooled: PooledCandidate, _ context: SelectionContext) {
        let id = pooled.candidate.sample.id
        let known = candidates[id]
        if let known, known.modelVersionNumber >= pooled.modelVersionNumber { return }
        let rank = AuditRank(pooled)
        if known == nil, candidates.count >= Self.capacity {
            let first = pairings.isEmpty ? evictionOrder.first(of: candidates) { AuditRank($1) } : nextEvicted(context)
            guard let first, context.audit.currentPair != nil || first < rank else { return }
            evictionOrder.set(first.draw.id, nil, in: &candidates, from: first, to: nil)
            forgetPairing(first.draw.id)
        }
        evictionOrder.set(id, pooled, in: &candidates, from: known.map { AuditRank($0) }, to: rank)
    }

    /// Number of candidates on which the current pair disagrees, or may, that is enough for queries.
    private static let enoughDuels = 4

    /// Whether the current pair needs no further sample: a few candidates wait on which it disagrees, or may.
    ///
    /// A sample has one pair. If few samples recur again and again, the first challenger would otherwise use all of
    /// them.
    ///
    /// - Complexity: O(*capacity*) if duels are queried.
    public func hasEnoughDuels(_ rules: AuditQueryRules) -> Bool {
        guard let pair = rules.currentPair else { return false }
        // If more pairs waited than trainers can answer in time, the rest would be settled without a prediction.
        if let most = rules.pendingPredictionLimit, pairings.count(where: { $1.pair == pair && $1.isSilent }) >= most {
            return true
        }
        guard rules.duels > 0 else { return false }
        // A trainer's predictions need time, and arrive for many samples at once.
        guard rules.pendingPredictionLimit == nil else {
            return pairings.count { $1.pair == pair && $1.stratum == .disagree } >= Self.enoughDuels
        }
        return pairings.count { $1.pair == pair && $1.stratum != .agree } >= Self.enoughDuels
    }

    /// Records the predictions of the models of a candidate's pair.
    public mutating func note(_ sample: SampleID, _ pairing: AuditPairing) {
        guard candidates[sample] != nil, pairings[sample] != pairing else { return }
        pairings[sample] = pairing
    }

    mutating func remove(_ sample: SampleID) { drop(sample) }

    /// Removes a candidate that was queried.
    public mutating func drop(_ sample: SampleID) {
        candidates[sample] = nil
        forgetPairing(sample)
    }

    private mutating func forgetPairing(_ sample: SampleID) {
        if pairings[sample] != nil { pairings[sample] = nil }
    }

    /// The candidate that is evicted first from a full table: of those on which the current pair does not disagree, the
    /// one drawn last, unless the others fill more than half of it.
    private func nextEvicted(_ context: SelectionContext) -> AuditRank? {
        let found = candidates.reduce(into: (last: AuditRank?.none, plain: AuditRank?.none, differing: 0)) {
            found,
            id,
            pooled in
            let rank = AuditRank(pooled)
            if found.last.map({ rank < $0 }) ?? true { found.last = rank }
            if let pairing = pairings[id], mayDiffer(pairing, context) {
                found.differing += 1
            } else if found.plain.map({ rank < $0 }) ?? true {
                found.plain = rank
            }
        }
        return found.differing * 2 <= Self.capacity ? found.plain ?? found.last : found.last
    }

    /// Whether the current pair disagrees on a sample, or may still disagree once its challenger has predicted.
    private func mayDiffer(_ pairing: AuditPairing, _ context: SelectionContext) -> Bool {
        pairing.pair != nil && pairing.pair == context.audit.currentPair && pairing.stratum != .agree
    }

    // MARK: - Querying

    func hasCandidates(_ accounts: TaskAccounts, _ context: SelectionContext) -> Bool {
        context.policy.sharesByWindow ? due(0, accounts, context) > 0 : !isEmpty
    }

    /// Number of audit tasks that are due once `training` more tasks for training labels are open; at most the number
    /// of candidates.
    ///
    /// In each window of the budget they are `auditShare` of all tasks, plus or minus one, as long as there are
    /// candidates.
    private func due(_ training: Int, _ accounts: TaskAccounts, _ context: SelectionContext) -> Int {
        guard context.policy.isAudited else { return 0 }
        let first = max(context.auditTasksWanted, context.policy.auditFirst - accounts.schedule.value.auditTasks)
        return min(first.adding(owed(training, accounts, context)), candidates.count)
    }

    /// Returns the number of audit tasks that are due by the share alone, without the first ones.
    private func owed(_ training: Int, _ accounts: TaskAccounts, _ context: SelectionContext) -> Int {
        guard context.policy.isAudited else { return 0 }
        // The tolerance makes a share of a fifth owed a whole task after exactly four, however the sum is rounded.
        let owed = accounts.schedule.value.auditOwed + Double(training) * context.policy.auditRatio + 1e-9
        return min(Int(max(0, owed)), candidates.count)
    }

    /// Number of tasks for training labels, at most `most`, that leaves capacity for the audit tasks that become due
    /// with them. The first audit tasks use only the remaining capacity: they would block every training task if few
    /// may be open.
    ///
    /// - Complexity: O(*most*).
    func trainingTasks(_ most: Int, of affordable: Int, _ accounts: TaskAccounts, _ context: SelectionContext) -> Int {
        guard context.policy.sharesByWindow else { return most }
        var count = max(0, most)
        while count > 0, count + owed(count, accounts, context) > affordable { count -= 1 }
        // If one more task makes an audit task due for which there is no capacity, the task uses the capacity, and the
        // audit task stays owed.
        if count < most, count + owed(count, accounts, context) < affordable { count += 1 }
        return count
    }

    /// Number of audit tasks that keep their share of all tasks once this batch is opened, as far as their samples may
    /// be queried yet.
    func allowance(_ room: BatchRoom, _ accounts: TaskAccounts, _ context: SelectionContext) -> Int {
        queryable(wanted(room, accounts, context), context)
    }

    private func wanted(_ room: BatchRoom, _ accounts: TaskAccounts, _ context: SelectionContext) -> Int {
        if context.policy.sharesByWindow { return min(due(room.training, accounts, context), room.affordable) }
        // No other source has samples to query: the audit sample may fill the whole batch.
        guard room.isShared else { return min(context.policy.batchSize, candidates.count, room.affordable) }
        let schedule = accounts.schedule.value
        let share = min(max(context.policy.auditShare, 0), 0.9)
        let acquisition = Double(schedule.acquisitionTasks + room.tasks)
        let wanted = Int(acquisition * share / (1 - share)) - schedule.auditTasks
        return min(max(0, wanted), candidates.count, max(1, context.policy.batchSize), room.affordable)
    }

    /// Number of tasks, at most `count`, whose samples need not wait for a challenger.
    private func queryable(_ count: Int, _ context: SelectionContext) -> Int {
        guard count > 0, !pairings.isEmpty else { return count }
        let waiting = pairings.count { !$1.isSettled(at: context.time, wait: context.audit.wait) }
        return min(count, candidates.count - waiting)
    }

    /// Selects samples to query.
    ///
    /// - Parameters:
    ///   - count: Above 0, and no more than may be queried.
    ///   - accounts: Accounts of the tasks.
    ///   - context: The current context.
    /// - Returns: Distinct samples, in the order in which their tasks open.
    /// - Complexity: O(*capacity* log *capacity*).
    public mutating func select(
        _ count: Int,
        _ accounts: inout TaskAccounts,
        _ context: SelectionContext
    ) -> [Selection] {
        guard !pairings.isEmpty else {
            return candidates.smallest(count) { AuditDrawOrder($1) }.compactMap { candidates[$0.id] }
                .map { selection($0, nil) }
        }
        var order = AuditOrder(self, context)
        var selections: [Selection] = []
        var credit = accounts.schedule.value.duelCredit
        while selections.count < count {
            // The tolerance makes a share of three quarters exactly three of four, however the sum is rounded.
            credit += context.audit.duels
            let duel = credit > 1 - 1e-9 ? order.nextDuel() : nil
            guard let id = duel ?? order.next(), let pooled = candidates[id] else { break }
            if duel != nil { credit -= 1 }
            credit = min(1, max(0, credit))
            selections.append(selection(pooled, origin(id, pooled, isDuel: duel != nil)))
        }
        if accounts.schedule.value.duelCredit != credit { accounts.schedule.value.duelCredit = credit }
        return selections
    }

    private func origin(_ id: SampleID, _ pooled: PooledCandidate, isDuel: Bool) -> AuditOrigin {
        let pairing = pairings[id]
        let entered = pairing?.enteredAt ?? pooled.candidate.predictedAt
        let day = Int((Double(entered.milliseconds) / 86_400_000).rounded(.down))
        return AuditOrigin(isDuel: isDuel, stratum: pairing?.settled ?? .unknown, day: day)
    }

    private func selection(_ pooled: PooledCandidate, _ origin: AuditOrigin?) -> Selection {
        pooled.selection(
            purpose,
            strategy: "audit",
            // Not the draw: with knowledge of draws the audit sample could be guessed.
            score: pooled.candidate.auditProbability ?? 0,
            inclusionProbability: pooled.candidate.auditProbability,
            propensity: pooled.candidate.auditProbability,
            audit: origin
        )
    }

    /// Audit tasks keep their share of all tasks: if none is due, only a further entry can make one due. If all that
    /// are due wait for a challenger, they can be queried when the earliest wait ends.
    func nextQueryTime(_ room: BatchRoom, _ accounts: TaskAccounts, _ context: SelectionContext) -> NextQueryTime {
        let wanted = wanted(room, accounts, context)
        guard wanted > 0 else { return .never }
        if queryable(wanted, context) > 0 { return .afterMaximumWait }
        let ends = pairings.reduce(into: Int64.max) { earliest, _, pairing in
            guard pairing.isSilent else { return }
            earliest = min(earliest, pairing.waitDeadline(context.audit.wait).milliseconds)
        }
        return .at(StreamTime(milliseconds: max(ends, context.time.milliseconds)))
    }
}

/// Audit candidates in the order in which they are queried.
private struct AuditOrder {
    private let plain: [SampleID]
    private let duels: [SampleID]
    private var taken: Set<SampleID> = []
    private var (plainNext, duelNext) = (0, 0)

    init(_ source: AuditSource, _ context: SelectionContext) {
        let age = context.policy.auditAge
        let order = source.candidates.sortedRows.compactMap { id, pooled -> (isOld: Bool, draw: AuditDrawOrder)? in
            let pairing = source.pairings[id]
            guard pairing?.isSettled(at: context.time, wait: context.audit.wait) ?? true else { return nil }
            let entered = pairing?.enteredAt ?? pooled.candidate.predictedAt
            let isOld = age > 0 && context.time.milliseconds(since: entered) > age
            return (isOld, AuditDrawOrder(pooled))
        }.sorted { $0.isOld != $1.isOld ? $1.isOld : $0.draw < $1.draw }
        plain = order.map(\.draw.id)
        duels = plain.filter { id in
            guard let pairing = source.pairings[id], pairing.pair != nil else { return false }
            return pairing.pair == context.audit.currentPair && pairing.settled == .disagree
        }
    }

    /// Returns the next sample on which the current pair disagrees; nil where there is none left.
    mutating func nextDuel() -> SampleID? { Self.next(duels, &duelNext, &taken) }

    /// Returns the next of all samples; nil where there is none left.
    mutating func next() -> SampleID? { Self.next(plain, &plainNext, &taken) }

    private static func next(_ ids: [SampleID], _ index: inout Int, _ taken: inout Set<SampleID>) -> SampleID? {
        while index < ids.count {
            let id = ids[index]
            index += 1
            if taken.insert(id).inserted { return id }
        }
        return nil
    }
}
