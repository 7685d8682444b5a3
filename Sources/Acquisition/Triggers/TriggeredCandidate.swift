/// A candidate for which triggers have fired, or for which some wait until it is overridden or contradicted.
public struct TriggeredCandidate: Hashable, Sendable {
    /// Candidate with the champion's prediction for the sample, as long as it is known; else with a challenger's.
    public let pooled: PooledCandidate
    /// Names of the triggers that fired, in the order in which they did.
    public let triggers: [String]
    /// Names of the triggers that are undecided about `pooled`.
    public let pendingTriggers: [String]
    /// Number of the entry that first brought the sample.
    public let entryNumber: UInt64
    /// Whether the predictions of champion and challenger for the sample, one of them in `pooled`, disagree; nil if
    /// unknown.
    public let disagrees: Bool?
    /// Whether a user corrected or rejected `pooled`; nil: there is no feedback.
    public let isOverridden: Bool?

    public init(
        pooled: PooledCandidate,
        triggers: [String],
        pendingTriggers: [String],
        entryNumber: UInt64,
        disagrees: Bool? = nil,
        isOverridden: Bool? = nil
    ) {
        self.pooled = pooled
        self.triggers = triggers
        self.pendingTriggers = pendingTriggers
        self.entryNumber = entryNumber
        self.disagrees = disagrees
        self.isOverridden = isOverridden
    }
}
