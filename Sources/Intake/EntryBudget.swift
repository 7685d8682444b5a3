public import Events
internal import Vocabulary

/// Limits on the journal entries, and on their bytes, that the records of one input topic may cause in one project
/// within an hour.
///
/// Entries are kept for ever, so any client that may write to an input topic could fill the disks for good. Usual
/// traffic is far below these limits.
public struct EntryLimits: Hashable, Sendable {
    /// Entries per hour, by input topic.
    public var entries: [Topic: Int]
    /// Bytes per hour for each topic: key, value and headers of the entries.
    public var bytes: Int

    /// Default limits: thousands of candidates per minute, the feedback of all users, and more answers, results and
    /// commands than people and programs send. The limit on dataset versions allows for a materializer with a new disk,
    /// which announces every version of a project again at once. The limit on revisions is above what a person applies
    /// by hand.
    public static let usual = EntryLimits(
        entries: [
            .predictions: 2_000_000, .feedback: 2_000_000, .annotations: 200_000, .trainingResults: 20_000,
            .commands: 1_000, .datasetVersions: 100_000, .imports: 2_000_000, .projects: 120,
        ],
        bytes: 4 << 30
    )

    /// Maximum bytes per hour of a project's revisions, whatever `bytes` is: sixteen revisions of the largest size.
    public static let revisionBytes = 16 << 20

    /// Maximum bytes per hour of the entries that records of a topic cause.
    func bytes(of topic: Topic) -> Int { topic == .projects ? min(bytes, Self.revisionBytes) : bytes }

    public init(entries: [Topic: Int], bytes: Int) {
        self.entries = entries
        self.bytes = bytes
    }
}

/// Limits the entries that Intake forwards: it stores the remaining entries and bytes of the hour, by project and input
/// topic.
///
/// The remainder grows continuously, up to the limit of an hour, and is kept in memory: a worker that restarts begins
/// with a full budget.
struct EntryBudget {
    private struct Key: Hashable {
        let project: ProjectID
        let topic: Topic
        let hasValidToken: Bool
    }

    private struct Account {
        var entries: Double
        var bytes: Double
        var last: Int64
        /// The last entry may overdraw the bytes: otherwise an entry larger than the budget could never be written.
        var hasRoom: Bool { entries >= 1 && bytes > 0 }
    }

    private static let hour = 3_600_000.0

    private let limits: EntryLimits
    private var accounts: [Key: Account] = [:]
    /// Accounts that the pending transaction has changed, with their values before it; nil for new accounts.
    private var before: [Key: Account?] = [:]
    /// Bounded, because projects are created and removed while a worker keeps running.
    private static let capacity = 65_536

    init(_ limits: EntryLimits) { self.limits = limits }

    /// Number of accounts that are kept; at most 65,536.
    var count: Int { accounts.count }

    /// Charges an entry to the budget, if the budget has capacity for it.
    ///
    /// - Parameters:
    ///   - project: The project whose journal receives the entry.
    ///   - topic: Topic of the record that causes the entry.
    ///   - size: Bytes of the entry.
    ///   - hasValidToken: Whether the record shows that it answers a request of Flywheel: such records have a budget of
    ///     their own, which the others cannot use up.
    ///   - time: Milliseconds; a step back counts as no elapsed time.
    ///   - share: The share of the traffic that this worker reads, in `0...1`: the worker has the same share of each
    ///     limit.
    /// - Returns: Whether the budget had capacity; otherwise nothing is charged.
    mutating func admits(
        _ project: ProjectID,
        _ topic: Topic,
        size: Int,
        hasValidToken: Bool = false,
        at time: Int64,
        share: Double
    ) -> Bool {
        let key = Key(project: project, topic: topic, hasValidToken: hasValidToken)
        let known = accounts[key]
        var account = account(key, at: time, share: share)
        let isAdmitted = account.hasRoom
        if isAdmitted {
            account.entries -= 1
            account.bytes -= Double(size)
        }
        if before[key] == nil { before[key] = .some(known) }
        if known == nil, accounts.count >= Self.capacity { removeFull(at: time, share: share) }
        accounts[key] = account
        return isAdmitted
    }

    /// Whether the budget has capacity for an entry; charges nothing. The parameters are those of `admits`.
    func hasRoom(_ project: ProjectID, _ topic: Topic, at time: Int64, share: Double) -> Bool {
        account(Key(project: project, topic: topic, hasValidToken: false), at: time, share: share).hasRoom
    }

    /// Entries and bytes of a full account.
    private func fullCapacity(_ key: Key, share: Double) -> (entries: Double, bytes: Double) {
        (max(1, Double(limits.entries[key.topic] ?? .max) * share), Double(limits.bytes(of: key.topic)) * share)
    }

    /// Returns the account of a key with its capacity at a time; a new account is full.
    private func account(_ key: Key, at time: Int64, share: Double) -> Account {
        let full = fullCapacity(key, share: share)
        var account = accounts[key] ?? Account(entries: full.entries, bytes: full.bytes, last: time)
        let part = Double(max(0, time - account.last)) / Self.hour
        account.last = time
        account.entries = min(full.entries, account.entries + full.entries * part)
        account.bytes = min(full.bytes, account.bytes + full.bytes * part)
        return account
    }

    /// Removes the accounts that are full again, which a new account would equal: nearly all, since usual traffic is far
    /// below the limits. If hardly any is full, all are removed, so that the next removal is not due at once.
    private mutating func removeFull(at time: Int64, share: Double) {
        accounts = accounts.filter { key, _ in
            let (known, full) = (account(key, at: time, share: share), fullCapacity(key, share: share))
            return known.entries < full.entries || known.bytes < full.bytes
        }
        if accounts.count > Self.capacity / 8 * 7 { accounts.removeAll() }
    }

    /// The transaction is committed.
    mutating func committed() { before.removeAll(keepingCapacity: true) }

    /// The transaction is aborted: the capacity that it used is restored.
    mutating func aborted() {
        for (key, account) in before { accounts[key] = account }
        before.removeAll(keepingCapacity: true)
    }
}
