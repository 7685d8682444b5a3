internal import Vocabulary

/// Complement of the highest probability, scaled to end at 1: `(1 - p₁) / (1 - 1/k)`.
///
/// In `0...1`: 0 for a certain output, 1 for a uniform one. Only the highest probability counts, so outputs that share
/// it tie.
///
/// - SeeAlso: Lewis, Gale (1994), *A Sequential Algorithm for Training Text Classifiers*, arXiv:cmp-lg/9407020; scaled to end
///   at 1.
enum LeastConfidence {
    /// - Parameters:
    ///   - output: A distribution; see `topTwo` for one that is cut.
    ///   - classes: *k*, at least 2.
    /// - Returns: In `0...1`.
    /// - Complexity: O(1).
    static func score(_ output: ClassDistribution, classes: Int) -> Double {
        score(first: output.topTwo(classes).first, classes: classes)
    }

    /// Score of an output by its highest probability.
    static func score(first: Double, classes: Int) -> Double {
        Probability(clamping: (1 - first) / (1 - 1 / Double(classes))).value
    }
}
