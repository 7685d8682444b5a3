/// Pending transaction: the records to write and the offsets read up to, gathered in memory until it opens.
public struct PendingTransaction {
    /// Records to write, in order.
    public internal(set) var outputs: [OutputRecord] = []
    /// The next offset to read of each partition that was read from.
    public internal(set) var positions: [TopicPartition: Int64] = [:]
    /// Approximate number of bytes of `outputs`.
    public internal(set) var bytes = 0
    /// Number of records processed.
    public internal(set) var records = 0
    /// Whether it must be committed although no record was read.
    public var mustCommit = false
    /// Whether it is the last one before its partitions are revoked in order.
    public internal(set) var isLeaving = false

    public init() {}

    public mutating func write(_ record: OutputRecord) {
        bytes += record.size
        outputs.append(record)
    }

    /// Sets the next offset to read once the transaction is committed; the last call for a partition counts.
    public mutating func advance(_ partition: TopicPartition, to next: Int64) { positions[partition] = next }

    var isEmpty: Bool { outputs.isEmpty && positions.isEmpty && !mustCommit }
}

/// One role's work between reading and committing: synchronous, determined by the records read, and without I/O of its
/// own except for restoring.
public protocol Processor: AnyObject {
    /// Restores the state of newly assigned partitions.
    ///
    /// - Parameters:
    ///   - partitions: New partitions; none of them is assigned yet.
    ///   - committed: The group's next offsets; partitions that the group has not read yet are missing.
    /// - Returns: The offset at which to begin each of `partitions`; a partition that is left out begins at the first
    ///   record that it still has.
    /// - Throws: An error when something cannot be restored, which ends the task.
    func assigned(_ partitions: [TopicPartition], committed: [TopicPartition: Int64]) throws
        -> [TopicPartition: Int64]
    /// Whether expired records may be skipped; if not, the task refuses to start.
    func toleratesExpiry(of partition: TopicPartition) -> Bool
    /// Discards the state of partitions that are no longer assigned.
    func unassigned(_ partitions: [TopicPartition])
    /// Processes a batch. Every record must be accounted for in `transaction`, whatever it contains.
    func process(_ batch: RecordBatch, topics: [String], into transaction: inout PendingTransaction) throws
    /// Called once per cycle, with or without records: for timers, and everything else that depends on time.
    ///
    /// - Parameters:
    ///   - now: Milliseconds since 1970, for timers only.
    ///   - transaction: Pending transaction; committed at once if this call writes and no record was read.
    /// - Throws: An error that ends the task, without a commit of the transaction.
    func punctuate(now: Int64, into transaction: inout PendingTransaction) throws
    /// Adds the last outputs, such as the changelog, to a transaction that is about to open.
    func willCommit(into transaction: inout PendingTransaction) throws
    /// Reports that the transaction is committed: the state in memory is now the committed state.
    func committed()
    /// Reports that the transaction is aborted: the state returns to the last commit.
    func aborted()
    /// Whether the processor has enough to do: while this is true, nothing is fetched, and transactions continue
    /// without records.
    var wantsPause: Bool { get }

    /// Whether a record that crashes workers is removed from the stream, by `quarantine`.
    var quarantinesRecords: Bool { get }
    /// Accounts for a single record without reading its content, because no worker survived the attempt.
    func quarantine(
        _ batch: RecordBatch,
        topics: [String],
        because reason: Quarantine,
        into transaction: inout PendingTransaction
    ) throws
    /// Whether an error that this processor threw is caused by the records in process and would occur again; any other
    /// error ends the task.
    func isAboutRecord(_ error: any Error) -> Bool
    /// Reports that the last owner of these partitions died, or was considered dead. Called after `assigned`.
    func foundUnclean(_ partitions: [TopicPartition])
    /// Reports that the group has no offset at all: it has never read anything, or its offsets have expired. Called
    /// before `assigned`.
    ///
    /// - Throws: An error when the two cases cannot be distinguished, which ends the task.
    func foundNoOffsets() throws
    /// Works on stored data, in separate transactions. Called in each cycle without a pending transaction, before
    /// anything is polled.
    ///
    /// - Returns: Whether to be called again, once its transaction is committed, before anything is polled.
    func betweenTransactions(into transaction: inout PendingTransaction) throws -> Bool
    /// Reports that the output of `betweenTransactions` could not be written, or that the call failed; the state is the
    /// one before the call.
    func betweenTransactionsRefused(_ reason: String)
}

extension Processor {
    /// True: records of traffic may expire.
    public func toleratesExpiry(of partition: TopicPartition) -> Bool { true }

    /// False, since `process` has dealt with its batch when it returns.
    public var wantsPause: Bool { false }

    /// False, for a processor with internal inputs only: it stops the stream instead, offsets carry no marks, and no
    /// record is removed.
    public var quarantinesRecords: Bool { false }

    public func quarantine(
        _ batch: RecordBatch,
        topics: [String],
        because reason: Quarantine,
        into transaction: inout PendingTransaction
    ) throws {}

    public func isAboutRecord(_ error: any Error) -> Bool { false }
    public func foundNoOffsets() throws {}
    public func foundUnclean(_ partitions: [TopicPartition]) {}
    public func betweenTransactions(into transaction: inout PendingTransaction) throws -> Bool { false }
    public func betweenTransactionsRefused(_ reason: String) {}
}

/// Limits on the duration and the size of a transaction.
public struct CommitPolicy: Hashable, Sendable {
    /// Milliseconds from the first record to the commit.
    public var interval: Int64
    /// Records that end a transaction early.
    public var maximumRecords: Int
    /// Records read from the client at once.
    public var batchSize: Int
    /// Bytes of output that end a transaction early.
    public var maximumBytes: Int

    public init(
        interval: Int64 = 100,
        maximumRecords: Int = 10_000,
        batchSize: Int = 2_000,
        maximumBytes: Int = 16 << 20
    ) {
        self.interval = interval
        self.maximumRecords = maximumRecords
        self.batchSize = batchSize
        self.maximumBytes = maximumBytes
    }
}
