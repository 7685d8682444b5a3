internal import Statistics
internal import Tables
internal import Vocabulary

/// How a batch is put together from the pool.
extension AcquisitionState {
    /// The training part of a batch.
    ///
    /// - Parameters:
    ///   - count: Samples wanted.
    ///   - votesPerTask: The most votes that a task may take; slices have quotas of votes.
    ///   - policy: The revision in force.
    ///   - context: The entry that gives the time and seeds the choice.
    /// - Returns: At most `count` distinct selections, those drawn by chance last.
    mutating func chooseAcquisition(
        _ count: Int,
        _ votesPerTask: Int,
        _ policy: AcquisitionPolicy,
        _ context: EntryContext
    ) -> [Selection] {
        guard count > 0, !isPoolBlocked(quotas(votesPerTask, policy, at: context.time)) else { return [] }
        if let stream = policy.stream {
            return takeStreamed(count, votesPerTask: votesPerTask, policy: policy, at: context.time).map {
                Self.selection($0, strategy: stream.strategy.rawValue, propensity: $0.propensity)
            }
        }
        var left: Set<SampleID> = []
        var explored: [(pooled: PooledCandidate, propensity: Double)] = []
        if policy.slices != nil || policy.explorationShare > 0 {
            let all = pool.sortedRows.map(\.value).sorted { Self.isLessUseful($1, $0) }
            let ranked = withinQuota(all, votesPerTask: votesPerTask, policy: policy, at: context.time)
            explored = chooseExploration(count, ranked, policy, context)
            if ranked.count < all.count {
                left = Set(all.map(\.candidate.sample.id)).subtracting(ranked.map(\.candidate.sample.id))
            }
            left.formUnion(explored.map(\.pooled.candidate.sample.id))
        }
        let chosen = chooseByUtility(count - explored.count, leavingOut: left, policy, context)
        return chosen + explored.map { Self.selection($0.pooled, strategy: "exploration", propensity: $0.propensity) }
    }

    /// Where a candidate stands: of the newest model first, of equals the highest utility, of equals the lower id.
    private struct Rank: Comparable {
        let ordinal: Int
        let utility: Double
        let id: SampleID

        static func < (a: Rank, b: Rank) -> Bool {
            if a.ordinal != b.ordinal { return a.ordinal > b.ordinal }
            return a.utility != b.utility ? a.utility > b.utility : a.id < b.id
        }
    }

    private func chooseByUtility(
        _ count: Int,
        leavingOut left: Set<SampleID>,
        _ policy: AcquisitionPolicy,
        _ context: EntryContext
    ) -> [Selection] {
        guard count > 0 else { return [] }
        let isSpread = policy.isDiverse && policy.function != .random
        var rule = isSpread ? policy.batch.rule : .top
        if isSpread, let cold = policy.batch.coldStart.rule, isCold(policy) { rule = cold }
        rule = rule.affordable(count)
        let width = rule.width(count, policy)
        // Of a large pool the certain ones are left out: to sort them all costs more than they are worth.
        let reach = width.isSpreadOverAll ? 4 * width.candidates : width.candidates
        let wanted = min(pool.count, reach + left.count)
        var ranks = pool.least(wanted) { id, pooled in
            let utility = Utility.value(pooled.candidate, policy, at: context.time)
            return Rank(ordinal: pooled.modelOrdinal, utility: utility, id: id)
        }
        if !left.isEmpty { ranks.removeAll { left.contains($0.id) } }
        guard !ranks.isEmpty else { return [] }
        if width.isSpreadOverAll { ranks = Self.spread(ranks, over: width.candidates, atLeast: 2 * count) }
        let ranked = ranks.prefix(width.candidates).compactMap { pool[$0.id] }
        let window = RankedCandidates(ranked, rule: rule, memory: memory, policy: policy, at: context.time)
        let choice = window.choose(count, seed: context.seed)
        return choice.indices.map { index in
            let pooled = window.ranked[index]
            let isCold = pooled.candidate.output == nil && policy.function != .random && policy.function != .provided
            let score = isCold ? "cold_start" : policy.function.rawValue
            return Self.selection(
                pooled,
                strategy: choice.rule == .top ? score : score + "+" + choice.rule.rawValue,
                // What a draw among so many comes to is not worked out.
                propensity: choice.rule.drawsEvery ? nil : 1,
                utility: window.utilities[index]
            )
        }
    }

    /// Of the newest model's candidates, if there are enough, so many at even distances: the highest is among them.
    private static func spread(_ ranks: [Rank], over limit: Int, atLeast enough: Int) -> [Rank] {
        let newest = ranks.prefix { $0.ordinal == ranks[0].ordinal }
        let usable = newest.count >= enough ? Array(newest) : ranks
        guard usable.count > limit else { return usable }
        return (0..<limit).map { usable[$0 * usable.count / limit] }
    }

    /// Whether the newest model has seen too few labels for its uncertainty to mean much: fewer than `handover` for each class
    /// that it tells apart, counted as the perplexity of what it says of the pool on average.
    ///
    /// - Complexity: O(*n* · *k*), over at most 512 candidates once they are in order.
    private func isCold(_ policy: AcquisitionPolicy) -> Bool {
        let labels = Double(cadence.value.acquisitionTasks)
        if isSurelyWarm(labels, policy) { return false }
        let ids = pool.least(BatchRule.windowLimit) { id, pooled in
            Rank(ordinal: pooled.modelOrdinal, utility: 0, id: id)
        }
        guard let newest = ids.first else { return true }
        var mass: [Double] = []
        var outputs = 0.0
        for rank in ids where rank.ordinal == newest.ordinal {
            guard let output = pool[rank.id]?.candidate.output else { continue }
            outputs += 1
            for entry in output.entries {
                while mass.count <= entry.label.rawValue { mass.append(0) }
                mass[entry.label.rawValue] += entry.probability
            }
        }
        guard outputs > 0 else { return true }
        var entropy = 0.0
        for sum in mass { entropy += Entropy.term(sum / outputs) }
        return labels < policy.batch.handover * Reproducible.exp(entropy)
    }

    /// Whether there are labels enough even if the model told as many classes apart as it names at all: no need to know how
    /// well it does.
    ///
    /// The perplexity of shares that sum to at most 1.01 over *k* classes, at most 10,000, is below 2 *k*.
    private func isSurelyWarm(_ labels: Double, _ policy: AcquisitionPolicy) -> Bool {
        let outputs = pool.gather(into: PoolOutputs()) { $0.take($1, $2) }
        return outputs.isJudged && labels >= policy.batch.handover * 2 * Double(outputs.classes)
    }

    /// What models say of the pool, without a look at how much.
    private struct PoolOutputs {
        private var newest = Int.min
        private var unjudged = 0
        /// No fewer than the classes that any output names.
        private(set) var classes = 0
        /// Whether there is a candidate, and the newest model has said something of each of its own.
        var isJudged: Bool { newest > .min && unjudged == 0 }

        mutating func take(_: SampleID, _ pooled: PooledCandidate) {
            if pooled.modelOrdinal > newest { (newest, unjudged) = (pooled.modelOrdinal, 0) }
            guard let output = pooled.candidate.output else {
                if pooled.modelOrdinal == newest { unjudged += 1 }
                return
            }
            for entry in output.entries { classes = max(classes, entry.label.rawValue + 1) }
        }
    }

    // MARK: - Memory

    /// Remembers where a sample lies that is asked for; the oldest gives way.
    mutating func remember(_ sample: Sample, _ policy: BatchPolicy) {
        // A smaller memory after a revision: what lies beyond it goes.
        if memory.count > policy.memory {
            for slot in memory.sortedKeys where slot >= policy.memory { memory[slot] = nil }
        }
        guard policy.memory > 0, let sketch = sample.embedding.flatMap({ EmbeddingSketch($0) }) else { return }
        memory[cadence.value.acquisitionTasks % policy.memory] = sketch
    }
}
