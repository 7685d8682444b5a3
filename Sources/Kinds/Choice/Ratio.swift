internal import Vocabulary

/// Ratio of the second likeliest class to the likeliest: `p₂ / p₁`.
///
/// In `0...1`: 0 for a certain output, 1 for a tie; never above the score of `Margin`. If the two likeliest classes are
/// both unlikely, the margin is high in any case, whereas the ratio still depends on how much they differ.
///
/// - SeeAlso: Culotta, McCallum (2005), *Reducing Labeling Effort for Structured Prediction Tasks*, AAAI; the ratio of
///   the two best in place of their difference, as in Settles (2009), section 3.1.
enum Ratio {
    /// - Parameters:
    ///   - output: A distribution; see `topTwo` for one that is cut.
    ///   - classes: At least 2.
    /// - Returns: In `0...1`; 0 if all probabilities are 0, which no distribution has.
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
