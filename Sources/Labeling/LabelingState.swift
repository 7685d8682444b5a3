public import Tables
public import Vocabulary

/// A task that waits for answers.
public struct OpenTask: Hashable, Sendable {
    public let selection: Selection
    /// Answers so far in the order of the journal, one of each annotator.
    public var votes: [Vote]
    /// Annotators who skipped or flagged it; they are not asked again.
    public var declined: [AnnotatorID]
    /// Answers after which it may close; at most `votesReserved`.
    public var votesWanted: Int
    /// Votes reserved for it.
    public let votesReserved: Int
    /// How often its priority has risen.
    public var aged: Int
    /// By how much in all.
    public var priorityGained: Double
    public let openedAt: StreamTime
    public let expiresAt: StreamTime

    public init(
        selection: Selection,
        votes: [Vote],
        declined: [AnnotatorID],
        votesWanted: Int,
        votesReserved: Int,
        openedAt: StreamTime,
        expiresAt: StreamTime,
        aged: Int = 0,
        priorityGained: Double = 0
    ) {
        self.selection = selection
        self.votes = votes
        self.declined = declined
        self.votesWanted = votesWanted
        self.votesReserved = votesReserved
        self.aged = aged
        self.priorityGained = priorityGained
        self.openedAt = openedAt
        self.expiresAt = expiresAt
    }
}

/// What is left of a closed task: enough to know a late or repeated answer.
public struct ClosedTask: Hashable, Sendable {
    public let closing: LabelingTask.Closing
    public let label: ClassIndex?
    public let annotators: [AnnotatorID]

    public init(closing: LabelingTask.Closing, label: ClassIndex?, annotators: [AnnotatorID]) {
        self.closing = closing
        self.label = label
        self.annotators = annotators
    }
}

/// Tasks and the people who answer them.
public struct LabelingState: Sendable {
    /// Bounded by the open-task limit.
    public var open = Table<TaskID, OpenTask>()
    public var closed = Table<TaskID, ClosedTask>()
    /// Everybody who ever answered, skipped or flagged.
    public var annotators = Table<AnnotatorID, AnnotatorReliability>()

    public init() {}

    /// When the first open task expires.
    public var nextDeadline: StreamTime? {
        // Equal ranks are equal answers here.
        open.least(1) { $1.expiresAt }.first
    }
}
