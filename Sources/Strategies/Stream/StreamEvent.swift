/// Facts of an event that a budget rule may use.
public struct StreamEvent: Hashable, Sendable {
    /// How useful a label would be, in `0...1`.
    public let score: Double
    /// The probability of the likeliest class, in `0...1`.
    public let confidence: Double
    /// Queried labels that the model does not know yet; at least 0.
    public let pending: Int
    /// The share of the stream that may be queried.
    public let share: LabelShare
    /// Labels that the ledger holds; below 1 no label may be queried.
    public let credit: Double

    public init(score: Double, confidence: Double, pending: Int, share: LabelShare, credit: Double) {
        self.score = score
        self.confidence = confidence
        self.pending = pending
        self.share = share
        self.credit = credit
    }

    /// Whether the ledger holds a label.
    public var canQuery: Bool { credit >= 1 }
}

/// Verdict of a budget rule on an event.
public struct StreamJudgement: Hashable, Sendable {
    /// Whether the label is to be queried.
    public let isQueried: Bool
    /// Probability with which the label was queried, given everything before it, in `0...1`; above 0 if `isQueried`.
    public let propensity: Double

    public init(isQueried: Bool, propensity: Double) {
        self.isQueried = isQueried
        self.propensity = propensity
    }

    /// Verdict not to query, with propensity 0, as when the ledger holds no label.
    static let no = StreamJudgement(isQueried: false, propensity: 0)
}
