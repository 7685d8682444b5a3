internal import Vocabulary

/// Share of the members that do not vote for the most common class: `1 - votes of the commonest class / members`.
///
/// In `0..<1`: 0 for a unanimous vote, at most `1 - 1/min(members, classes)`. A member votes for its likeliest class;
/// on ties, for the first of them.
///
/// - SeeAlso: Freeman (1965), *Elementary Applied Statistics*; Gal, Islam, Ghahramani (2017), *Deep Bayesian Active Learning
///   with Image Data*, arXiv:1703.02910.
enum VariationRatio {
    /// - Parameter members: At least 2.
    /// - Returns: In `0...1`.
    /// - Complexity: O(members × classes).
    static func score(_ members: EnsembleOutput) -> Double {
        var mostVotes = 0
        for votes in members.votes where votes > mostVotes { mostVotes = votes }
        return Probability(clamping: 1 - Double(mostVotes) / Double(members.count)).value
    }
}
