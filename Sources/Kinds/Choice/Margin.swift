internal import Vocabulary

/// Closeness of the two likeliest classes: `1 - (p₁ - p₂)`.
///
/// In `0...1`: 0 for a certain output, 1 if the two likeliest classes tie, whatever the others are.
///
/// - SeeAlso: Scheffer, Decomain, Wrobel (2001), *Active Hidden Markov Models for Information Extraction*,
///   doi:10.1007/3-540-44816-0_31.
enum Margin {
    /// - Parameters:
    ///   - output: A distribution; see `topTwo` for one that is cut.
    ///   - classes: At least 2.
    /// - Returns: In `0...1`.
    /// - Complexity: O(1).
    static func score(_ output: ClassDistribution, classes: Int) -> Double {
        let (first, second) = output.topTwo(classes)
        return score(first: first, second: second)
    }

    /// Score of an output by its two highest probabilities.
    static func score(first: Double, second: Double) -> Double {
        Probability(clamping: 1 - (first - second)).value
    }
}
