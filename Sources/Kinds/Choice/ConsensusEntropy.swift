internal import Statistics
internal import Vocabulary

/// Uncertainty of the members together: the entropy of their mean, divided by that of a uniform output, `ln k`.
///
/// In `0...1`: 0 if all are certain of one class, 1 if their mean is uniform, whether they disagree or are all unsure.
///
/// - SeeAlso: Seung, Opper, Sompolinsky (1992), *Query by Committee*, doi:10.1145/130385.130417; the soft vote entropy of
///   Settles (2009), section 3.2.
enum ConsensusEntropy {
    /// - Parameters:
    ///   - members: At least 2.
    ///   - classes: *k*, at least 2; classes that no member names have probability 0.
    /// - Returns: In `0...1`.
    /// - Complexity: O(members × classes).
    static func score(_ members: EnsembleOutput, classes: Int) -> Double {
        var sum = 0.0
        for probability in members.consensus { sum += Entropy.term(probability) }
        return Probability(clamping: sum / Reproducible.log(Double(classes))).value
    }
}
