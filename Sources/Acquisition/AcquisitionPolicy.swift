public import Strategies
public import Vocabulary

/// Policy of acquisition: which samples are selected, how many, and how fast.
public struct AcquisitionPolicy: Hashable, Sendable {
    public var function: AcquisitionFunction
    /// Whether a batch is composed by the rule of `batch`; else, and if embeddings are required and missing, the
    /// highest scores are selected.
    public var isDiverse: Bool
    /// Tasks opened at once for training labels; at least 1.
    public var batchSize: Int
    /// k-means spreads a batch over this many times `batchSize` of the highest utilities; at least 1.
    public var preselection: Int
    /// Candidates kept; at least `batchSize`.
    public var poolCapacity: Int
    /// No batch is selected that would bring more tasks than this to be open at once.
    public var openTaskLimit: Int
    /// The share of a batch, and of the candidates that Intake forwards, that is selected at random whatever the score,
    /// in `0...1`.
    public var explorationShare: Double
    /// The upper bound up to which the share selected at random grows while audit labels show that the model is wrong
    /// where it is sure, in `0...1`; if it is no more than `explorationShare`, the share never grows. Ignored in
    /// edition 1.
    public var explorationMost: Double
    /// The share of tasks that are audit tasks, in `0...0.9`: of a window's tasks in edition 2, of all tasks in edition
    /// 1. With 0 there are no audit tasks, and no sample is kept for them.
    public var auditShare: Double
    /// Audit tasks opened at once, in addition to their share: no model is judged without test labels. Ignored in
    /// edition 1.
    public var auditFirst: Int
    /// The share of samples that belong to the audit sample, in `0...1`.
    public var auditCutoff: Double
    /// Milliseconds after which an audit candidate is queried only if no younger one waits; 0: age does not matter.
    public var auditAge: Int64
    /// Answers that may be bought in a window. With 0 nothing is queried.
    public var votes: Int
    /// Length of a budget window, in milliseconds.
    public var window: Int64
    /// People's time that may be bought in a window, in milliseconds; nil: no limit.
    public var time: Int64?
    /// Money that may be spent in a window, in millionths; nil: no limit.
    public var money: Int64?
    /// Windows whose unused budget is added to later ones.
    public var carriedWindows: Int
    /// Cost limits of one vote; a task reserves those that were in force when it opened.
    public var voteCost: VoteCost
    /// Intake forwards this many candidates for each task that the budget allows.
    public var oversample: Double
    /// The longest time that a batch waits for a model that has learnt from the last batch, in milliseconds.
    public var maximumWait: Int64
    /// Temperature applied to a model's output, or to its logits, before they are judged, above 0; 1 has no effect.
    public var temperature: Double
    /// Policy by which a batch is composed.
    public var batch: BatchPolicy
    /// Quotas of slices; nil: none.
    public var slices: SlicePolicy?
    /// Policy for querying candidates one by one as they arrive, by a rule of its own; nil: in batches.
    public var stream: StreamPolicy?
    /// Conditions that let a prediction through whatever its score; at most `Trigger.limit`, names distinct.
    public var triggers: [Trigger]
    /// The share of a batch, and of all tasks, that triggers may query, in `0...1`.
    public var triggerShare: Double
    /// The edition of the selection rules, in `1...latestEdition`: an older journal is always replayed under its own
    /// edition.
    public var edition: Int

    /// The newest edition. From edition 2 on, `auditShare` is kept in each window, and a batch waits for a shorter time
    /// if enough candidates are scored already.
    public static let latestEdition = 2

    public init(
        function: AcquisitionFunction = .margin,
        isDiverse: Bool = true,
        batchSize: Int = 10,
        preselection: Int = 3,
        poolCapacity: Int = 500,
        openTaskLimit: Int = 20,
        explorationShare: Double = 0,
        auditShare: Double = 0.2,
        auditCutoff: Double = 0.1,
        votes: Int = 1_000,
        window: Int64 = 86_400_000,
        oversample: Double = 20,
        maximumWait: Int64 = 10_000,
        temperature: Double = 1,
        batch: BatchPolicy = BatchPolicy(),
        time: Int64? = nil,
        money: Int64? = nil,
        carriedWindows: Int = 0,
        voteCost: VoteCost = .free,
        slices: SlicePolicy? = nil,
        stream: StreamPolicy? = nil,
        triggers: [Trigger] = [],
        triggerShare: Double = 0.2,
        auditFirst: Int = 20,
        explorationMost: Double = 0.5,
        auditAge: Int64 = 86_400_000,
        edition: Int = latestEdition
    ) {
        self.function = function
        self.isDiverse = isDiverse
        self.batchSize = batchSize
        self.preselection = preselection
        self.poolCapacity = poolCapacity
        self.openTaskLimit = openTaskLimit
        self.explorationShare = explorationShare
        self.auditShare = auditShare
        self.auditCutoff = auditCutoff
        self.votes = votes
        self.window = window
        self.oversample = oversample
        self.maximumWait = maximumWait
        self.temperature = temperature
        self.batch = batch
        self.time = time
        self.money = money
        self.carriedWindows = carriedWindows
        self.voteCost = voteCost
        self.slices = slices
        self.stream = stream
        self.triggers = triggers
        self.triggerShare = triggerShare
        self.auditFirst = auditFirst
        self.explorationMost = explorationMost
        self.auditAge = auditAge
        self.edition = edition
    }

    /// Whether samples are kept for audit tasks.
    public var isAudited: Bool { auditShare > 0 }

    /// Audit tasks for each task for a training label.
    var auditRatio: Double {
        let share = min(max(auditShare, 0), 0.9)
        return share / (1 - share)
    }

    /// Whether the audit sample receives its share of the tasks of the other sources, window by window.
    var sharesByWindow: Bool { edition >= 2 }

    /// Budget of one window in votes, time and money, with the windows whose unused budget is carried over.
    public var budget: LabelBudget {
        LabelBudget(votes: votes, time: time, money: money, window: window, carriedWindows: carriedWindows)
    }

    /// Name of the strategy, as in `margin+kmeans+herding_start`: score, the rule by which batches are chosen if
    /// embeddings allow it, and the rule of a cold start.
    public var strategyName: String {
        if let stream { return stream.strategy.rawValue }
        guard function != .random else { return "random" }
        guard isDiverse else { return function.rawValue }
        let start = batch.coldStart == .none ? "" : "+\(batch.coldStart.rawValue)_start"
        return function.rawValue + (batch.rule == .top ? "" : "+" + batch.rule.rawValue) + start
    }
}
