/// What a prediction may carry beside its output, for strategies that judge more than that: what the members of an ensemble
/// said, the logits, a score that the service computed itself.
public struct PredictionDetail: Hashable, Sendable {
    /// Of kind `choice` alone.
    public let members: EnsembleOutput?
    /// One finite number for each class of the project's, in their order; fewer are those of its first classes. Of kind
    /// `choice` alone.
    public let logits: [Double]?
    /// In `0...1`.
    public let score: Double?

    public init(members: EnsembleOutput? = nil, logits: [Double]? = nil, score: Double? = nil) {
        self.members = members
        self.logits = logits
        self.score = score
    }
}
