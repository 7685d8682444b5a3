internal import Statistics
internal import Strategies
internal import Tables
internal import Vocabulary

/// Composition of a batch from the pool.
extension PoolSource {
    /// Selects the training part of a batch.
    ///
    /// - Returns: At most `count` distinct selections, those selected at random last.
    mutating func select(_ count: Int, _ accounts: inout TaskAccounts, _ context: SelectionContext) -> [Selection] {
        let policy = context.policy
        let quotas = accounts.quotas(context)
        if policy.edition >= 2, policy.stream == nil {
            return selectByWalk(count, accounts: accounts, quotas: quotas, in: context)
        }
        if let stream = policy.stream {
            return selectStreamed(count, quotas).map {
                $0.selection(purpose, strategy: stream.strategy.rawValue, propensity: $0.propensity)
            }
        }
        var excluded: Set<SampleID> = []
        var explored: [(pooled: PooledCandidate, propensity: Double)] = []
        if policy.slices != nil || policy.explorationShare > 0 {
            let all = candidates.sortedRows.map(\.value).sorted { $1.isLessUseful(than: $0) }
            let ranked = quotas?.filter(all) ?? all
            explored = explore(count, ranked, context)
            if ranked.count < all.count {
                excluded = Set(all.map(\.candidate.sample.id)).subtracting(ranked.map(\.candidate.sample.id))
            }
            excluded.formUnion(explored.map(\.pooled.candidate.sample.id))
        }
        let labels = accounts.schedule.value.trainingSamples
        let chosen = chooseByUtility(count - explored.count, excluding: excluded, labels: Double(labels), context)
        return chosen
            + explored.map { $0.pooled.selection(purpose, strategy: "exploration", propensity: $0.propensity) }
    }

    /// Selects the part of a batch that is selected at random: no score finds a class that the model is wrongly sure to
    /// know.
    ///
    /// First the share in the policy is drawn, from all candidates that Intake forwarded at random. Then the share that
    /// confident errors add is drawn, from the candidates that the newest model is sure belong to the classes in
    /// question: the errors are among those.
    ///
    /// - Parameters:
    ///   - count: Tasks of the batch.
    ///   - ranked: Candidates, those of the newest model first.
    ///   - level: Exploration that confident errors add.
    ///   - context: Context of the entry.
    /// - Returns: Candidates, each with the probability of its draw among those that could have been drawn then.
    func explore(
        _ count: Int,
        _ ranked: [PooledCandidate],
        level: ExplorationLevel = ExplorationLevel(),
        _ context: SelectionContext
    ) -> [(pooled: PooledCandidate, propensity: Double)] {
        let policy = context.policy
        let share = policy.explorationShare(extra: level.extra)
        guard policy.function != .random, share > 0, let newest = ranked.first?.modelVersionNumber else { return [] }
        var generator = SplitMix64(seed: context.entry.seed ^ 0x6578_706C_6F72_6521)
        var drawn: [(pooled: PooledCandidate, propensity: Double)] = []
        func draw(_ wanted: Int, of candidates: [PooledCandidate]) {
            let wanted = min(wanted, candidates.count)
            guard wanted > 0 else { return }
            let propensity = Double(wanted) / Double(candidates.count)
            let indices = SeededSampling.distinctIndices(wanted, of: candidates.count, using: &generator)
            drawn += indices.map { (candidates[$0], propensity) }
        }
        let configured = Int((policy.explorationShare * Double(count)).rounded())
        draw(configured, of: ranked.filter { $0.candidate.isExploration && $0.modelVersionNumber == newest })
        let added = Int((share * Double(count)).rounded()) - configured
        guard added > 0 else { return drawn }
        let drawnIDs = Set(drawn.map(\.pooled.candidate.sample.id))
        let sure = ranked.filter { pooled in
            pooled.modelVersionNumber == newest && level.isSure(pooled.candidate, policy, classes: context.classes)
                && !drawnIDs.contains(pooled.candidate.sample.id)
        }
        // Intake forwards more at random once it knows that more is wanted; a pool with free capacity holds others,
        // too.
        let forwardedAtRandom = sure.filter(\.candidate.isExploration)
        draw(added, of: forwardedAtRandom.count < added ? sure : forwardedAtRandom)
        return drawn
    }

    /// Rank of a candidate. The sort keys are, in this order: the reason for setting it aside (such candidates are
    /// last), the model's version number (newest first), the utility (highest first) and the id (lowest first).
    struct Rank: Comparable {
        var setAside = 0
        let versionNumber: Int
        let utility: Double
        let id: SampleID

        static func < (a: Rank, b: Rank) -> Bool {
            if a.setAside != b.setAside { return a.setAside < b.setAside }
            if a.versionNumber != b.versionNumber { return a.versionNumber > b.versionNumber }
            return a.utility != b.utility ? a.utility > b.utility : a.id < b.id
        }
    }

    private func chooseByUtility(
        _ count: Int,
        excluding excluded: Set<SampleID>,
        labels: Double,
        _ context: SelectionContext
    ) -> [Selection] {
        guard count > 0 else { return [] }
        let policy = context.policy
        let isSpread = policy.isDiverse && policy.function != .random
        var rule = isSpread ? policy.batch.rule : .top
        if isSpread, let cold = policy.batch.coldStart.rule, isCold(labels, policy) { rule = cold }
        rule = rule.affordable(count)
        let width = rule.width(count, policy)
        // In a large pool only the first ranks are computed: sorting all candidates costs more than it gains.
        let reach = width.isSpreadOverAll ? 4 * width.candidates : width.candidates
        let wanted = min(candidates.count, reach + excluded.count)
        var ranks = candidates.smallest(wanted) { id, pooled in
            let utility = Utility.value(pooled, policy, at: context.time)
            return Rank(versionNumber: pooled.modelVersionNumber, utility: utility, id: id)
        }
        if !excluded.isEmpty { ranks.removeAll { excluded.contains($0.id) } }
        guard !ranks.isEmpty else { return [] }
        if width.isSpreadOverAll { ranks = Self.spread(ranks, over: width.candidates, atLeast: 2 * count) }
        let ranked = ranks.prefix(width.candidates).compactMap { candidates[$0.id] }
        let window = RankedCandidates(
            ranked,
            rule: rule,
            queriedSketches: queriedSketches,
            policy: policy,
            at: context.time
        )
        let choice = window.choose(count, seed: context.entry.seed)
        return selections(choice, of: window, policy)
    }

    /// Converts the choice from a window into the selections that tasks are opened for.
    func selections(
        _ choice: (indices: [Int], rule: BatchRule),
        of window: RankedCandidates,
        _ policy: AcquisitionPolicy
    ) -> [Selection] {
        choice.indices.map { index in
            let pooled = window.ranked[index]
            let isCold = pooled.candidate.output == nil && policy.function != .random && policy.function != .provided
            let score = isCold ? "cold_start" : policy.function.rawValue
            return pooled.selection(
                purpose,
                strategy: choice.rule == .top ? score : score + "+" + choice.rule.rawValue,
                score: window.utilities[index].value,
                // The propensity of a draw among so many is not computed.
                propensity: choice.rule.drawsEverySample ? nil : 1,
                parts: window.utilities[index].parts
            )
        }
    }

    /// Returns `limit` ranks at even distances, the highest among them, of the newest model's candidates if there
    /// are enough of them, else of all.
    static func spread(_ ranks: [Rank], over limit: Int, atLeast enough: Int) -> [Rank] {
        let newest = ranks.prefix { $0.versionNumber == ranks[0].versionNumber }
        let usable = newest.count >= enough ? Array(newest) : ranks
        guard usable.count > limit else { return usable }
        return (0..<limit).map { usable[$0 * usable.count / limit] }
    }
}
