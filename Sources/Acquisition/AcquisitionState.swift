public import Tables
public import Vocabulary

/// A candidate in the pool, and how new the model is that scored it.
public struct PooledCandidate: Hashable, Sendable {
    private let shared: Shared<Candidate>
    public var candidate: Candidate { shared.value }
    /// The ordinal of the dataset version that the scoring model was trained on; 0 when no model has seen the sample.
    public let modelOrdinal: Int
    /// The probability with which a stream's rule chose it, above 0; nil where no such rule has.
    public let propensity: Double?

    public init(candidate: Candidate, modelOrdinal: Int, propensity: Double? = nil) {
        shared = Shared(candidate)
        self.modelOrdinal = modelOrdinal
        self.propensity = propensity
    }
}

/// When Acquisition last asked, and what for.
public struct Cadence: Hashable, Sendable {
    /// 1970 before the first batch.
    public var lastBatchAt: StreamTime
    /// The newest model when the last batch was chosen.
    public var lastBatchOrdinal: Int
    /// Acquisition tasks ever opened.
    public var acquisitionTasks: Int
    /// Audit tasks ever opened.
    public var auditTasks: Int
    /// Acquisition tasks ever opened because a trigger fired.
    public var triggerTasks: Int
    /// Since when a batch has been possible: there are candidates, and room for open tasks.
    public var waitingSince: StreamTime?
    /// Whether the budget was used up when last looked at; a notice goes out each time that it becomes so.
    public var isExhaustionTold: Bool

    public init(
        lastBatchAt: StreamTime = StreamTime(milliseconds: 0),
        lastBatchOrdinal: Int = -1,
        acquisitionTasks: Int = 0,
        auditTasks: Int = 0,
        waitingSince: StreamTime? = nil,
        isExhaustionTold: Bool = false,
        triggerTasks: Int = 0
    ) {
        self.lastBatchAt = lastBatchAt
        self.lastBatchOrdinal = lastBatchOrdinal
        self.acquisitionTasks = acquisitionTasks
        self.auditTasks = auditTasks
        self.waitingSince = waitingSince
        self.isExhaustionTold = isExhaustionTold
        self.triggerTasks = triggerTasks
    }
}

/// The candidates, what was asked before, and the budget.
public struct AcquisitionState: Sendable {
    /// At most `poolCapacity` candidates for training labels.
    public var pool = Table<SampleID, PooledCandidate>()
    /// At most `auditCapacity` candidates of the audit sample: those drawn first.
    public var audit = Table<SampleID, PooledCandidate>()
    /// Every sample ever asked for: never asked again, in whatever part.
    public var asked = Table<SampleID, TaskPurpose>()
    public var ledger = Cell(BudgetLedger(windowStart: StreamTime(milliseconds: 0)))
    public var cadence = Cell(Cadence())
    /// Where the samples lie that were asked for last for training, by slot; at most as many as the policy's `memory`.
    public var memory = Table<Int, EmbeddingSketch>()
    /// The pool's least useful, a cache.
    var floor = Foremost<PoolRank>()
    /// What slices had room when `floor` was looked at; nil where there were no quotas.
    var floorMark: QuotaMark?
    /// That no row of the pool has room, a cache.
    var poolBlock: QuotaBlock?
    /// The same of what triggers let through.
    var triggeredBlock: QuotaBlock?
    /// The audit sample's last, a cache.
    var auditFloor = Foremost<AuditRank>()
    /// The rule that asks one by one, and its ledger; nil until the first candidate of a stream.
    public var stream = Cell<StreamFilter?>(nil)
    /// What each slice has taken; at most `SlicePolicy.sliceLimit`, one, and those that have shares of their own.
    public var slices = Table<String, SliceAccount>()
    /// At most `poolCapacity` candidates for training labels for which triggers fired; also in the pool if they belong there.
    public var triggered = Table<SampleID, TriggeredCandidate>()
    /// At most `poolCapacity` candidates for which triggers may yet fire.
    public var awaiting = Table<SampleID, TriggeredCandidate>()

    /// Whether there is anything to ask for.
    var hasCandidates: Bool { !pool.isEmpty || !audit.isEmpty || !triggered.isEmpty }

    /// Audit candidates kept.
    public static let auditCapacity = 200

    public init() {}
}
