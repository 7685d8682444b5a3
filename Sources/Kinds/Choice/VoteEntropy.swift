internal import Vocabulary

/// How evenly the members' votes are spread: the entropy of the shares of votes over `ln min(members, classes)`.
///
/// In `0...1`: 0 of a unanimous vote, 1 where no two members agree or every class has as many votes. A member votes for its
/// likeliest class, the first of equals; how sure it is does not count.
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
