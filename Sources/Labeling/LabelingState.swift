internal import Kinds
public import Tables
public import Vocabulary

/// A task that waits for answers.
public struct OpenTask: Hashable, Sendable {
    private let shared: Boxed<Selection>
    public var selection: Selection { shared.value }
    /// Answers so far in the order of the journal, one of each annotator.
    public var votes: [Vote]
    /// Annotators who skipped or flagged it; they are not asked again.
    public var declined: [AnnotatorID]
    /// Answers after which it may close; at most `votesReserved`.
    public var votesWanted: Int
    /// Votes reserved for it.
    public let votesReserved: Int
    /// How often its priority has risen.
    public var priorityRises: Int
    /// Total increase of its priority due to waiting.
    public var priorityGained: Double
    /// The extent of its question, if the project's question has grown since: it offers that number of the first
    /// classes in force. Nil if the extents are the same.
    public var extent: Int?
    /// Notes that people wrote with their flags, from edition 2 of the selection rules on; at most `noteLimit`.
    public var notes: [String]
    /// Names of the classes that its question does not offer: those suppressed when it opened.
    public let withheld: [String]
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
        priorityRises: Int = 0,
        priorityGained: Double = 0,
        extent: Int? = nil,
        notes: [String] = [],
        withheld: [String] = []
    ) {
        self.withheld = withheld
        self.extent = extent
        self.notes = notes
        shared = Boxed(selection)
        self.votes = votes
        self.declined = declined
        self.votesWanted = votesWanted
        self.votesReserved = votesReserved
        self.priorityRises = priorityRises
        self.priorityGained = priorityGained
        self.openedAt = openedAt
        self.expiresAt = expiresAt
    }

    /// Maximum number of notes that are kept for a task.
    public static let noteLimit = 3
    /// Maximum number of characters that are kept of a note.
    public static let noteLength = 200

    /// Stores the note of a flag: one line, cut to the maximum length; an empty note is not stored.
    mutating func note(_ text: String) {
        let line = text.split(whereSeparator: \.isWhitespace).joined(separator: " ").prefix(Self.noteLength)
        guard !line.isEmpty, notes.count < Self.noteLimit, !notes.contains(String(line)) else { return }
        notes.append(String(line))
    }

    /// The question as the task asked it, limited to the answers that the task allows.
    func question(_ inForce: Question) -> Question { extent.map { inForce.narrowed(to: $0) } ?? inForce }
}

/// Remainder of a closed task: enough to recognize a late or repeated answer.
public struct ClosedTask: Hashable, Sendable {
    public let closing: LabelingTask.Closing
    public let label: Label?
    public let annotators: [AnnotatorID]

    public init(closing: LabelingTask.Closing, label: Label?, annotators: [AnnotatorID]) {
        self.closing = closing
        self.label = label
        self.annotators = annotators
    }
}

/// Tasks and the people who answer them.
public struct LabelingState: Sendable {
    /// Open tasks; bounded by the open-task limit.
    public var open = Table<TaskID, OpenTask>()
    public var closed = Table<TaskID, ClosedTask>()
    /// All annotators who ever answered, skipped or flagged a task.
    public var annotators = Table<AnnotatorID, AnnotatorReliability>()

    /// Number of annotators with earned standing, a cache.
    var standingCount = StandingCount()
    /// Facts of the open tasks, a cache.
    private var facts = OpenTaskFacts()

    public init() {}

    /// When the first open task expires.
    public var nextDeadline: StreamTime? { facts.current(open).nextDeadline }

    /// Number of open tasks for training labels.
    public var openTrainingTasks: Int { facts.current(open).trainingTasks }

    /// When the first priority rises.
    ///
    /// - Complexity: O(*n*) in the open tasks after a change of them, else O(1).
    public func nextAgeing(policy: LabelingPolicy) -> StreamTime? {
        guard let span = policy.ageingEvery else { return nil }
        return facts.current(open, ageingEvery: span).nextAgeing
    }

    /// Scans the open tasks if they have changed, so that the next access to them does not have to.
    public mutating func refreshTaskFacts(policy: LabelingPolicy) {
        facts = facts.current(open, ageingEvery: policy.ageingEvery)
    }
}
