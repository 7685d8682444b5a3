/// One setting of a study.
public struct Hyperparameters: Hashable, Sendable {
    /// Inverse strength of the L2 penalty; positive.
    public let inverseRegularization: Double
    /// Whether to start from the parent model's weights.
    public let warmStart: Bool

    public init(inverseRegularization: Double = 1, warmStart: Bool = true) {
        self.inverseRegularization = inverseRegularization
        self.warmStart = warmStart
    }
}

/// Request for trainers to run each trial `repeats` times with different seeds.
public struct TrainingRequest: Hashable, Sendable {
    public let id: RequestID
    public let dataset: SealedVersion
    /// The version that the resulting model will carry.
    public let modelVersion: ModelVersion
    public let trials: [Hyperparameters]
    /// Repeats of each trial; at least 1.
    public let repeats: Int
    /// Results after this are ignored.
    public let deadline: StreamTime
    public let priority: Int
    public let warmStart: ReleasedModel?
    /// The space of the labels: labels of another space are excluded. Nil if nothing is known of it.
    public let embedding: EmbeddingSpace?

    public init(
        id: RequestID,
        dataset: SealedVersion,
        modelVersion: ModelVersion,
        trials: [Hyperparameters],
        repeats: Int,
        deadline: StreamTime,
        priority: Int,
        warmStart: ReleasedModel?,
        embedding: EmbeddingSpace? = nil
    ) {
        self.embedding = embedding
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
    /// The version number of the dataset version that it was trained on; of two models, the higher number is the newer.
    /// 0 for a registered model.
    public let datasetVersionNumber: Int
    /// Time of the prediction for the newest of its training samples; 0 for a registered model.
    public let newestSampleAt: StreamTime
    /// Whether the artifact was found at its location, with its size, when it was reported; nil if it could not be
    /// checked.
    public let verified: Bool?

    public init(
        version: ModelVersion,
        artifact: ArtifactReference,
        datasetVersionNumber: Int,
        newestSampleAt: StreamTime,
        verified: Bool? = nil
    ) {
        self.verified = verified
        self.version = version
        self.artifact = artifact
        self.datasetVersionNumber = datasetVersionNumber
        self.newestSampleAt = newestSampleAt
    }
}

/// Models to serve from now on, and the evidence for the decision.
public struct ModelRelease: Hashable, Sendable {
    /// Why a release was made.
    public enum Cause: String, Hashable, Sendable, CaseIterable {
        /// The first model of a project: no other model served before.
        case first
        /// An operator made a model that was already serving the champion.
        case registered
        /// A challenger begins to shadow.
        case shadow
        /// The challenger was significantly better.
        case promoted
        /// The newest model led on the few audit labels known, before there was significant evidence.
        case provisional
        /// Users rejected too many of the champion's predictions.
        case rolledBack = "rolled_back"
        /// Ordered by an operator.
        case command
        /// A blessed model begins to serve a share of the users, or another share, or its rollout is paused or resumed.
        case canary
        /// The last step of a rollout is passed: the canary serves the users.
        case live
        /// A canary was rolled back; the champion serves as before.
        case canaryRolledBack = "canary_rolled_back"
        /// Shares changed with a revision of the project.
        case assignment
        /// An operator suppressed a class, or restored it.
        case suppression
    }

    public let cause: Cause
    public let champion: ReleasedModel
    public let challenger: ReleasedModel?
    /// The champion before, if this release replaced it.
    public let replaced: ModelVersion?
    public let quarantined: [ModelVersion]
    public let evidence: Evidence
    /// Models that serve beside the champion; nil in a project without rollout steps and hold-back.
    public var staging: Staging?
    /// Names of classes that services are not to answer.
    public var suppressed: [String]

    public init(
        cause: Cause,
        champion: ReleasedModel,
        challenger: ReleasedModel?,
        replaced: ModelVersion?,
        quarantined: [ModelVersion],
        evidence: Evidence,
        staging: Staging? = nil,
        suppressed: [String] = []
    ) {
        self.staging = staging
        self.suppressed = suppressed
        self.cause = cause
        self.champion = champion
        self.challenger = challenger
        self.replaced = replaced
        self.quarantined = quarantined
        self.evidence = evidence
    }
}

/// The figures on which a rollout decision is based.
public enum Evidence: Hashable, Sendable {
    case none
    /// Audit labels on which both models were scored; `logE` is the natural logarithm of the e-value, `threshold` the
    /// value that it had to reach.
    case paired(labels: Int, challengerOnly: Int, championOnly: Int, logE: Double, threshold: Double)
    /// Audit labels of samples that both had predicted before the samples were queried.
    case judged(JudgedEvidence)
    /// No claim: the newest model led on the few audit labels known.
    case provisional(labels: Int, challengerOnly: Int, championOnly: Int)
    /// Feedback about the champion: the numbers of negative and of all answers, the expected rate of negative answers,
    /// and the detector's statistic with its threshold.
    case feedback(negative: Int, total: Int, expectedRate: Double, statistic: Double, threshold: Double)
    /// Feedback about two versions that serve at the same time.
    case compared(ComparedVoices)
    /// Audit labels that compare a model in rollout with the champion.
    case baked(BakedLabels)
    /// Audit labels that were queried because of a suspicion.
    case suspected(SuspicionVerdict)
    /// Steps of a rollout, the latest last.
    case rollout([StepFigures])
    /// `metrics` are the operator's figures for a registered model: they inform, and no decision depends on them.
    case command(id: String, by: String, reason: String, metrics: [ModelMetric] = [])
}

/// A figure reported for a model, such as an accuracy of 0.93.
public struct ModelMetric: Hashable, Sendable {
    /// Maximum number of metrics of one model.
    public static let limit = 16
    /// Maximum number of bytes of a name.
    public static let longestName = 64

    /// 1 to 64 bytes.
    public let name: String
    /// Finite.
    public let value: Double

    public init(name: String, value: Double) {
        self.name = name
        self.value = value
    }
}

/// A model that serves already, whose training Flywheel did not request.
public struct IncumbentModel: Hashable, Sendable {
    public let version: ModelVersion
    /// Size and digest may be unknown.
    public let artifact: ArtifactReference
    /// By ascending name, no name twice; at most `ModelMetric.limit`.
    public let metrics: [ModelMetric]

    public init(version: ModelVersion, artifact: ArtifactReference, metrics: [ModelMetric] = []) {
        self.version = version
        self.artifact = artifact
        self.metrics = metrics.sorted { $0.name < $1.name }
    }
}
