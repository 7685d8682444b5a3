internal import Statistics
internal import Strategies
internal import Tables
internal import Vocabulary

/// The candidates that a batch is chosen from, in order of utility, with all data that a rule uses.
struct RankedCandidates {
    private(set) var ranked: [PooledCandidate]
    private(set) var utilities: [Utility]
    private let rule: BatchRule
    private let policy: AcquisitionPolicy
    private var points: PointMatrix?
    private var known: PointMatrix?
    /// Number of candidates at the end of `ranked` that are chosen only where those before them do not fill the
    /// batch.
    private var duplicates = 0

    /// - Parameters:
    ///   - ranked: Candidates in order of the parts of utility that need no other candidate.
    ///   - rule: Rule by which the batch is chosen.
    ///   - queriedSketches: Sketches of queried samples.
    ///   - policy: The revision in force.
    ///   - time: Time of the entry.
    package init(
        _ ranked: [PooledCandidate],
        rule: BatchRule,
        queriedSketches: Table<Int, EmbeddingSketch>,
        policy: AcquisitionPolicy,
        at time: StreamTime
    ) {
        self.ranked = ranked
        self.rule = rule
        self.policy = policy
        utilities = ranked.map { Utility($0.candidate, policy, at: time) }
        guard policy.isDiverse, policy.function != .random else { return }
        let embeddings = ranked.compactMap(\.candidate.sample.embedding)
        guard !embeddings.isEmpty, embeddings.count == ranked.count else { return }
        // After folding, embeddings of different dimensions could not be distinguished.
        let dimension = embeddings[0].count
        guard embeddings.allSatisfy({ $0.count == dimension }) else { return }
        // A sketch of an embedding has at most `EmbeddingSketch.limit` coordinates; if embeddings are compared with
        // sketches, both are folded.
        let isLarge = dimension > EmbeddingSketch.limit
        let isFolded = isLarge && rule.comparesWithKnown
        points = PointMatrix(isFolded ? embeddings.map { EmbeddingSketch.fold($0) } : embeddings)
        guard let points else { return }
        var comparable = points
        if isLarge, !isFolded, policy.batch.weights.novelty > 0 || policy.batch.duplicateDistance > 0 {
            comparable = PointMatrix(embeddings.map { EmbeddingSketch.fold($0) }) ?? points
        }
        let known = PointMatrix(
            queriedSketches,
            slots: policy.batch.memory,
            dimension: dimension,
            scale: comparable.scale
        )
        if !isLarge || isFolded { self.known = known }
        compose(Neighbourhood(points: comparable, known: known), in: Neighbourhood(points: points, known: nil))
    }

    /// Creates the candidates of a window in which no two are near, from edition 2 on.
    ///
    /// - Parameters:
    ///   - window: Candidates in order, with all parts of utility but density.
    ///   - fallback: Candidates that fill a batch that the window cannot fill, in order.
    ///   - points: Embeddings of the window's candidates; nil if embeddings are missing.
    ///   - known: Embeddings of the queried samples, in the same scale; nil if they cannot be compared.
    ///   - spread: Spread that `density` is computed with.
    ///   - isReordered: Whether the order of utilities differs from that of the ranking.
    ///   - rule: Rule by which the batch is chosen.
    ///   - policy: The revision in force.
    init(
        _ window: [(pooled: PooledCandidate, utility: Utility)],
        fallback: [(pooled: PooledCandidate, utility: Utility)],
        points: PointMatrix?,
        known: PointMatrix?,
        spread: Double,
        isReordered: Bool,
        rule: BatchRule,
        policy: AcquisitionPolicy
    ) {
        self.rule = rule
        self.policy = policy
        self.known = known
        duplicates = fallback.count
        var utilities = window.map(\.utility)
        let weight = policy.batch.weights.density
        if weight > 0, let points {
            let density = Neighbourhood(points: points, known: nil).density(spread: spread)
            for (index, part) in density.enumerated() { utilities[index].include(.density, part, weight) }
        }
        var order = Array(window.indices)
        if isReordered || (weight > 0 && points != nil) {
            order.sort { a, b in
                utilities[a].value != utilities[b].value ? utilities[a].value > utilities[b].value : a < b
            }
            self.points = points?.rows(order)
        } else {
            self.points = points
        }
        ranked = order.map { window[$0].pooled } + fallback.map(\.pooled)
        self.utilities = order.map { utilities[$0] } + fallback.map(\.utility)
    }

    /// Counts the parts of utility that depend on the other candidates, and sorts all candidates again.
    ///
    /// - Parameters:
    ///   - neighbourhood: The candidates in the space of the known samples.
    ///   - densityNeighbourhood: The candidates in the space of their embeddings.
    private mutating func compose(_ neighbourhood: Neighbourhood, in densityNeighbourhood: Neighbourhood) {
        let weights = policy.batch.weights
        if weights.novelty > 0 {
            for (index, part) in neighbourhood.novelty.enumerated() {
                utilities[index].include(.novelty, part, weights.novelty)
            }
        }
        if weights.density > 0 {
            for (index, part) in densityNeighbourhood.density.enumerated() {
                utilities[index].include(.density, part, weights.density)
            }
        }
        let isDuplicate = neighbourhood.duplicates(within: policy.batch.duplicateDistance)
        let isReordered = weights.novelty > 0 || weights.density > 0
        duplicates = isDuplicate.count { $0 }
        guard isReordered || duplicates > 0 else { return }
        let order = ranked.indices.sorted { a, b in
            if isDuplicate[a] != isDuplicate[b] { return isDuplicate[b] }
            guard isReordered, utilities[a].value != utilities[b].value else { return a < b }
            return utilities[a].value > utilities[b].value
        }
        ranked = order.map { ranked[$0] }
        utilities = order.map { utilities[$0] }
        points = points?.rows(order)
    }

    /// Chooses a batch.
    ///
    /// - Parameters:
    ///   - count: Samples wanted, above 0.
    ///   - seed: Seed of the random choices.
    /// - Returns: Indices into `ranked`, and the rule that chose: `top` if embeddings are required and missing.
    func choose(_ count: Int, seed: UInt64) -> (indices: [Int], rule: BatchRule) {
        let rule = rule.needsEmbeddings && points == nil ? .top : rule
        let fresh = ranked.count - duplicates
        // Duplicates are selected only to fill a batch for which there are too few other candidates.
        guard fresh > count else { return (Array(ranked.indices.prefix(count)), rule) }
        let first = Array(0..<fresh)
        let window = CandidateWindow(
            utilities: first.map { isJudged(ranked[$0].candidate) ? utilities[$0].value : 1 },
            outputs: first.map { ranked[$0].candidate.output },
            points: duplicates > 0 && points?.count != fresh ? points?.rows(first) : points,
            known: known
        )
        var generator = SplitMix64(seed: seed)
        return (rule.strategy(policy.batch).select(count, from: window, using: &generator), rule)
    }

    /// Whether a candidate has a score of its own; samples that no model has scored all have the same weight.
    private func isJudged(_ candidate: Candidate) -> Bool {
        candidate.output != nil || policy.function == .provided
    }
}
