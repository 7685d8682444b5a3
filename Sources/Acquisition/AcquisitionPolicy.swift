/// What to ask for, how much of it, and how fast.
public struct AcquisitionPolicy: Hashable, Sendable {
    public var function: AcquisitionFunction
    /// Put a batch together by the rule of `batch`; else, and where embeddings are wanted and missing, the highest scores are
    /// taken.
    public var isDiverse: Bool
    /// Tasks opened at once for training labels; at least 1.
    public var batchSize: Int
    /// k-means spreads a batch over this many times `batchSize` of the highest utilities; at least 1.
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
    /// What a model's output, or its logits, are tempered by before they are judged, above 0; 1 leaves them alone.
    public var temperature: Double
    /// How a batch is put together.
    public var batch: BatchPolicy

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
        patience: Int64 = 10_000,
        temperature: Double = 1,
        batch: BatchPolicy = BatchPolicy()
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
        self.temperature = temperature
        self.batch = batch
    }

    /// As in `margin+kmeans+herding_start`: score, the rule by which batches are chosen where embeddings allow it, and the
    /// rule of a cold start.
    public var strategyName: String {
        guard function != .random else { return "random" }
        guard isDiverse else { return function.rawValue }
        let start = batch.coldStart == .none ? "" : "+\(batch.coldStart.rawValue)_start"
        return function.rawValue + (batch.rule == .top ? "" : "+" + batch.rule.rawValue) + start
    }
}
