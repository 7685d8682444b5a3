/// A candidate that triggers have let through, or that some wait for to be overridden or contradicted.
public struct TriggeredCandidate: Hashable, Sendable {
    /// What the champion said of the sample, as long as it is known; else what a challenger did.
    public let pooled: PooledCandidate
    /// Names of those that fired, in the order in which they did.
    public let triggers: [String]
    /// Names of those that are undecided about `pooled`.
    public let awaiting: [String]
    /// The entry that first brought it.
    public let entryNumber: UInt64

    public init(pooled: PooledCandidate, triggers: [String], awaiting: [String], entryNumber: UInt64) {
        self.pooled = pooled
        self.triggers = triggers
        self.awaiting = awaiting
        self.entryNumber = entryNumber
    }
}
