/// All data that the demo's page shows, at one time.
public struct DemoSnapshot: Sendable {
    /// Seed of the run's randomness.
    public var seed: UInt64 = 1
    /// Name and version of the broker, as in `Apache Kafka 4.3.0`.
    public var broker = ""
    /// Seconds since the run began.
    public var elapsed = 0.0
    /// Duration of the run in seconds.
    public var duration = 0.0
    /// Whether the run is over: the page stops loading itself again.
    public var isFinished = false
    /// The project that queries the most informative samples.
    public var active = ProjectView(name: "digits")
    /// The project that queries at random.
    public var random = ProjectView(name: "digits-random")
    /// All annotators, in any order.
    public var annotators: [AnnotatorView] = []
    /// In the order they happened.
    public var events: [TimelineEvent] = []
    /// Whether a replay of the journals gives the same decisions; nil before the end of the run.
    public var replayEqual: Bool?

    /// A run that has not begun.
    public init() {}

    /// One project's side of the page.
    public struct ProjectView: Sendable {
        /// The project’s id.
        public var name: String
        /// The version that serves; nil before the first champion.
        public var champion: String?
        /// The version that is evaluated in the champion's shadow; nil if there is none.
        public var challenger: String?
        /// The models evaluated so far, in the order of their training.
        public var curve: [CurvePoint] = []
        /// Tasks open now, highest priority first.
        public var queriedSamples: [QueriedSample] = []
        /// In the order they happened.
        public var releases: [ReleaseView] = []
        /// The phases completed at least once.
        public var phases: [PhaseView] = []
        /// The name of the phase that delays the cycle most.
        public var bottleneck: String?
        /// Cycles completed, from a query to a judged model.
        public var cycles = 0
        /// Labelling tasks opened.
        public var tasks = 0
        /// Answers of annotators.
        public var votes = 0
        /// Number of answers that the project may request; 0 if there is no limit.
        public var votesBudget = 0
        /// Labels accepted, audit included.
        public var labels = 0
        /// Labels of audit samples.
        public var auditLabels = 0
        /// Dataset versions sealed.
        public var datasetVersions = 0
        /// Studies finished.
        public var trainings = 0
        /// Challengers that became champion.
        public var promotions = 0
        /// Champions rolled back.
        public var rollbacks = 0
        /// Records refused and published as dead letters.
        public var deadLetters = 0
        /// Labelled training samples of the first model at 90 %; nil until there is one.
        public var labelsTo90: Int?
        /// Training and audit labels in the version of that model; nil until there is one.
        public var humanLabelsTo90: Int?
        /// Answers that annotators had given by then.
        public var votesTo90: Int?
        /// Held-out accuracy in `0...1` of the model evaluated last; nil before the first evaluation.
        public var finalAccuracy: Double?
        /// Number of feedbacks until the model that was broken on purpose was rolled back.
        public var brokenRolledBackAfterFeedbacks: Int?
        /// Seconds from the prediction of the newest training sample to the release, one value for each promotion.
        public var predictionToRelease: [Double] = []

        /// Creates the view of a project without events.
        public init(name: String) { self.name = name }
    }

    /// A trained model on the learning curve.
    public struct CurvePoint: Sendable {
        /// Labelled training samples of the version.
        public var labels: Int
        /// Held-out accuracy in `0...1` of the model trained on it.
        public var accuracy: Double
        /// The evaluated model.
        public var modelVersion: String
        /// Seconds since the run began.
        public var at: Double

        /// Creates a point.
        public init(labels: Int, accuracy: Double, modelVersion: String, at: Double) {
            self.labels = labels
            self.accuracy = accuracy
            self.modelVersion = modelVersion
            self.at = at
        }
    }

    /// A queried sample.
    public struct QueriedSample: Sendable {
        /// The sample’s id.
        public var id: String
        /// 8 × 8 pixels, row by row, in `0...16`; higher values are darker.
        public var pixels: [Int]
        /// `acquisition` or `audit`.
        public var purpose: String
        /// The strategy that chose the sample, as in `margin+kmeans`.
        public var strategy: String
        /// The acquisition score; higher is more useful.
        public var score: Double
        /// The model whose prediction was scored; nil in a cold start.
        public var scoredBy: String?
        /// The class to which that model gave the highest probability; nil in a cold start.
        public var predicted: String?
        /// Answers so far.
        public var votes: Int
        /// Answers after which its label is decided.
        public var votesWanted: Int

        /// Creates a queried sample.
        public init(
            id: String,
            pixels: [Int],
            purpose: String,
            strategy: String,
            score: Double,
            scoredBy: String?,
            predicted: String?,
            votes: Int,
            votesWanted: Int
        ) {
            self.id = id
            self.pixels = pixels
            self.purpose = purpose
            self.strategy = strategy
            self.score = score
            self.scoredBy = scoredBy
            self.predicted = predicted
            self.votes = votes
            self.votesWanted = votesWanted
        }
    }

    /// A release, as services receive it.
    public struct ReleaseView: Sendable {
        /// Seconds since the run began.
        public var at: Double
        /// `first`, `shadow`, `promoted`, `rolled_back` or `command`.
        public var cause: String
        /// The version that serves from here on.
        public var champion: String
        /// The version evaluated in its shadow from here on; nil if there is none.
        public var challenger: String?
        /// The previous champion, if this release replaced it.
        public var replaced: String?
        /// Evidence for the release, in words and figures.
        public var evidence: String
        /// Held-out accuracy of the champion, if known.
        public var accuracy: Double?

        /// A release.
        public init(
            at: Double,
            cause: String,
            champion: String,
            challenger: String?,
            replaced: String?,
            evidence: String,
            accuracy: Double?
        ) {
            self.at = at
            self.cause = cause
            self.champion = champion
            self.challenger = challenger
            self.replaced = replaced
            self.evidence = evidence
            self.accuracy = accuracy
        }
    }

    /// Duration of a phase of the cycle.
    public struct PhaseView: Sendable {
        /// Name of the phase, as in `label`.
        public var name: String
        /// Number of times that the phase was completed.
        public var count: Int
        /// Mean duration of the phase.
        public var meanSeconds: Double

        /// Creates the view of a phase.
        public init(name: String, count: Int, meanSeconds: Double) {
            self.name = name
            self.count = count
            self.meanSeconds = meanSeconds
        }
    }

    /// An annotator, with the true error rate and the engine's estimate of it.
    public struct AnnotatorView: Sendable {
        /// The annotator’s id.
        public var id: String
        /// The true error rate, in `0...1`.
        public var trueError: Double
        /// The mean of both projects' estimates; nil before the first estimate.
        public var estimatedError: Double?
        /// Answers to both projects.
        public var answers: Int

        /// Creates the view of an annotator.
        public init(id: String, trueError: Double, estimatedError: Double?, answers: Int) {
            self.id = id
            self.trueError = trueError
            self.estimatedError = estimatedError
            self.answers = answers
        }
    }

    /// An event of the run.
    public struct TimelineEvent: Sendable {
        /// Kind of event.
        public enum Kind: String, Sendable { case workerKilled, workerBack, brokenShipped, rolledBack, promoted, note }
        /// Seconds since the run began.
        public var at: Double
        /// Kind of the event, which determines its mark.
        public var kind: Kind
        /// The project; nil if the event concerns both.
        public var project: String?
        /// Description of the event, in words.
        public var text: String

        /// Creates an event.
        public init(at: Double, kind: Kind, project: String?, text: String) {
            self.at = at
            self.kind = kind
            self.project = project
            self.text = text
        }
    }
}
