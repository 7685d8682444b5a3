internal import Vocabulary

/// Evenness of the members' votes: the entropy of the shares of votes, divided by `ln min(members, classes)`.
///
/// In `0...1`: 0 for a unanimous vote, 1 if no two members agree or every class has equally many votes. A member votes
/// for its likeliest class, on ties for the first of them; its confidence does not count.
///
/// - SeeAlso: Dagan, Engelson (1995), *Committee-Based Sampling for Training Probabilistic Classifiers*, ICML.
enum VoteEntropy {
    /// - Parameter members: At least 2.
    /// - Returns: In `0...1`.
    /// - Complexity: O(members × classes).
    static func score(_ members: EnsembleOutput) -> Double {
        var sum = 0.0
        for votes in members.votes where votes > 0 { sum += Entropy.term(Double(votes) / Double(members.count)) }
        return members.normalized(sum)
    }
}
