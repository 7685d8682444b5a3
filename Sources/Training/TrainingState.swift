public import Tables
public import Vocabulary

/// The conditions of a study, its trials, and the number of their repeats.
public struct TrainingPolicy: Hashable, Sendable {
    /// New training labels since the last study that trigger another; at least 1.
    public var newLabels: Int
    /// The settings that a study tries; at least one.
    public var trials: [Hyperparameters]
    /// Repeats of each trial with different seeds; at least 1.
    public var repeats: Int
    /// Maximum number of repeats of all trials together: a study must fit in a record of the changelog.
    public static let largestStudy = 500
    /// Time limit for a study, in milliseconds.
    public var deadline: Int64
    /// Allowed locations of artifacts: Intake refuses results that name another location. At least one.
    public var artifacts: [ArtifactPrefix]
    /// Prefix of the names of Flywheel's models, before a number; 1 to 64 bytes.
    public var versionPrefix: String

    public init(
        newLabels: Int = 5,
        trials: [Hyperparameters] = [Hyperparameters()],
        repeats: Int = 3,
        deadline: Int64 = 600_000,
        artifacts: [ArtifactPrefix] = ArtifactPrefix.usual,
        versionPrefix: String = "v"
    ) {
        self.versionPrefix = versionPrefix
        self.artifacts = artifacts
        self.newLabels = newLabels
        self.trials = trials
        self.repeats = repeats
        self.deadline = deadline
    }
}

/// One result of a study.
public struct RepeatResult: Hashable, Sendable {
    public let trial: Int
    public let repetition: Int
    /// The artifact; nil if the repeat failed.
    public let artifact: ArtifactReference?
    public let score: Double?
    /// Predictions for the test labels; nil when the trainer did not report them, or the study is too large to keep
    /// them.
    public let predictions: [Label]?
    /// Reason of the failure, if the trainer reports it in machine-readable form.
    public let reason: String?
    /// Labels that the trainer left out, for the first repeat of a trial; nil if it used all.
    public let leftOut: LeftOutLabels?
    /// Whether the artifact was present; nil if it could not be checked.
    public let verified: Bool?
    /// Score on the validation labels; nil if the trainer does not report it.
    public let validation: ValidationScore?

    public init(
        trial: Int,
        repetition: Int,
        artifact: ArtifactReference?,
        score: Double?,
        predictions: [Label]? = nil,
        reason: String? = nil,
        leftOut: LeftOutLabels? = nil,
        verified: Bool? = nil,
        validation: ValidationScore? = nil
    ) {
        self.verified = verified
        self.validation = validation
        self.reason = reason
        self.leftOut = leftOut
        self.predictions = predictions
        self.trial = trial
        self.repetition = repetition
        self.artifact = artifact
        self.score = score
    }
}

/// A study in progress.
public struct Study: Hashable, Sendable {
    public let request: TrainingRequest
    public let newestSampleAt: StreamTime
    public let startedAt: StreamTime
    /// Results in the order of the journal, at most one for each repeat of each trial.
    public var results: [RepeatResult]

    public init(
        request: TrainingRequest,
        newestSampleAt: StreamTime,
        startedAt: StreamTime,
        results: [RepeatResult] = []
    ) {
        self.request = request
        self.newestSampleAt = newestSampleAt
        self.startedAt = startedAt
        self.results = results
    }

    /// Whether every repeat of every trial has ended, successfully or not.
    public var isComplete: Bool { results.count >= request.trials.count * request.repeats }
}

/// A sealed version that waits for a study.
public struct WaitingVersion: Hashable, Sendable {
    public let version: SealedVersion
    public let newestSampleAt: StreamTime

    public init(version: SealedVersion, newestSampleAt: StreamTime) {
        self.version = version
        self.newestSampleAt = newestSampleAt
    }
}

/// State of Training between studies.
public struct TrainingProgress: Hashable, Sendable {
    /// Number of studies begun.
    public var studies: Int
    /// Number of training labels in the version of the last study, without those that have changed since.
    public var trainedLabels: Int
    /// Sequence number at which that version was cut in the log; nil for a version of format 1, in which no label
    /// changed.
    public var trainedThrough: Int64?
    /// The running study, of which there is at most one; nil if none runs.
    public var running: Study? {
        get { sharedRunning?.value }
        set { sharedRunning = newValue.map { Boxed($0) } }
    }
    /// The newest sealed version that no study has used; an older one is replaced.
    public var waiting: WaitingVersion? {
        get { sharedWaiting?.value }
        set { sharedWaiting = newValue.map { Boxed($0) } }
    }
    /// The newest trained model: it scores candidates before it is promoted.
    public var newest: ReleasedModel? {
        get { sharedNewest?.value }
        set { sharedNewest = newValue.map { Boxed($0) } }
    }
    /// Number of training labels that the newest model knows; 0 while a study runs.
    public var learnedLabels: Int { sharedRunning == nil ? trainedLabels : 0 }
    /// The dataset version number of the newest trained model, 0 before the first.
    public var newestVersionNumber: Int { sharedNewest?.value.datasetVersionNumber ?? 0 }

    // Boxed, because every entry reads these values but few entries change them.
    private var sharedRunning: Boxed<Study>?
    private var sharedWaiting: Boxed<WaitingVersion>?
    private var sharedNewest: Boxed<ReleasedModel>?

    public init(
        studies: Int = 0,
        trainedLabels: Int = 0,
        running: Study? = nil,
        waiting: WaitingVersion? = nil,
        newest: ReleasedModel? = nil,
        trainedThrough: Int64? = nil
    ) {
        self.trainedThrough = trainedThrough
        self.studies = studies
        self.trainedLabels = trainedLabels
        sharedRunning = running.map { Boxed($0) }
        sharedWaiting = waiting.map { Boxed($0) }
        sharedNewest = newest.map { Boxed($0) }
    }
}

/// Studies and the models that they produced.
public struct TrainingState: Sendable {
    public var progress = Cell(TrainingProgress())
    /// The most recently trained models, by version; see `modelCapacity`.
    public var models = Table<ModelVersion, ReleasedModel>()
    /// Requests that have ended, with the numbers of their studies, so that a late result is distinguished from one for
    /// an unknown request; see `requestCapacity`.
    public var ended = Table<RequestID, Int>()

    /// Maximum number of models stored besides the newest.
    public static let modelCapacity = 64
    /// Maximum number of ended requests stored.
    public static let requestCapacity = 256
    /// Maximum number of predictions stored for all repeats of a study together: its row must fit in a record.
    public static let predictionCapacity = 100_000

    public init() {}

    /// Version numbers of the versions that wait for a study, or are studied.
    public var studiedVersions: [Int] {
        [progress.value.waiting?.version.versionNumber, progress.value.running?.request.dataset.versionNumber]
            .compactMap { $0 }
    }

    /// Time at which the running study is abandoned; nil while none runs.
    public var nextDeadline: StreamTime? { progress.value.running?.request.deadline }
}
