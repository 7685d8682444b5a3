/// Why a sample is asked for.
public enum TaskPurpose: String, Hashable, Sendable, CaseIterable {
    /// Chosen by the acquisition strategy; its label trains.
    case acquisition
    /// Drawn without bias; its label tests.
    case audit
}

/// Why, and on whose word, a sample was chosen: recorded on its task.
public struct SelectionReason: Hashable, Sendable {
    /// As in `margin+kmeans`.
    public let strategy: String
    public let score: Double
    /// The model whose output was scored; nil in a cold start.
    public let scoredBy: ModelVersion?
    /// What that model thought likeliest.
    public let predicted: ClassIndex?
    /// For an audit sample, the probability with which it belongs to the audit sample.
    public let inclusionProbability: Double?

    public init(
        strategy: String,
        score: Double,
        scoredBy: ModelVersion?,
        predicted: ClassIndex?,
        inclusionProbability: Double?
    ) {
        self.strategy = strategy
        self.score = score
        self.scoredBy = scoredBy
        self.predicted = predicted
        self.inclusionProbability = inclusionProbability
    }
}

/// A sample that Acquisition chose, on its way to becoming a task.
public struct Selection: Hashable, Sendable {
    public let sample: Sample
    public let purpose: TaskPurpose
    public let reason: SelectionReason
    public let predictedAt: StreamTime

    public init(sample: Sample, purpose: TaskPurpose, reason: SelectionReason, predictedAt: StreamTime) {
        self.sample = sample
        self.purpose = purpose
        self.reason = reason
        self.predictedAt = predictedAt
    }
}

/// The state of a labeling task as label tools see it. Of several records of a task the highest entry number holds.
public struct LabelingTask: Hashable, Sendable {
    /// Open tasks may be answered; closed ones stay closed.
    public enum State: Hashable, Sendable {
        case open
        case closed(Closing)
    }

    /// Why a task closed; only `answered` gives a label.
    public enum Closing: String, Hashable, Sendable, CaseIterable {
        /// Enough answers.
        case answered
        /// Nobody answered in time.
        case expired
        /// Skipped or flagged too often.
        case unanswerable
    }

    public let id: TaskID
    public let sample: Sample
    public let question: String
    public let classes: [String]
    public let state: State
    /// Distinct annotators wanted, those who answered included.
    public let votesWanted: Int
    /// Answers counted so far.
    public let votes: Int
    /// Higher first.
    public let priority: Double
    public let purpose: TaskPurpose
    public let reason: SelectionReason
    public let openedAt: StreamTime
    public let expiresAt: StreamTime

    public init(
        id: TaskID,
        sample: Sample,
        question: String,
        classes: [String],
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
        self.classes = classes
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
    public let label: ClassIndex
    public init(annotator: AnnotatorID, label: ClassIndex) {
        self.annotator = annotator
        self.label = label
    }
}

/// What several answers amount to.
public struct ConsensusLabel: Hashable, Sendable {
    public let task: TaskID
    public let sample: Sample
    public let purpose: TaskPurpose
    public let label: ClassIndex
    public let confidence: Probability
    public let votes: [Vote]
    public let predictedAt: StreamTime

    public init(
        task: TaskID,
        sample: Sample,
        purpose: TaskPurpose,
        label: ClassIndex,
        confidence: Probability,
        votes: [Vote],
        predictedAt: StreamTime
    ) {
        self.task = task
        self.sample = sample
        self.purpose = purpose
        self.label = label
        self.confidence = confidence
        self.votes = votes
        self.predictedAt = predictedAt
    }
}

/// The part of a dataset version that a label belongs to.
public enum Split: String, Hashable, Sendable, CaseIterable {
    case training, validation, test
}

/// A fact of the dataset log. A version is the fold of all facts up to its cut.
public struct LabelFact: Hashable, Sendable {
    public let consensus: ConsensusLabel
    public let split: Split
    /// Facts and cuts of a project are counted together from 1, without a gap.
    public let sequence: Int64

    public init(consensus: ConsensusLabel, split: Split, sequence: Int64) {
        self.consensus = consensus
        self.split = split
        self.sequence = sequence
    }
}

/// Everything in the dataset log before this is one version.
public struct VersionCut: Hashable, Sendable {
    /// Counted from 1.
    public let ordinal: Int
    public let sequence: Int64
    /// Labels in each split up to here.
    public let training: Int
    public let validation: Int
    public let test: Int
    /// Class names, in the order of the project's schema at this entry.
    public let classes: [String]

    public init(ordinal: Int, sequence: Int64, training: Int, validation: Int, test: Int, classes: [String]) {
        self.ordinal = ordinal
        self.sequence = sequence
        self.training = training
        self.validation = validation
        self.test = test
        self.classes = classes
    }
}

/// One setting of a study.
public struct Recipe: Hashable, Sendable {
    /// Inverse strength of the L2 penalty; positive.
    public let inverseRegularization: Double
    /// Whether to start from the parent model's weights.
    public let warmStart: Bool

    public init(inverseRegularization: Double = 1, warmStart: Bool = true) {
        self.inverseRegularization = inverseRegularization
        self.warmStart = warmStart
    }
}

/// Work for trainers: each trial, so many repeats with different seeds.
public struct TrainingRequest: Hashable, Sendable {
    public let id: RequestID
    public let dataset: SealedVersion
    /// The version that the resulting model will carry.
    public let modelVersion: ModelVersion
    public let trials: [Recipe]
    /// Repeats of each trial; at least 1.
    public let repeats: Int
    /// Results after this are ignored.
    public let deadline: StreamTime
    public let priority: Int
    public let warmStart: ReleasedModel?

    public init(
        id: RequestID,
        dataset: SealedVersion,
        modelVersion: ModelVersion,
        trials: [Recipe],
        repeats: Int,
        deadline: StreamTime,
        priority: Int,
        warmStart: ReleasedModel?
    ) {
        self.id = id
        self.dataset = dataset
        self.modelVersion = modelVersion
        self.trials = trials
        self.repeats = repeats
        self.deadline = deadline
        self.priority = priority
        self.warmStart = warmStart
    }
}

/// A trained model that can be served.
public struct ReleasedModel: Hashable, Sendable {
    public let version: ModelVersion
    public let artifact: ArtifactReference
    /// The ordinal of the dataset version it was trained on; a higher one is a newer model.
    public let datasetOrdinal: Int
    /// When the newest of its training samples was predicted.
    public let newestSampleAt: StreamTime

    public init(
        version: ModelVersion,
        artifact: ArtifactReference,
        datasetOrdinal: Int,
        newestSampleAt: StreamTime
    ) {
        self.version = version
        self.artifact = artifact
        self.datasetOrdinal = datasetOrdinal
        self.newestSampleAt = newestSampleAt
    }
}

/// What to serve from now on, and the proof for it.
public struct ModelRelease: Hashable, Sendable {
    /// Why a release was made.
    public enum Cause: String, Hashable, Sendable, CaseIterable {
        /// The first model of a project: there was nothing to lose.
        case first
        /// A challenger begins to shadow.
        case shadow
        /// The challenger was significantly better.
        case promoted
        /// Users rejected too much of what the champion said.
        case rolledBack = "rolled_back"
        /// An operator said so.
        case command
    }

    public let cause: Cause
    public let champion: ReleasedModel
    public let challenger: ReleasedModel?
    /// The champion before, if this release replaced it.
    public let replaced: ModelVersion?
    public let quarantined: [ModelVersion]
    public let evidence: Evidence

    public init(
        cause: Cause,
        champion: ReleasedModel,
        challenger: ReleasedModel?,
        replaced: ModelVersion?,
        quarantined: [ModelVersion],
        evidence: Evidence
    ) {
        self.cause = cause
        self.champion = champion
        self.challenger = challenger
        self.replaced = replaced
        self.quarantined = quarantined
        self.evidence = evidence
    }
}

/// The figures a rollout decision rests on.
public enum Evidence: Hashable, Sendable {
    case none
    /// Audit labels that both models were scored on; `logE` is the natural logarithm of the e-value, `threshold` what it
    /// had to reach.
    case paired(labels: Int, challengerOnly: Int, championOnly: Int, logE: Double, threshold: Double)
    /// Feedback about the champion: negative answers, all, what was expected, and the detector's statistic.
    case feedback(negative: Int, total: Int, expectedRate: Double, statistic: Double, threshold: Double)
    case command(id: String, by: String, reason: String)
}

/// Something that people should know.
public struct Notice: Hashable, Sendable {
    /// What a notice is about; the raw values are on the wire.
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        case budgetExhausted = "budget_exhausted"
        case rolledBack = "rolled_back"
        case taskUnanswerable = "task_unanswerable"
        case studyFailed = "study_failed"
        case studyFinished = "study_finished"
    }
    public let kind: Kind
    public let text: String
    public init(kind: Kind, text: String) {
        self.kind = kind
        self.text = text
    }
}

/// Why an entry changed nothing: a reason code, and a sentence for a person.
public struct Refusal: Hashable, Sendable {
    /// Reason codes; the raw values are on the wire and in the state.
    public enum Code: String, Hashable, Sendable, CaseIterable {
        case duplicate
        case unknownTask = "unknown_task"
        case taskClosed = "task_closed"
        case unknownClass = "unknown_class"
        case unknownRequest = "unknown_request"
        case duplicateResult = "duplicate_result"
        case studyClosed = "study_closed"
        case unknownModel = "unknown_model"
        case nothingToRollBack = "nothing_to_roll_back"
        case unknownFeedbackModel = "not_the_champion"
        case userCapReached = "user_cap_reached"
        case invalidConfiguration = "invalid_configuration"
        /// Whether a person should look at it; the others are expected and counted only.
        public var isDeadLetter: Bool {
            switch self {
            case .unknownTask, .unknownClass, .unknownRequest, .unknownModel, .nothingToRollBack, .invalidConfiguration:
                true
            case .duplicate, .taskClosed, .duplicateResult, .studyClosed, .unknownFeedbackModel, .userCapReached: false
            }
        }
    }
    public let code: Code
    public let text: String
    public init(_ code: Code, _ text: String) {
        self.code = code
        self.text = text
    }
}

/// A refusal as the failure of a `Result`.
public struct RefusalError: Error, Hashable, Sendable {
    public let refusal: Refusal
    public init(_ code: Refusal.Code, _ text: String) { refusal = Refusal(code, text) }
}
