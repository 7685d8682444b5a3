internal import Statistics
internal import Strategies
internal import Tables
internal import Vocabulary

/// Composition of a batch from the whole pool, from edition 2 on.
extension PoolSource {
    /// Selects the training part of a batch: a rule chooses from the window that a walk down the ranking collects.
    ///
    /// - Returns: At most `count` distinct selections, those selected at random last.
    mutating func takeByWalk(
        _ count: Int,
        accounts: TaskAccounts,
        quotas: SliceQuotas?,
        in context: SelectionContext
    ) -> [Selection] {
        let policy = context.policy
        var rooms = quotas.map { SliceRooms($0) }
        var explored: [(pooled: PooledCandidate, propensity: Double)] = []
        let level = accounts.confidentErrors.level.value
        if policy.explorationShare(extra: level.extra) > 0 {
            let all = candidates.sortedRows.map(\.value).filter { $0.setAside != .known }
            let ranked = all.sorted { $1.isLessUseful(than: $0) }
            explored = explore(count, quotas?.filter(ranked) ?? ranked, level: level, context)
        }
        for (pooled, _) in explored { _ = rooms?.take(pooled.candidate.sample) }
        var chosen: [Selection] = []
        if explored.count < count {
            let wanted = count - explored.count
            let rule = rule(wanted, labels: accounts.schedule.value.trainingSamples, policy)
            let window = window(
                of: wanted,
                by: rule,
                leavingOut: Set(explored.map(\.pooled.candidate.sample.id)),
                rooms: rooms,
                in: context
            )
            chosen = selections(window.choose(wanted, seed: context.entry.seed), of: window, policy)
        }
        return chosen
            + explored.map { $0.pooled.selection(purpose, strategy: "exploration", propensity: $0.propensity) }
    }

    /// The rule in force: that of the cold start while the model knows too little.
    private mutating func rule(_ count: Int, labels: Int, _ policy: AcquisitionPolicy) -> BatchRule {
        guard policy.isDiverse, policy.function != .random else { return .top }
        var rule = policy.batch.rule
        if let cold = policy.batch.coldStart.rule, isColdByShares(labels, policy) { rule = cold }
        return rule.affordable(count)
    }

    /// The candidates that a rule considers: the highest utilities of the pool, or an even spread over them. A
    /// candidate is excluded if it is near to a queried sample or to a better candidate, is among unanswerable samples,
    /// is an outlier, or has no free capacity in its quota; all but the last kind follow at the end if there are too
    /// few others.
    private mutating func window(
        of count: Int,
        by rule: BatchRule,
        leavingOut left: Set<SampleID>,
        rooms: SliceRooms?,
        in context: SelectionContext
    ) -> RankedCandidates {
        let policy = context.policy
        let width = rule.width(count, policy)
        var cursor = RankingCursor(
            self,
            width: width,
            count: count,
            leavingOut: left,
            policy,
            at: context.time
        )
        var rooms = rooms
        var builder = WindowBuilder(rule, width.candidates, policy, at: context.time)
        while builder.wantsMore, let pooled = cursor.nextWaiting(in: &self) {
            builder.add(pooled, experience.known.rows)
        }
        builder.settle(experience.known.rows)
        while builder.isUndecided(cursor.bound(in: self)), let pooled = cursor.nextWaiting(in: &self) {
            builder.add(pooled, experience.known.rows)
        }
        builder.order()
        builder.accept(&rooms)
        while !builder.isFull, let pooled = cursor.nextWaiting(in: &self) {
            builder.add(pooled, experience.known.rows)
            builder.accept(&rooms)
        }
        // Unanswerable samples are ranked before known ones and few of them are selected: the walk continues after
        // them, since the batch would otherwise stay short.
        let better = builder.accepted.count + builder.last.count
        var sunk = cursor.foundAside.filter { $0.setAside == .unanswerable }
        var others = cursor.foundAside.filter { $0.setAside == .known }
        func isShort() -> Bool {
            better + others.count + min(sunk.count, Self.mostUnanswerable(beside: better + others.count)) < count
        }
        while isShort(), let pooled = cursor.nextAside(in: self) {
            if pooled.setAside == .unanswerable { sunk.append(pooled) } else { others.append(pooled) }
        }
        func hasRoom(_ pooled: PooledCandidate) -> Bool { rooms?.take(pooled.candidate.sample) ?? true }
        var last = builder.last.filter(hasRoom)
        others = others.filter(hasRoom)
        let most = Self.mostUnanswerable(beside: builder.accepted.count + last.count + others.count)
        var few: [PooledCandidate] = []
        for pooled in sunk where few.count < most && hasRoom(pooled) { few.append(pooled) }
        last += few + others
        return builder.window(last)
    }

    /// Number of samples among unanswerable ones that a batch with `others` other samples may contain: one in ten, or
    /// one if there are no others. People's time is thus not spent on them once all others were queried, and a region
    /// that was wrongly reported is tested again.
    private static func mostUnanswerable(beside others: Int) -> Int { others > 0 ? others / 9 : 1 }
}

/// Tasks that the quotas of slices still have capacity for, as candidates use it.
struct SliceRooms {
    private let quotas: SliceQuotas
    private var rooms: [String: Int] = [:]

    init(_ quotas: SliceQuotas) { self.quotas = quotas }

    /// Uses capacity for a sample; returns false, and uses none, if its slice has none.
    mutating func take(_ sample: Sample) -> Bool {
        let name = quotas.account(of: sample)
        let left = rooms[name] ?? quotas.room(name)
        guard left > 0 else {
            rooms[name] = 0
            return false
        }
        rooms[name] = left - 1
        return true
    }
}
