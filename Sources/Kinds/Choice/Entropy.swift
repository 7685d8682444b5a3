internal import Statistics
internal import Vocabulary

/// Shannon's entropy of the output over that of a uniform one: `-Σ p ln p / ln k`.
///
/// In `0...1`: 0 of a certain output, 1 of a uniform one. A class of probability 0 adds nothing. It grows with many unlikely
/// classes that no label would tell apart, which is why it is not the default.
///
/// - SeeAlso: Shannon (1948), *A Mathematical Theory of Communication*; Settles (2009), section 3.1.
public enum Entropy {
    /// - Parameters:
    ///   - output: A distribution; of one that is cut the remainder counts as spread evenly over the other classes.
    ///   - classes: *k*, at least 2.
    /// - Returns: In `0...1`.
    /// - Complexity: O(*k*) in the number of entries.
    static func score(_ output: ClassDistribution, classes: Int) -> Double {
        var sum = 0.0
        for entry in output.entries { sum += term(entry.probability) }
        let unnamed = classes - output.entries.count
        if unnamed > 0, output.remainder > 0 {
            sum -= output.remainder * Reproducible.log(output.remainder / Double(unnamed))
        }
        return Probability(clamping: sum / Reproducible.log(Double(classes))).value
    }

    /// `-p ln p`, 0 at 0.
    public static func term(_ probability: Double) -> Double {
        probability > 0 ? -probability * Reproducible.log(probability) : 0
    }
}
