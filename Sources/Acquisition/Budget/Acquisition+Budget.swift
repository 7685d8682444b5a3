internal import Tables
public import Vocabulary

/// What becomes of the votes that a task reserved.
extension AcquisitionState {
    /// One of the votes reserved for a task was given: it counts in the window in which it was given.
    ///
    /// - Parameters:
    ///   - cost: As its task reserved it.
    ///   - taken: How long the annotator took, in milliseconds, if the tool says.
    ///   - policy: The revision in force.
    ///   - time: Of the entry that brought it.
    public mutating func voteGiven(
        cost: VoteCost = .free,
        taken: Int64? = nil,
        policy: AcquisitionPolicy,
        at time: StreamTime
    ) {
        ledger.value.advance(to: time, budget: policy.budget)
        ledger.value.spend(cost: cost, taken: taken)
    }

    /// A task closed with votes left, each reserved at `cost`.
    public mutating func votesReleased(_ count: Int, cost: VoteCost = .free) {
        ledger.value.release(count, cost: cost)
    }

    /// Whether the budget holds no further task.
    public func isExhausted(votesPerTask: Int, policy: AcquisitionPolicy) -> Bool {
        ledger.value.affordableTasks(votes: votesPerTask, cost: policy.voteCost, of: policy.budget) == 0
    }
}
