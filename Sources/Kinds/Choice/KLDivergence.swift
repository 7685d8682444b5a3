internal import Statistics
internal import Vocabulary

/// How far the members are from their mean: the mean of the Kullback-Leibler divergences of each from it, over the most that
/// it can be, `ln min(members, classes)`.
///
/// In `0...1`. With the mean as consensus it is the Jensen-Shannon divergence, and that is `BALD`, summed in another way; both
/// names are here because the literature has both. A class that a member gives 0 adds nothing, and the mean is never 0 where a
/// member is not: no divergence is infinite.
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

    /// `Σ p ln(p / q)` in nats; where `p` is 0 nothing.
    static func divergence(_ member: ArraySlice<Double>, from consensus: [Double]) -> Double {
        var sum = 0.0
        for (probability, mean) in zip(member, consensus) where probability > 0 {
            sum += probability * Reproducible.log(probability / mean)
        }
        return sum
    }
}
