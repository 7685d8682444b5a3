public import Tables
public import Vocabulary

/// Prediction of one model for an audit sample.
public struct AuditPrediction: Hashable, Sendable {
    public let version: ModelVersion
    public let label: Label
    /// Whether a trainer, in place of a service, reported the prediction before the sample was queried.
    public let isByTrainer: Bool

    public init(version: ModelVersion, label: Label, isByTrainer: Bool = false) {
        self.isByTrainer = isByTrainer
        self.version = version
        self.label = label
    }
}

/// An audit sample: its label, once there is one, and the first prediction of each of the models in question.
public struct AuditRow: Hashable, Sendable {
    public let draw: Double
    /// Time at which the sample was first observed.
    public let since: StreamTime
    /// Label of the sample; nil until its audit task is answered.
    public var label: Label?
    /// The first prediction of each model in question: the champion, challenger, waiting model and canary, versions
    /// that a rollback could return to, and the models of its pair.
    public var predictions: [AuditPrediction]
    /// The two models that its label will judge; nil for a sample without a pair.
    public var pair: RowPair?
    /// The number of its audit task among those with a pair; nil before it opens.
    public var opening: Int?
    /// Whether it was queried because the two models disagree.
    public var isDuel: Bool
    /// The stratum in which it is counted among all candidates; nil if models are not judged by eras.
    public var stratum: AuditStratum?
    /// Whether it was queried, so that it stays in its stratum.
    public var isQueried: Bool
    /// Verdicts of users on its predictions; at most `RolloutState.verdictCapacity`.
    public var verdicts: [BucketVerdict]

    public init(
        draw: Double,
        since: StreamTime,
        label: Label? = nil,
        predictions: [AuditPrediction] = [],
        pair: RowPair? = nil,
        opening: Int? = nil,
        isDuel: Bool = false,
        stratum: AuditStratum? = nil,
        isQueried: Bool = false,
        verdicts: [BucketVerdict] = []
    ) {
        self.verdicts = verdicts
        self.stratum = stratum
        self.isQueried = isQueried
        self.pair = pair
        self.opening = opening
        self.isDuel = isDuel
        self.draw = draw
        self.since = since
        self.label = label
        self.predictions = predictions
    }

    func prediction(of version: ModelVersion) -> Label? {
        for prediction in predictions where prediction.version == version { return prediction.label }
        return nil
    }
}

/// Comparison of the challenger with the champion, on the audit labels that both were scored on.
public struct PairCounts: Hashable, Sendable {
    /// Audit labels of samples that both predicted.
    public var labels: Int
    /// Number of labels in `labels` with which the challenger agrees better: for kind `choice`, where it alone is
    /// right.
    public var challengerOnly: Int
    /// Number of labels in `labels` with which the champion agrees better.
    public var championOnly: Int
    /// Amount by which the challenger's wins fall short of whole ones, in total: a win counts by how much better it
    /// agrees. 0 for kind `choice`.
    public var challengerLack: Double
    /// Amount by which the champion's wins fall short of whole ones, in total. 0 for kind `choice`.
    public var championLack: Double

    /// Sum of the differences in agreement where the challenger agrees better; at most `challengerOnly`.
    public var gain: Double { max(0, Double(challengerOnly) - challengerLack) }
    /// Sum of the differences in agreement where the champion agrees better; at most `championOnly`.
    public var loss: Double { max(0, Double(championOnly) - championLack) }

    public init(
        labels: Int = 0,
        challengerOnly: Int = 0,
        championOnly: Int = 0,
        challengerLack: Double = 0,
        championLack: Double = 0
    ) {
        self.labels = labels
        self.challengerOnly = challengerOnly
        self.championOnly = championOnly
        self.challengerLack = challengerLack
        self.championLack = championLack
    }
}

/// Feedback about the champion since its release.
public struct FeedbackWatch: Hashable, Sendable {
    /// Feedback counted since the release that found the prediction wrong.
    public var negative: Int
    /// Feedback counted since the release.
    public var total: Int
    /// The share of negative feedback that is no reason to worry; nil while it is being learnt.
    public var expectedRate: Double?
    /// The detector's statistic: a sum of logarithms of likelihood ratios, restarted at 0 when it falls below 0.
    public var statistic: Double
    /// Buckets of users that found predictions wrong since the statistic last restarted, in that order; at most
    /// `RolloutState.alarmBuckets`.
    public var negativeBuckets: [Int]

    public init(
        negative: Int = 0,
        total: Int = 0,
        expectedRate: Double? = nil,
        statistic: Double = 0,
        negativeBuckets: [Int] = []
    ) {
        self.negativeBuckets = negativeBuckets
        self.negative = negative
        self.total = total
        self.expectedRate = expectedRate
        self.statistic = statistic
    }
}

/// A model that was champion before, and the share of negative feedback that was no reason to worry about it.
public struct FormerChampion: Hashable, Sendable {
    public let model: ReleasedModel
    public let expectedRate: Double?

    public init(model: ReleasedModel, expectedRate: Double?) {
        self.model = model
        self.expectedRate = expectedRate
    }
}

/// Models that serve, shadow, or served before.
public struct ModelRoles: Hashable, Sendable {
    /// Nil before the first model.
    public var champion: ReleasedModel?
    /// Nil while no model shadows.
    public var challenger: ReleasedModel?
    /// When the challenger began to shadow; without meaning while there is none.
    public var challengerSince: StreamTime
    /// The newest model, while the challenger keeps its role; nil if none waits.
    public var waiting: ReleasedModel?
    /// Former champions, the latest last; see `historyCapacity`.
    public var history: [FormerChampion]
    /// Models rolled back, the latest last; see `quarantineCapacity`.
    public var quarantined: [ModelVersion]
    /// Whether an operator stopped promotions.
    public var isHeld: Bool
    /// Live predictions of the challenger on audit samples.
    public var challengerLivePredictions: Int
    /// Live predictions of the champion on audit samples while the challenger has made none, as far as they are counted.
    public var livePredictionsWithoutChallenger: Int
    /// Time of the last notice that the challenger is not run anywhere; nil before the first notice.
    public var silenceReportedAt: StreamTime?
    /// Last number of the dataset log that the evidence may have counted for a champion promoted on audit labels;
    /// nil of any other, and in a project whose labels do not change.
    public var evidenceThrough: Int64?
    /// Labels in that evidence that were revised, retracted or moved since, as far as their rows are still kept. The evidence
    /// stays as it was.
    public var changedEvidence: Int

    public init(
        champion: ReleasedModel? = nil,
        challenger: ReleasedModel? = nil,
        challengerSince: StreamTime = StreamTime(milliseconds: 0),
        waiting: ReleasedModel? = nil,
        history: [FormerChampion] = [],
        quarantined: [ModelVersion] = [],
        isHeld: Bool = false,
        challengerLivePredictions: Int = 0,
        livePredictionsWithoutChallenger: Int = 0,
        silenceReportedAt: StreamTime? = nil,
        evidenceThrough: Int64? = nil,
        changedEvidence: Int = 0
    ) {
        self.evidenceThrough = evidenceThrough
        self.changedEvidence = changedEvidence
        self.silenceReportedAt = silenceReportedAt
        self.livePredictionsWithoutChallenger = livePredictionsWithoutChallenger
        self.challengerLivePredictions = challengerLivePredictions
        self.champion = champion
        self.challenger = challenger
        self.challengerSince = challengerSince
        self.waiting = waiting
        self.history = history
        self.quarantined = quarantined
        self.isHeld = isHeld
    }
}

/// Feedback that a bucket of users gave within a window.
public struct UserBucket: Hashable, Sendable {
    public let windowStart: StreamTime
    /// Number of feedback messages in the window; 0 for a voice.
    public let count: Int32
    /// Serial number of the watch that the voice belongs to; 0 if feedback is not judged by voices.
    public let serial: Int32

    /// Creates a bucket. The type is kept small: there may be 65,536 buckets for each version that serves.
    public init(windowStart: StreamTime, count: Int32 = 0, serial: Int32 = 0) {
        self.windowStart = windowStart
        self.count = count
        self.serial = serial
    }
}

/// State of the releases and of the evidence that judges them. Every table has a fixed capacity.
public struct RolloutState: Sendable {
    public var roles = Cell(ModelRoles())
    /// Audit samples that were predicted or labelled; see `rowCapacity`.
    public var rows = Table<SampleID, AuditRow>()
    /// Eviction order of the rows, a cache.
    var order = EvictionOrder()
    /// Counts of the complete rows of champion and challenger that were selected by the draw alone; recounted with
    /// every change of either model.
    public var pairs = Cell(PairCounts())
    /// The running era, and the state of its evidence.
    public var era = Cell(Era())
    /// Pairs of the running era, by number.
    public var bets = Table<Int, PairBet>()
    /// Audit tasks with a pair whose labels have not entered, by the number that they were opened under; see
    /// `openingCapacity`.
    public var openings = Table<Int, AuditOpening>()
    /// Audit candidates by stratum and day, labelled or not, in at most `candidateDays` days; see `candidateCounts`.
    public var candidates = Table<Int, Int64>()
    /// Feedback about the champion; restarted with every champion.
    public var watch = Cell(FeedbackWatch())
    /// How long versions have served, and whether releases are frozen.
    public var trust = Cell(ReleaseTrust())
    /// Buckets that users fall into by hash, 4,096 unless a policy sets another number. Users share their bucket's cap:
    /// memory is bounded, and a raid gains nothing.
    public var buckets = Table<Int, UserBucket>()
    /// Keys of recent feedback, each in the slot that is its value modulo 8,192: a duplicate is recognized unless
    /// another key has taken its slot since.
    public var seen = Table<Int, UInt64>()
    /// Voices about the versions that serve.
    public var watches = Table<ModelVersion, VoiceWatch>()
    /// The newest of these voices, by `arm` × `voiceCapacity` plus the number of the voice modulo `voiceCapacity`.
    public var voices = Table<Int, Voice>()
    /// Trust in the buckets of users whose verdicts were compared with labels.
    public var trusts = Table<Int, BucketTrust>()
    /// Voices, among the newest about a version, that rejected a prediction of a sample that is not an audit sample, by
    /// `arm` × `disputeCapacity` plus the number of the voice modulo `disputeCapacity`.
    public var disputes = Table<Int, Dispute>()
    /// Disputed samples whose labels are wanted, or whose tasks are open.
    public var verifications = Table<SampleID, Verification>()
    /// Voices about former champions.
    public var past = Cell(FeedbackPast())
    /// Classes that are currently suppressed.
    public var suppression = Cell(Suppression())
    /// Suspected versions, about which labels decide because few users are behind an alarm.
    public var suspicions = Table<ModelVersion, Suspicion>()
    /// The rollout in progress.
    public var progress = Cell(RolloutProgress())
    /// The newest blocks of voices about two versions, by `arm` × `voiceCapacity` of the judged version plus the number
    /// of the block modulo `voiceCapacity`.
    public var blocks = Table<Int, VoiceBlock>()
    /// The newest requests for predictions; see `requestCapacity`.
    public var requests = Table<RequestID, RequestedPredictions>()
    /// Answers of services about audit samples at the first step of a rollout, to be compared with a trainer's
    /// answers; see `checkCapacity`.
    public var checks = Table<SampleID, ServedAnswer>()

    /// Maximum number of former champions that are kept, and thus of consecutive rollbacks.
    public static let historyCapacity = 8
    /// Maximum number of quarantined models that are kept.
    public static let quarantineCapacity = 32
    /// Maximum number of audit samples that are kept.
    public static let rowCapacity = 1_000
    /// Number of buckets that users fall into, if feedback is not judged by voices.
    public static let bucketCount = 4_096
    /// Number of distinct buckets that must have found predictions wrong before a champion is rolled back: few users do
    /// not decide for all, however long they continue.
    public static let alarmBuckets = 8
    /// Slots for keys of feedback.
    public static let seenCapacity = 8_192

    /// Maximum number of versions that serve at the same time.
    public static let servingArms = 3
    /// Maximum number of user buckets that a policy may set.
    public static let maximumBuckets = 65_536
    /// Maximum number of voices kept about a version, so that they can be counted again without those of a few buckets.
    public static let voiceCapacity = 1_000

    public init() {}
}
