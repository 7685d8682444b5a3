public import Events
internal import Vocabulary

/// How many journal entries, and bytes of them, the records of one input topic may become in one project and an hour.
///
/// Entries stay for ever, so whoever may write to an input topic could fill the disks for good. Usual traffic is far below
/// these.
public struct EntryLimits: Hashable, Sendable {
    /// Entries an hour.
    public var entries: [Topic: Int]
    /// Bytes an hour of each topic: key, value and headers of the entries.
    public var bytes: Int

    /// Thousands of candidates a minute, every user's feedback, and more answers, results and commands than people and
    /// programs give. A materializer with a new disk announces every version of a project again at once.
    public static let usual = EntryLimits(
        entries: [
            .predictions: 2_000_000, .feedback: 2_000_000, .annotations: 200_000, .trainingResults: 20_000,
            .commands: 1_000, .datasetVersions: 100_000, .imports: 2_000_000,
        ],
        bytes: 4 << 30
    )

    public init(entries: [Topic: Int], bytes: Int) {
        self.entries = entries
        self.bytes = bytes
    }
}

/// Holds what Intake forwards to its limits: what is left of an hour's entries and bytes, by project and input topic.
///
/// It grows by the moment, up to an hour's worth, and lives in memory: a worker that restarts begins with a full one.
struct EntryBudget {
    private struct Key: Hashable {
        let project: ProjectID
        let topic: Topic
        let isVouched: Bool
    }

    private struct Account {
        var entries: Double
        var bytes: Double
        var last: Int64
    }

    private static let hour = 3_600_000.0

    private let limits: EntryLimits
    private var accounts: [Key: Account] = [:]
    /// Those that the open turn has touched, as they were before it; nil of new ones.
    private var before: [Key: Account?] = [:]
    /// Projects come and go; a worker does not.
    private static let capacity = 65_536

    init(_ limits: EntryLimits) { self.limits = limits }

    /// Takes an entry's room, if it is there.
    ///
    /// - Parameters:
    ///   - project: Whose journal it goes to.
    ///   - topic: Of the record that it comes of.
    ///   - size: Bytes of the entry.
    ///   - isVouched: Whether the record shows that it answers what Flywheel asked for: such records have a budget of
    ///     their own, which the others cannot use up.
    ///   - time: Milliseconds; going back counts as standing still.
    ///   - share: The part of the traffic that this worker sees, in `0...1`: of each limit it has as much.
    /// - Returns: Whether it was there; nothing is taken otherwise.
    mutating func takes(
        _ project: ProjectID,
        _ topic: Topic,
        size: Int,
        isVouched: Bool = false,
        at time: Int64,
        share: Double
    ) -> Bool {
        let most = (entries: max(1, Double(limits.entries[topic] ?? .max) * share), bytes: Double(limits.bytes) * share)
        let key = Key(project: project, topic: topic, isVouched: isVouched)
        let known = accounts[key]
        var account = known ?? Account(entries: most.entries, bytes: most.bytes, last: time)
        let part = Double(max(0, time - account.last)) / Self.hour
        account.last = time
        account.entries = min(most.entries, account.entries + most.entries * part)
        account.bytes = min(most.bytes, account.bytes + most.bytes * part)
        // The last entry may owe bytes: one that is larger than the budget would never go.
        let isTaken = account.entries >= 1 && account.bytes > 0
        if isTaken {
            account.entries -= 1
            account.bytes -= Double(size)
        }
        if before[key] == nil { before[key] = .some(known) }
        if known == nil, accounts.count >= Self.capacity { accounts.removeAll() }
        accounts[key] = account
        return isTaken
    }

    /// The transaction stands.
    mutating func committed() { before.removeAll(keepingCapacity: true) }

    /// The transaction does not stand: what it took comes again.
    mutating func aborted() {
        for (key, account) in before { accounts[key] = account }
        before.removeAll(keepingCapacity: true)
    }
}
