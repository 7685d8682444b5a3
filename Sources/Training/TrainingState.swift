public import Tables
public import Vocabulary

/// When to train, and how often each setting is repeated.
public struct TrainingPolicy: Hashable, Sendable {
    /// New training labels since the last study that trigger another; at least 1.
    public var newLabels: Int
    /// The settings that a study tries; at least one.
    public var trials: [Hyperparameters]
    /// Repeats of each trial with different seeds; at least 1.
    public var repeats: Int
    /// Repeats of all trials together, at most: a study must fit a record of the changelog.
    public static let largestStudy = 500
    /// Milliseconds that trainers have for a study.
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
    /// Nil when it failed.
    public let artifact: ArtifactReference?
    public let score: Double?
    /// Predictions for the test labels; nil when the trainer did not report them, or the study is too large to keep
    /// them.
    public let predictions: [Label]?
    /// Reason of the failure, if the trainer reports it in machine-readable form.
    public let reason: String?
    /// Labels that the trainer went on without, of the first repeat of a trial; nil when it used all.
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
    /// In the order of the journal, one of each repeat of each trial.
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

    /// Whether every repeat of every trial has ended, well or not.
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
    /// Studies begun.
    public var studies: Int
    /// Training labels in the version of the last study, without those that have changed since.
    public var trainedLabels: Int
    /// Where that version was cut in the log; nil of one of format 1, in which no label changed.
    public var trainedThrough: Int64?
    /// One at a time.
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
    /// Training labels that the newest model knows; none while a study runs.
    public var learnedLabels: Int { sharedRunning == nil ? trainedLabels : 0 }
    /// The dataset version number of the newest trained model, 0 before the first.
    public var newestVersionNumber: Int { sharedNewest?.value.datasetVersionNumber ?? 0 }

    // Read by every entry, and changed by few.
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

/// Studies and the models they made.
public struct TrainingState: Sendable {
    public var progress = Cell(TrainingProgress())
    /// The models trained last, by version; see `modelCapacity`.
    public var models = Table<ModelVersion, ReleasedModel>()
    /// Requests that have ended, by whether they produced a model: a late result is distinguished from a stray one. See
    /// `requestCapacity`.
    public var ended = Table<RequestID, Int>()

    /// Models remembered beside the newest.
    public static let modelCapacity = 64
    /// Ended requests remembered.
    public static let requestCapacity = 256
    /// Predictions kept of all repeats of a study together: its row must fit a record.
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
