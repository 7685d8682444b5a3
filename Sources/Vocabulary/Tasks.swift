/// Purpose for which a sample is queried.
public enum TaskPurpose: String, Hashable, Sendable, CaseIterable {
    /// Chosen by the acquisition strategy; its label is used for training.
    case acquisition
    /// Drawn without bias; its label is used for testing.
    case audit
    /// Queried because users rejected a version's prediction for it, and the rejections came from few users; its label
    /// determines who was right, and is used neither for training nor for testing. Label tools see an audit task.
    case verification
    /// Not queried: an imported label, used for training.
    case imported
    /// Not queried: an imported label, on which scores are computed.
    case importedValidation = "imported_validation"

    /// The part of the dataset that labels of such tasks belong to; nil if they belong to none.
    @inlinable public var split: Split? {
        switch self {
        case .verification: nil
        case .acquisition, .imported: .training
        case .audit: .test
        case .importedValidation: .validation
        }
    }

    /// The purpose that label tools receive: an annotator must not know that a sample is disputed.
    public var published: TaskPurpose { self == .verification ? .audit : self }

    /// Whether the label was imported, so that no task was ever opened.
    public var isImported: Bool { self == .imported || self == .importedValidation }
}

/// One part of a candidate's value. The whole is the product of its parts, each to the power of its weight.
public struct ScorePart: Hashable, Sendable {
    public enum Name: String, Hashable, Sendable, CaseIterable {
        /// The acquisition score of a model's output.
        case uncertainty
        /// The sample's own draw, when there was nothing to score.
        case chance
        /// Worth of the predicted classes, relative to the highest worth of a class.
        case value
        /// 1 for a prediction made now, half as much after each half-life.
        case freshness
        /// Distance from all queried samples.
        case novelty
        /// Density: how many other candidates are near.
        case density
    }

    public let name: Name
    /// In `0...1`.
    public let value: Double
    /// Above 0.
    public let weight: Double

    public init(name: Name, value: Double, weight: Double) {
        self.name = name
        self.value = value
        self.weight = weight
    }
}

/// Reason for the selection of a sample, and the model whose prediction led to it: recorded on its task.
public struct SelectionReason: Hashable, Sendable {
    /// Name of the strategy that chose the sample, as in `margin+kmeans`.
    public let strategy: String
    public let score: Double
    /// Parts from which the score was computed; empty if no candidate was judged.
    public let parts: [ScorePart]
    /// The model whose output was scored; nil in a cold start.
    public let scoredBy: ModelVersion?
    /// Likeliest label according to that model.
    public let predicted: Label?
    /// For an audit sample, the probability with which it belongs to the audit sample.
    public let inclusionProbability: Double?
    /// The probability with which the step that chose it did so, given the candidates that it had and all earlier
    /// events: above 0, at most 1; 1 if nothing was random. Nil for tasks that were opened before it was recorded.
    public let propensity: Double?
    /// Names of the triggers that fired for the sample, whichever strategy chose it.
    public let triggers: [String]

    public init(
        strategy: String,
        score: Double,
        scoredBy: ModelVersion?,
        predicted: Label?,
        inclusionProbability: Double?,
        propensity: Double? = nil,
        triggers: [String] = [],
        parts: [ScorePart] = []
    ) {
        self.parts = parts
        self.strategy = strategy
        self.score = score
        self.scoredBy = scoredBy
        self.predicted = predicted
        self.inclusionProbability = inclusionProbability
        self.propensity = propensity
        self.triggers = triggers
    }

    /// Returns the reason with the triggers that fired.
    func triggered(by names: [String]) -> SelectionReason {
        SelectionReason(
            strategy: strategy,
            score: score,
            scoredBy: scoredBy,
            predicted: predicted,
            inclusionProbability: inclusionProbability,
            propensity: propensity,
            triggers: names,
            parts: parts
        )
    }
}

/// A sample that Acquisition chose, on its way to becoming a task.
public struct Selection: Hashable, Sendable {
    public let sample: Sample
    public let purpose: TaskPurpose
    public let reason: SelectionReason
    public let predictedAt: StreamTime
    /// Cost that the budget reserved for each vote of the task.
    public let voteCost: VoteCost
    /// Reason why an audit sample was queried; nil for other samples, and if champion and challenger are not
    /// distinguished.
    public let audit: AuditOrigin?

    public init(
        sample: Sample,
        purpose: TaskPurpose,
        reason: SelectionReason,
        predictedAt: StreamTime,
        voteCost: VoteCost = .free,
        audit: AuditOrigin? = nil
    ) {
        self.audit = audit
        self.sample = sample
        self.purpose = purpose
        self.reason = reason
        self.predictedAt = predictedAt
        self.voteCost = voteCost
    }

    /// Returns the selection with the triggers that fired for its sample.
    public func triggered(by names: [String]) -> Selection {
        Selection(
            sample: sample,
            purpose: purpose,
            reason: reason.triggered(by: names),
            predictedAt: predictedAt,
            voteCost: voteCost,
            audit: audit
        )
    }

    /// Returns the selection with the given cost of a vote.
    public func costing(_ voteCost: VoteCost) -> Selection {
        Selection(
            sample: sample,
            purpose: purpose,
            reason: reason,
            predictedAt: predictedAt,
            voteCost: voteCost,
            audit: audit
        )
    }
}

/// The state of a labeling task as label tools see it. Of several records of a task, the one with the highest entry
/// number is valid.
public struct LabelingTask: Hashable, Sendable {
    /// Open tasks may be answered; closed ones stay closed.
    public enum State: Hashable, Sendable {
        case open
        case closed(Closing)
    }

    /// Why a task closed; only `answered` gives a label.
    public enum Closing: String, Hashable, Sendable, CaseIterable {
        /// The task received enough answers.
        case answered
        /// The task expired without enough answers for a label.
        case expired
        /// The task was skipped or flagged too often.
        case unanswerable
    }

    public let id: TaskID
    public let sample: Sample
    public let question: Question
    public let state: State
    /// Number of distinct annotators wanted, including the annotators who have answered.
    public let votesWanted: Int
    /// Answers counted so far.
    public let votes: Int
    /// Priority among open tasks; tasks with a higher priority come first.
    public let priority: Double
    public let purpose: TaskPurpose
    public let reason: SelectionReason
    public let openedAt: StreamTime
    public let expiresAt: StreamTime

    public init(
        id: TaskID,
        sample: Sample,
        question: Question,
        state: State,
        votesWanted: Int,
        votes: Int,
        priority: Double,
        purpose: TaskPurpose,
        reason: SelectionReason,
        openedAt: StreamTime,
        expiresAt: StreamTime
    ) {
        self.id = id
        self.sample = sample
        self.question = question
        self.state = state
        self.votesWanted = votesWanted
        self.votes = votes
        self.priority = priority
        self.purpose = purpose
        self.reason = reason
        self.openedAt = openedAt
        self.expiresAt = expiresAt
    }
}

/// One counted answer.
public struct Vote: Hashable, Sendable {
    public let annotator: AnnotatorID
    public let answer: Answer
    public init(annotator: AnnotatorID, answer: Answer) {
        self.annotator = annotator
        self.answer = answer
    }
}

/// Label that results from several answers.
public struct ConsensusLabel: Hashable, Sendable {
    public let task: TaskID
    public let sample: Sample
    public let purpose: TaskPurpose
    public let label: Label
    public let confidence: Probability
    public let votes: [Vote]
    public let predictedAt: StreamTime
    /// Origin of an imported label; nil for labels that were queried.
    public let origin: ImportOrigin?

    public init(
        task: TaskID,
        sample: Sample,
        purpose: TaskPurpose,
        label: Label,
        confidence: Probability,
        votes: [Vote],
        predictedAt: StreamTime,
        origin: ImportOrigin? = nil
    ) {
        self.origin = origin
        self.task = task
        self.sample = sample
        self.purpose = purpose
        self.label = label
        self.confidence = confidence
        self.votes = votes
        self.predictedAt = predictedAt
    }
}
