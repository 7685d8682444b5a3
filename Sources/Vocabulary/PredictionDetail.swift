/// Details of a prediction beside its output, for strategies that judge more than that: the outputs of the
/// members of an ensemble, the logits, a score that the service computed itself. Each is optional.
public struct PredictionDetail: Hashable, Sendable {
    /// Outputs of the members of an ensemble, of kind `choice` alone.
    public let members: EnsembleOutput?
    /// One finite number for each class of the project, in their order; if there are fewer, they belong to its first
    /// classes. Of kind `choice` alone.
    public let logits: [Double]?
    /// Score that the service computed itself, in `0...1`.
    public let score: Double?

    public init(members: EnsembleOutput? = nil, logits: [Double]? = nil, score: Double? = nil) {
        self.members = members
        self.logits = logits
        self.score = score
    }
}
