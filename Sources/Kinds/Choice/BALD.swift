internal import Statistics
internal import Vocabulary

/// Mutual information of the members and the label: the entropy of their mean minus the mean of their entropies,
/// divided by its maximum, `ln min(members, classes)`.
///
/// In `0...1`: 0 if all members agree, however unsure they are; 1 if each is certain of a different class. A rounding
/// error below 0 counts as 0.
///
/// - SeeAlso: Houlsby, Huszár, Ghahramani, Lengyel (2011), *Bayesian Active Learning for Classification and Preference
///   Learning*, arXiv:1112.5745.
enum BALD {
    /// - Parameter members: At least 2.
    /// - Returns: In `0...1`.
    /// - Complexity: O(members × classes).
    static func score(_ members: EnsembleOutput) -> Double {
        var mutual = 0.0
        for probability in members.consensus { mutual += Entropy.term(probability) }
        var memberEntropy = 0.0
        for probability in members.probabilities { memberEntropy += Entropy.term(probability) }
        mutual -= memberEntropy / Double(members.count)
        return members.normalized(mutual)
    }
}

extension EnsembleOutput {
    /// A disagreement in nats, divided by its maximum for this number of members and classes; 0 if either number is 1.
    func normalized(_ nats: Double) -> Double {
        let smallerCount = min(count, width)
        return smallerCount > 1 ? Probability(clamping: nats / Reproducible.log(Double(smallerCount))).value : 0
    }
}
