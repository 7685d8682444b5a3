internal import Vocabulary

/// Ratio of the second likeliest class to the likeliest: `p₂ / p₁`.
///
/// In `0...1`: 0 for a certain output, 1 for a tie. If the two likeliest classes are both unlikely, it is higher than
/// the margin's share of them.
///
/// - SeeAlso: Culotta, McCallum (2005), *Reducing Labeling Effort for Structured Prediction Tasks*, AAAI; the ratio of
///   the two best in place of their difference, as in Settles (2009), section 3.1.
enum Ratio {
    /// - Parameters:
    ///   - output: A distribution; see `topTwo` for one that is cut.
    ///   - classes: At least 2.
    /// - Returns: 0 where nothing is likely at all, which no distribution is.
    /// - Complexity: O(1).
    static func score(_ output: ClassDistribution, classes: Int) -> Double {
        let (first, second) = output.topTwo(classes)
        return score(first: first, second: second)
    }

    /// Score of an output by its two highest probabilities.
    static func score(first: Double, second: Double) -> Double {
        first > 0 ? Probability(clamping: second / first).value : 0
    }
}
