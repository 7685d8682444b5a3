public import Tables
public import Vocabulary

/// Which audit samples are queried first, and which are not queried yet.
public struct AuditQueryRules: Hashable, Sendable {
    /// The number of the current pair of champion and challenger; nil if there is none.
    public let currentPair: Int?
    /// The share of audit tasks that query samples on which that pair disagrees, in `0...1`.
    public let duels: Double
    /// Milliseconds that a sample waits for its pair's challenger.
    public let wait: Int64
    /// Samples that may wait for a trainer's prediction at the same time; nil if services shadow.
    public let pendingPredictionLimit: Int?

    public init(currentPair: Int? = nil, duels: Double = 0, wait: Int64 = 0, pendingPredictionLimit: Int? = nil) {
        self.pendingPredictionLimit = pendingPredictionLimit
        self.currentPair = currentPair
        self.duels = duels
        self.wait = wait
    }
}

/// Circumstances in which a project queries: the policy in force, its tasks and models, and the entry applied.
public struct SelectionContext {
    private let shared: Boxed<AcquisitionPolicy>
    /// The revision in force.
    public var policy: AcquisitionPolicy { shared.value }
    /// The most votes that a task may use; at least 1.
    public let votesPerTask: Int
    /// Classes of the label schema.
    public let classes: Int
    /// Tasks open now; the open-task limit is the back-pressure of the annotators.
    public let openTasks: Int
    /// The dataset version number of the newest trained model, 0 before the first.
    public let newestVersionNumber: Int
    /// Queried training labels, answered or not, that the newest model does not know.
    public let unlearnedLabels: Int
    /// Which audit samples are queried first, and which are not queried yet.
    public let audit: AuditQueryRules
    /// Audit tasks that are wanted before others, beyond the share of the audit sample, from which they are deducted
    /// later.
    public let auditTasksWanted: Int
    /// Tasks that are wanted of samples which users dispute, on top of all others.
    public let disputedTasksWanted: Int
    /// The entry that gives the time and seeds the choice.
    public let entry: EntryContext

    public init(
        policy: Boxed<AcquisitionPolicy>,
        votesPerTask: Int = 1,
        classes: Int = 1,
        openTasks: Int = 0,
        newestVersionNumber: Int = 0,
        unlearnedLabels: Int = 0,
        audit: AuditQueryRules = AuditQueryRules(),
        auditTasksWanted: Int = 0,
        disputedTasksWanted: Int = 0,
        entry: EntryContext
    ) {
        shared = policy
        self.votesPerTask = votesPerTask
        self.classes = classes
        self.openTasks = openTasks
        self.newestVersionNumber = newestVersionNumber
        self.unlearnedLabels = unlearnedLabels
        self.audit = audit
        self.auditTasksWanted = auditTasksWanted
        self.disputedTasksWanted = disputedTasksWanted
        self.entry = entry
    }

    var time: StreamTime { entry.time }

    /// Whether a whole batch fits below the open-task limit once `tasks` more tasks are open.
    func hasRoom(after tasks: Int = 0) -> Bool { openTasks + tasks + policy.batchSize <= policy.openTaskLimit }
}
