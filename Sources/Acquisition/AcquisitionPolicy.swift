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
    /// Answers that may be bought in a window.
    public var votes: Int
    /// Milliseconds.
    public var window: Int64
    /// Intake forwards this many candidates for each task that the budget allows.
    public var oversample: Double
    /// How long a batch waits for a model that has learnt from the last one, in milliseconds.
    public var patience: Int64

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
        patience: Int64 = 10_000
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
    }

    /// As in `margin+kmeans`: the rule by which batches are chosen where embeddings allow it.
    public var strategyName: String {
        function == .random ? "random" : function.rawValue + (isDiverse ? "+kmeans" : "")
    }
}
