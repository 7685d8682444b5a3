internal import Statistics
internal import Strategies
internal import Tables
internal import Vocabulary

/// Composition of a batch from the whole pool, from edition 2 on.
extension PoolSource {
    /// Selects the training part of a batch: a rule chooses from the window that a walk down the ranking collects.
    ///
    /// - Returns: At most `count` distinct selections, those selected at random last.
    mutating func selectByWalk(
        _ count: Int,
        accounts: TaskAccounts,
        quotas: SliceQuotas?,
        in context: SelectionContext
    ) -> [Selection] {
        let policy = context.policy
        var capacity = quotas.map { SliceCapacity($0) }
        var explored: [(pooled: PooledCandidate, propensity: Double)] = []
        let level = accounts.confidentErrors.level.value
        if policy.explorationShare(extra: level.extra) > 0 {
            let all = candidates.sortedRows.map(\.value).filter { $0.setAside != .known }
            let ranked = all.sorted { $1.isLessUseful(than: $0) }
            explored = explore(count, quotas?.filter(ranked) ?? ranked, level: level, context)
        }
        for (pooled, _) in explored { _ = capacity?.reserve(pooled.candidate.sample) }
        var chosen: [Selection] = []
        if explored.count < count {
            let wanted = count - explored.count
            let rule = rule(wanted, labels: accounts.schedule.value.trainingSamples, policy)
            let window = window(
                of: wanted,
                by: rule,
                excluding: Set(explored.map(\.pooled.candidate.sample.id)),
                capacity: capacity,
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
        excluding excluded: Set<SampleID>,
        capacity: SliceCapacity?,
        in context: SelectionContext
    ) -> RankedCandidates {
        let policy = context.policy
        let width = rule.width(count, policy)
        var cursor = RankingCursor(
            self,
            width: width,
            count: count,
            excluding: excluded,
            policy,
            at: context.time
        )
        var capacity = capacity
        var builder = WindowBuilder(rule, width.candidates, policy, at: context.time)
        while builder.wantsMore, let pooled = cursor.nextWaiting(in: &self) {
            builder.add(pooled, sampleCache.known.rows)
        }
        builder.settle(sampleCache.known.rows)
        while builder.isUndecided(cursor.bound(in: self)), let pooled = cursor.nextWaiting(in: &self) {
            builder.add(pooled, sampleCache.known.rows)
        }
        builder.order()
        builder.accept(&capacity)
        while !builder.isFull, let pooled = cursor.nextWaiting(in: &self) {
            builder.add(pooled, sampleCache.known.rows)
            builder.accept(&capacity)
        }
        // Unanswerable samples are ranked before known ones and few of them are selected: the walk continues after
        // them, since the batch would otherwise stay short.
        let better = builder.accepted.count + builder.deferred.count
        var nearUnanswerable = cursor.foundSetAside.filter { $0.setAside == .unanswerable }
        var others = cursor.foundSetAside.filter { $0.setAside == .known }
        func isShort() -> Bool {
            better + others.count + min(nearUnanswerable.count, Self.mostUnanswerable(beside: better + others.count))
                < count
        }
        while isShort(), let pooled = cursor.nextSetAside(in: self) {
            if pooled.setAside == .unanswerable { nearUnanswerable.append(pooled) } else { others.append(pooled) }
        }
        func hasRoom(_ pooled: PooledCandidate) -> Bool { capacity?.reserve(pooled.candidate.sample) ?? true }
        var fallback = builder.deferred.filter(hasRoom)
        others = others.filter(hasRoom)
        let most = Self.mostUnanswerable(beside: builder.accepted.count + fallback.count + others.count)
        var admitted: [PooledCandidate] = []
        for pooled in nearUnanswerable where admitted.count < most && hasRoom(pooled) { admitted.append(pooled) }
        fallback += admitted + others
        return builder.window(fallback)
    }

    /// Number of samples among unanswerable ones that a batch with `others` other samples may contain: one in ten, or
    /// one if there are no others. People's time is thus not spent on them once all others were queried, and a region
    /// that was wrongly reported is tested again.
    private static func mostUnanswerable(beside others: Int) -> Int { others > 0 ? others / 9 : 1 }
}

/// Tasks that the quotas of slices still have capacity for, as candidates use it.
struct SliceCapacity {
    private let quotas: SliceQuotas
    private var remaining: [String: Int] = [:]

    init(_ quotas: SliceQuotas) { self.quotas = quotas }

    /// Uses capacity for a sample; returns false, and uses none, if its slice has none.
    mutating func reserve(_ sample: Sample) -> Bool {
        let name = quotas.account(of: sample)
        let left = remaining[name] ?? quotas.capacity(ofAccount: name)
        guard left > 0 else {
            remaining[name] = 0
            return false
        }
        remaining[name] = left - 1
        return true
    }
}
