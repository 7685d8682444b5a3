public import Vocabulary

/// Schedule of batches: the last batch, the time since which the next one has been possible, and counts of opened
/// tasks.
public struct BatchSchedule: Hashable, Sendable {
    /// Time of the last batch; 1970 before the first.
    public var lastBatchAt: StreamTime
    /// Dataset version number of the newest model when the last batch was chosen; initially -1.
    public var lastBatchVersionNumber: Int
    /// Acquisition tasks ever opened.
    public var acquisitionTasks: Int
    /// Audit tasks ever opened.
    public var auditTasks: Int
    /// Acquisition tasks ever opened because a trigger fired.
    public var triggerTasks: Int
    /// Time since which a batch has been possible: there are candidates, and free capacity for open tasks.
    public var waitingSince: StreamTime?
    /// Whether the budget was used up at the last check; a notice is issued each time that it becomes so.
    public var isExhaustionReported: Bool
    /// Audit tasks that are owed: those that the share earns by tasks opened for training labels, less those opened
    /// already; at least 0 unless the share was lowered.
    public var auditOwed: Double
    /// The budget's window that `auditOwed` was last settled in; nil before the first.
    public var auditWindow: StreamTime?
    /// Number of imported training labels, which count as if their samples had been queried.
    public var importedLabels: Int
    /// Credit that audit tasks have earned for samples on which champion and challenger disagree, in tasks; at most
    /// 1.
    public var duelCredit: Double

    public init(
        lastBatchAt: StreamTime = StreamTime(milliseconds: 0),
        lastBatchVersionNumber: Int = -1,
        acquisitionTasks: Int = 0,
        auditTasks: Int = 0,
        waitingSince: StreamTime? = nil,
        isExhaustionReported: Bool = false,
        triggerTasks: Int = 0,
        auditOwed: Double = 0,
        auditWindow: StreamTime? = nil,
        importedLabels: Int = 0,
        duelCredit: Double = 0
    ) {
        self.duelCredit = duelCredit
        self.importedLabels = importedLabels
        self.lastBatchAt = lastBatchAt
        self.lastBatchVersionNumber = lastBatchVersionNumber
        self.acquisitionTasks = acquisitionTasks
        self.auditTasks = auditTasks
        self.waitingSince = waitingSince
        self.isExhaustionReported = isExhaustionReported
        self.triggerTasks = triggerTasks
        self.auditOwed = auditOwed
        self.auditWindow = auditWindow
    }

    /// Number of samples whose training labels were queried or imported.
    public var trainingSamples: Int { acquisitionTasks + importedLabels }
}
