public import Tables
public import Vocabulary

/// Circumstances in which a project asks for labels: the policy in force, its tasks and models, and the entry applied.
public struct SelectionContext {
    private let shared: Shared<AcquisitionPolicy>
    /// The revision in force.
    public var policy: AcquisitionPolicy { shared.value }
    /// The most votes that a task may take; at least 1.
    public let votesPerTask: Int
    /// Classes of the label schema.
    public let classes: Int
    /// Tasks open now; the open-task limit is the back-pressure of people.
    public let openTasks: Int
    /// The dataset ordinal of the newest trained model, 0 before the first.
    public let newestOrdinal: Int
    /// Training labels asked for, answered or not, that the newest model does not know.
    public let unlearnedLabels: Int
    /// Audit tasks that are wanted before others, beyond the share of the audit sample: what they take it does without later.
    public let auditTasksWanted: Int
    /// The entry that gives the time and seeds the choice.
    public let entry: EntryContext

    public init(
        policy: Shared<AcquisitionPolicy>,
        votesPerTask: Int = 1,
        classes: Int = 1,
        openTasks: Int = 0,
        newestOrdinal: Int = 0,
        unlearnedLabels: Int = 0,
        auditTasksWanted: Int = 0,
        entry: EntryContext
    ) {
        shared = policy
        self.votesPerTask = votesPerTask
        self.classes = classes
        self.openTasks = openTasks
        self.newestOrdinal = newestOrdinal
        self.unlearnedLabels = unlearnedLabels
        self.auditTasksWanted = auditTasksWanted
        self.entry = entry
    }

    var time: StreamTime { entry.time }

    /// Whether a whole batch fits below the open-task limit once so many tasks more are open.
    func hasRoom(after tasks: Int = 0) -> Bool { openTasks + tasks + policy.batchSize <= policy.openTaskLimit }
}
