internal import Statistics
internal import Vocabulary

/// Shannon's entropy of the output over that of a uniform one: `-Σ p ln p / ln k`.
///
/// In `0...1`: 0 for a certain output, 1 for a uniform one. A class of probability 0 adds nothing. The entropy grows
/// with many unlikely classes that no label would distinguish, which is why it is not the default.
///
/// - SeeAlso: Shannon (1948), *A Mathematical Theory of Communication*; Settles (2009), section 3.1.
public enum Entropy {
    /// - Parameters:
    ///   - output: A distribution; if it is cut, the remainder counts as spread evenly over the other classes.
    ///   - classes: *k*, at least 2.
    /// - Returns: In `0...1`.
    /// - Complexity: O(*k*) in the number of entries.
    static func score(_ output: ClassDistribution, classes: Int) -> Double {
        var sum = 0.0
        for entry in output.entries { sum += term(entry.probability) }
        let unnamed = classes - output.entries.count
        return score(sum: sum, remainder: output.remainder, unnamed: unnamed, classes: classes)
    }

    /// Score of an output by the terms of its named classes.
    ///
    /// - Parameters:
    ///   - sum: Sum of `term` over the named classes.
    ///   - remainder: Probability of all other classes together.
    ///   - unnamed: Number of the other classes, over which it is spread evenly.
    ///   - classes: *k*, at least 2.
    /// - Returns: In `0...1`.
    static func score(sum: Double, remainder: Double, unnamed: Int, classes: Int) -> Double {
        let rest = unnamed > 0 && remainder > 0 ? remainder * Reproducible.log(remainder / Double(unnamed)) : 0
        return Probability(clamping: (sum - rest) / Reproducible.log(Double(classes))).value
    }

    /// `-p ln p`, 0 at 0.
    public static func term(_ probability: Double) -> Double {
        probability > 0 ? -probability * Reproducible.log(probability) : 0
    }
}
