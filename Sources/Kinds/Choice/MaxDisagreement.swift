internal import Statistics
internal import Vocabulary

/// Distance of the most deviating member from the mean of all: the largest of the Kullback-Leibler divergences, divided
/// by their upper bound, `ln members`.
///
/// In `0...1`: 0 if all agree. A single dissenter among many is visible here, where the mean of divergences hides it.
///
/// - SeeAlso: `max_disagreement_sampling` of modAL (Danka, Horváth 2018, arXiv:1805.00979).
enum MaxDisagreement {
    /// - Parameter members: At least 2.
    /// - Returns: In `0...1`.
    /// - Complexity: O(members × classes).
    static func score(_ members: EnsembleOutput) -> Double {
        let consensus = members.consensus
        var largest = 0.0
        for member in 0..<members.count {
            let divergence = KLDivergence.divergence(members[member], from: consensus)
            if divergence > largest { largest = divergence }
        }
        return Probability(clamping: largest / Reproducible.log(Double(members.count))).value
    }
}
