internal import Statistics
internal import Vocabulary

/// Distance of the members from their mean: the mean of their Kullback-Leibler divergences from it, divided by its
/// maximum, `ln min(members, classes)`.
///
/// In `0...1`. With the mean as consensus it is the Jensen-Shannon divergence, which equals `BALD` except for the order
/// of summation; both names are offered because the literature uses both. A class to which a member assigns 0 adds
/// nothing, and the mean is never 0 where a member is not, so that no divergence is infinite.
///
/// - SeeAlso: McCallum, Nigam (1998), *Employing EM and Pool-Based Active Learning for Text Classification*, ICML.
enum KLDivergence {
    /// - Parameter members: At least 2.
    /// - Returns: In `0...1`.
    /// - Complexity: O(members × classes).
    static func score(_ members: EnsembleOutput) -> Double {
        let consensus = members.consensus
        var sum = 0.0
        for member in 0..<members.count { sum += divergence(members[member], from: consensus) }
        return members.normalized(sum / Double(members.count))
    }

    /// `Σ p ln(p / q)` in nats; a class with `p` = 0 adds nothing.
    static func divergence(_ member: ArraySlice<Double>, from consensus: [Double]) -> Double {
        var sum = 0.0
        for (probability, mean) in zip(member, consensus) where probability > 0 {
            sum += probability * Reproducible.log(probability / mean)
        }
        return sum
    }
}
