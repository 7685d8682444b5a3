internal import Statistics
internal import Strategies
internal import Vocabulary

/// Utility of a candidate: the product of its parts, each in `0...1` and raised to the power of its weight. A part of
/// weight 0 does not count and is not recorded.
struct Utility {
    private(set) var value = 1.0
    private(set) var parts: [ScorePart] = []

    /// Value of the parts that need no other candidate, without a record of the parts, for ranking thousands of
    /// candidates.
    static func value(_ pooled: PooledCandidate, _ policy: AcquisitionPolicy, at time: StreamTime) -> Double {
        let weights = policy.batch.weights
        guard weights.uncertainty == 1, weights.value == 0, weights.freshness == 0 else {
            return Utility(pooled.candidate, policy, at: time).value
        }
        return Probability(clamping: pooled.score).value
    }

    /// The parts that need no other candidate.
    ///
    /// - Complexity: O(*k*) in the entries of the output where classes have values, else O(1).
    init(_ candidate: Candidate, _ policy: AcquisitionPolicy, at time: StreamTime) {
        let (batch, weights) = (policy.batch, policy.batch.weights)
        let isChance = policy.function == .random || (candidate.output == nil && policy.function != .provided)
        include(isChance ? .chance : .uncertainty, candidate.score, weights.uncertainty)
        if weights.value > 0 {
            include(.value, Self.worth(candidate.output?.distribution, batch.classValues), weights.value)
        }
        if weights.freshness > 0 {
            let age = max(0, time.milliseconds(since: candidate.predictedAt))
            let halfLives = Double(age) / Double(max(1, batch.halfLife))
            include(.freshness, Reproducible.exp(-halfLives * 0.693_147_180_559_945_3), weights.freshness)
        }
    }

    /// Includes another part.
    mutating func include(_ name: ScorePart.Name, _ part: Double, _ weight: Double) {
        guard weight > 0 else { return }
        let part = Probability(clamping: part).value
        value *= weight == 1 ? part : Reproducible.pow(part, weight)
        parts.append(ScorePart(name: name, value: part, weight: weight))
    }
}
