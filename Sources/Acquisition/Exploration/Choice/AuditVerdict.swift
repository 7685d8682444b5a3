public import Vocabulary

/// Prediction of the newest model for an audit sample that was queried, and the label that people gave it.
public struct AuditVerdict: Hashable, Sendable {
    /// The class that the model considered likeliest; nil while no prediction is known.
    public var predicted: ClassIndex?
    /// The probability of that class, tempered as in the policy, in `0...1`; 0 if none is known.
    public var confidence: Double
    /// The dataset version number of the model, 0 for one that was not trained here; -1 before any.
    public var versionNumber: Int
    /// The label that people gave; nil until the task is answered.
    public var label: ClassIndex?
    /// Number of audit labels before this one; 0 without a label.
    public var number: Int
    /// Number of audit labels when the label or the prediction was last renewed, which shows how old the verdict is.
    public var renewed: Int

    public init(
        predicted: ClassIndex? = nil,
        confidence: Double = 0,
        versionNumber: Int = -1,
        label: ClassIndex? = nil,
        number: Int = 0,
        renewed: Int = 0
    ) {
        self.predicted = predicted
        self.confidence = confidence
        self.versionNumber = versionNumber
        self.label = label
        self.number = number
        self.renewed = renewed
    }
}

/// The level of exploration that audit labels call for.
public struct ExplorationLevel: Hashable, Sendable {
    /// Number of audit labels recorded in verdicts so far.
    public var labels: Int
    /// Extra share of random selection, added to the share in the policy before the policy's bound applies; in `0...1`.
    public var extra: Double
    /// Classes from which the extra share is drawn: those that the newest model is sure of too often, ascending.
    public var classes: [ClassIndex]

    public init(labels: Int = 0, extra: Double = 0, classes: [ClassIndex] = []) {
        self.labels = labels
        self.extra = extra
        self.classes = classes
    }
}
