public import Vocabulary

/// Time and contents of the last queries of Acquisition.
public struct BatchSchedule: Hashable, Sendable {
    /// 1970 before the first batch.
    public var lastBatchAt: StreamTime
    /// The newest model when the last batch was chosen.
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
    /// Audit tasks that the share of those opened for training labels has earned and that are not open yet; at least 0 where
    /// the share has not been lowered.
    public var auditOwed: Double
    /// The budget's window that `auditOwed` was last settled in; nil before the first.
    public var auditWindow: StreamTime?
    /// Training labels that were imported: known as if their samples had been queried.
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

    /// Samples with training labels that the project knows or has queried, whoever provided them.
    public var trainingSamples: Int { acquisitionTasks + importedLabels }
}
