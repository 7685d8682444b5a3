public import Vocabulary

/// What to ask for, how much of it, and how fast.
public struct AcquisitionPolicy: Hashable, Sendable {
    public var function: AcquisitionFunction
    /// Spread a batch by weighted k-means where embeddings are present; else the highest scores are taken.
    public var isDiverse: Bool
    /// Tasks opened at once for training labels; at least 1.
    public var batchSize: Int
    /// A diverse batch is spread over this many times `batchSize` of the highest scores; at least 1.
    public var preselection: Int
    /// Candidates kept; at least `batchSize`.
    public var poolCapacity: Int
    /// No batch is selected that would bring more tasks than this to be open at once.
    public var openTaskLimit: Int
    /// The share of a batch, and of what Intake lets through, that is drawn by chance whatever the score, in `0...1`.
    public var explorationShare: Double
    /// The share of all tasks that are audit tasks, in `0...0.9`.
    public var auditShare: Double
    /// The share of samples that belong to the audit sample, in `0...1`.
    public var auditCutoff: Double
    /// Answers that may be bought in a window. With 0 nothing is asked.
    public var votes: Int
    /// Milliseconds.
    public var window: Int64
    /// People's time that may be bought in a window, in milliseconds; nil: no limit.
    public var time: Int64?
    /// Money that may be spent in a window, in millionths; nil: no limit.
    public var money: Int64?
    /// Windows whose unused budget is added to later ones.
    public var carriedWindows: Int
    /// What a vote may cost; tasks reserve it as it stood when they were opened.
    public var voteCost: VoteCost
    /// Intake forwards this many candidates for each task that the budget allows.
    public var oversample: Double
    /// How long a batch waits for a model that has learnt from the last one, in milliseconds.
    public var patience: Int64
    /// Quotas of slices; nil: none.
    public var slices: SlicePolicy?
    /// Ask one by one as candidates come, by a rule of its own; nil: in batches.
    public var stream: StreamPolicy?
    /// Conditions that let a prediction through whatever its score; at most `Trigger.limit`, names distinct.
    public var triggers: [Trigger]
    /// The share of a batch, and of all tasks, that triggers may ask for, in `0...1`.
    public var triggerShare: Double

    public init(
        function: AcquisitionFunction = .margin,
        isDiverse: Bool = true,
        batchSize: Int = 10,
        preselection: Int = 10,
        poolCapacity: Int = 500,
        openTaskLimit: Int = 20,
        explorationShare: Double = 0,
        auditShare: Double = 0.2,
        auditCutoff: Double = 0.1,
        votes: Int = 1_000,
        window: Int64 = 86_400_000,
        oversample: Double = 20,
        patience: Int64 = 10_000,
        time: Int64? = nil,
        money: Int64? = nil,
        carriedWindows: Int = 0,
        voteCost: VoteCost = .free,
        slices: SlicePolicy? = nil,
        stream: StreamPolicy? = nil,
        triggers: [Trigger] = [],
        triggerShare: Double = 0.2
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
        self.patience = patience
        self.time = time
        self.money = money
        self.carriedWindows = carriedWindows
        self.voteCost = voteCost
        self.slices = slices
        self.stream = stream
        self.triggers = triggers
        self.triggerShare = triggerShare
    }

    /// What may be spent in a window.
    public var budget: LabelBudget {
        LabelBudget(votes: votes, time: time, money: money, window: window, carriedWindows: carriedWindows)
    }

    /// As in `margin+kmeans`: the rule by which batches are chosen where embeddings allow it.
    public var strategyName: String {
        if let stream { return stream.strategy.rawValue }
        return function == .random ? "random" : function.rawValue + (isDiverse ? "+kmeans" : "")
    }
}
