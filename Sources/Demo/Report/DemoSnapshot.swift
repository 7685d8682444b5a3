/// Everything that the demo's page shows, at one moment.
public struct DemoSnapshot: Sendable {
    public var seed: UInt64 = 1
    /// As in `Apache Kafka 4.3.0`.
    public var broker = ""
    /// Seconds since the run began.
    public var elapsed = 0.0
    /// Seconds that the run will take.
    public var duration = 0.0
    public var isFinished = false
    public var active = ProjectView(name: "digits")
    public var random = ProjectView(name: "digits-random")
    public var annotators: [AnnotatorView] = []
    /// In the order they happened.
    public var events: [TimelineEvent] = []
    /// Filled in at the end: whether replaying the journals gives the same decisions.
    public var replayEqual: Bool?

    public init() {}

    /// One project's side of the page.
    public struct ProjectView: Sendable {
        public var name: String
        public var champion: String?
        public var challenger: String?
        public var curve: [CurvePoint] = []
        /// Tasks open now, highest priority first.
        public var asking: [AskedSample] = []
        public var releases: [ReleaseView] = []
        public var stages: [StageView] = []
        /// The stage that takes longest on average; nil before any was measured.
        public var bottleneck: String?
        public var cycles = 0
        public var tasks = 0
        public var votes = 0
        public var votesBudget = 0
        public var labels = 0
        public var auditLabels = 0
        public var datasetVersions = 0
        public var trainings = 0
        public var promotions = 0
        public var rollbacks = 0
        public var deadLetters = 0
        /// Training labels of the first model with a held-out accuracy of 0.9; nil while there is none.
        public var labelsTo90: Int?
        public var humanLabelsTo90: Int?
        public var votesTo90: Int?
        /// Held-out accuracy of the last model on the curve, in `0...1`.
        public var finalAccuracy: Double?
        /// Feedback about the broken copy until it was rolled back; nil until then.
        public var brokenRolledBackAfterFeedbacks: Int?
        /// Seconds from the prediction of the newest training sample to the release, a promotion each.
        public var predictionToRelease: [Double] = []

        public init(name: String) { self.name = name }
    }

    /// A trained model's place on the learning curve.
    public struct CurvePoint: Sendable {
        /// Labelled training samples of the version.
        public var labels: Int
        /// Held-out accuracy in `0...1` of the model trained on it.
        public var accuracy: Double
        public var modelVersion: String
        /// Seconds since the run began.
        public var at: Double

        public init(labels: Int, accuracy: Double, modelVersion: String, at: Double) {
            self.labels = labels
            self.accuracy = accuracy
            self.modelVersion = modelVersion
            self.at = at
        }
    }

    /// An open task.
    public struct AskedSample: Sendable {
        public var id: String
        /// 8 × 8 rows of `0...16`, darker is higher.
        public var pixels: [Int]
        /// `acquisition` or `audit`.
        public var purpose: String
        public var strategy: String
        public var score: Double
        /// The model that was scored; nil in a cold start.
        public var scoredBy: String?
        /// The class that it thought likeliest.
        public var predicted: String?
        public var votes: Int
        public var votesWanted: Int

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

    /// A record of `model-releases`, in words.
    public struct ReleaseView: Sendable {
        /// Seconds since the run began.
        public var at: Double
        /// `first`, `shadow`, `promoted`, `rolledBack` or `command`.
        public var cause: String
        public var champion: String
        public var challenger: String?
        public var replaced: String?
        /// In words, with figures.
        public var evidence: String
        /// Held-out accuracy of the champion, if known.
        public var accuracy: Double?

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

    /// How long a stage of the cycle takes on average, in seconds.
    public struct StageView: Sendable {
        public var name: String
        public var count: Int
        public var meanSeconds: Double

        public init(name: String, count: Int, meanSeconds: Double) {
            self.name = name
            self.count = count
            self.meanSeconds = meanSeconds
        }
    }

    /// A simulated annotator: how often they err, and what is believed.
    public struct AnnotatorView: Sendable {
        public var id: String
        /// In `0...1`.
        public var trueError: Double
        /// The mean of both projects' estimates; nil before the first.
        public var estimatedError: Double?
        public var answers: Int

        public init(id: String, trueError: Double, estimatedError: Double?, answers: Int) {
            self.id = id
            self.trueError = trueError
            self.estimatedError = estimatedError
            self.answers = answers
        }
    }

    /// Something worth a mark on the page's time axis.
    public struct TimelineEvent: Sendable {
        public enum Kind: String, Sendable { case workerKilled, workerBack, brokenShipped, rolledBack, promoted, note }
        public var at: Double
        public var kind: Kind
        /// Nil when it concerns both projects.
        public var project: String?
        public var text: String

        public init(at: Double, kind: Kind, project: String?, text: String) {
            self.at = at
            self.kind = kind
            self.project = project
            self.text = text
        }
    }
}
