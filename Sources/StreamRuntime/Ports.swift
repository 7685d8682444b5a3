import Glibc

/// Outcome of one poll of a group consumer.
public enum PollOutcome: Hashable, Sendable {
    /// No record or change arrived within the timeout.
    case idle
    /// The batch holds at least one record.
    case records
    /// Partitions are assigned to this member; nothing is fetched from them until the answer, `assign`.
    case assigned([TopicPartition])
    /// Partitions are assigned to another member after the answer, `unassign`; commit or abort the open transaction
    /// first.
    case revoked([TopicPartition])
    /// Partitions were assigned to another member already: abort, do not commit; answer with `unassign`.
    case lost([TopicPartition])
}

/// Committed offset of a group in a partition, with its metadata.
public struct GroupOffset: Hashable, Sendable {
    /// The next offset to read.
    public let next: Int64
    /// Metadata that the committer stored for the next owner of the partition, a few bytes; empty for none.
    public let metadata: String

    public init(_ next: Int64, metadata: String = "") {
        self.next = next
        self.metadata = metadata
    }
}

/// A member of a consumer group. Used on one thread only; offsets are committed through a transaction, never by itself.
public protocol GroupConsumer: AnyObject {
    /// The topics subscribed to; `RecordView.topic` counts in this order.
    var topics: [String] { get }

    /// Fills `batch` with at most `maximum` records, or reports a change of assignment (then `batch` is empty).
    /// Records of revoked partitions never appear after the answer.
    func poll(
        into batch: RecordBatch,
        maximum: Int,
        timeoutMilliseconds: Int
    ) throws(StreamError) -> PollOutcome

    /// Answers `assigned`: fetches each partition from the position given (a next offset).
    func assign(_ positions: [TopicPartition: Int64]) throws(StreamError)

    /// Answers `revoked` and `lost`.
    func unassign(_ partitions: [TopicPartition]) throws(StreamError)

    /// The group's stable committed offsets (after open transactions with offsets have ended); partitions without one
    /// are left out.
    func committed(_ partitions: [TopicPartition]) throws(StreamError) -> [TopicPartition: GroupOffset]

    /// The first and the next offset of a partition, uncommitted records included.
    func watermarks(_ partition: TopicPartition) throws(StreamError) -> (low: Int64, high: Int64)

    /// Moves assigned partitions; nothing fetched before is delivered afterwards.
    func seek(_ positions: [TopicPartition: Int64]) throws(StreamError)

    /// Stops and resumes fetching, for back-pressure.
    func pause(_ partitions: [TopicPartition]) throws(StreamError)
    func resume(_ partitions: [TopicPartition]) throws(StreamError)

    /// Reason for which nothing can be read now, while `poll` continues without an error; nil if none is known.
    var connectivityError: StreamError? { get }

    /// Leaves the group (a static member keeps its partitions until the session times out) and frees the client.
    func close()
}

extension GroupConsumer {
    /// No connectivity error is known.
    public var connectivityError: StreamError? { nil }

    /// The group's stable committed next offsets, without their metadata.
    public func committedOffsets(_ partitions: [TopicPartition]) throws(StreamError) -> [TopicPartition: Int64] {
        try committed(partitions).mapValues(\.next)
    }
}

/// A producer with a transactional id. Used on one thread only.
public protocol TransactionalProducer: AnyObject {
    /// Fences every older producer of the same id, and aborts a transaction that it left open. Must be called once,
    /// before all other calls.
    func initializeTransactions() throws(StreamError)
    func begin() throws(StreamError)
    /// Queues the records in order. Failures of delivery surface in `commit`.
    func send(_ records: [OutputRecord]) throws(StreamError)
    /// Puts offsets, with `consumer`'s group metadata, into the open transaction; the metadata of offsets is replaced.
    func sendOffsets(_ offsets: [TopicPartition: GroupOffset], of consumer: any GroupConsumer) throws(StreamError)
    func commit() throws(StreamError)
    func abort() throws(StreamError)
    func close()
}

extension TransactionalProducer {
    /// Puts next offsets without metadata into the open transaction.
    public func sendOffsets(_ offsets: [TopicPartition: Int64], of consumer: any GroupConsumer) throws(StreamError) {
        try sendOffsets(offsets.mapValues { GroupOffset($0) }, of: consumer)
    }
}

/// Outcome of one poll of a reader.
public enum ReadOutcome: Hashable, Sendable {
    case idle
    case records
    /// The reader is at this offset and there is nothing committed beyond it now.
    case endOfPartition(TopicPartition, Int64)
}

/// End of a partition for readers of committed records.
public struct SettledEnd: Hashable, Sendable {
    /// The next offset: nothing at this offset or after it is read.
    public let offset: Int64
    /// Whether there are more records at or after it, in or after an open transaction.
    public let isHeldBack: Bool

    public init(offset: Int64, isHeldBack: Bool) {
        self.offset = offset
        self.isHeldBack = isHeldBack
    }
}

/// Reads partitions without a group, committed records only. Used on one thread only.
public protocol LogReader: AnyObject {
    /// The topics that the reader may be started on; `RecordView.topic` counts in this order.
    var topics: [String] { get }
    func partitions(of topic: String) throws(StreamError) -> [Int32]
    /// Replaces the positions: each partition is read from its next offset.
    func start(_ positions: [TopicPartition: Int64]) throws(StreamError)
    func poll(into batch: RecordBatch, maximum: Int, timeoutMilliseconds: Int) throws(StreamError) -> ReadOutcome
    /// The first and the next offset, uncommitted records included.
    func watermarks(_ partition: TopicPartition) throws(StreamError) -> (low: Int64, high: Int64)
    /// The end of each partition, as a next offset. With `stable`, the last stable offset: records after it are not
    /// visible until a transaction has ended. Without, uncommitted records count.
    func ends(of partitions: [TopicPartition], stable: Bool) throws(StreamError) -> [TopicPartition: Int64]
    /// The first offset whose record has a timestamp of at least `time`, in milliseconds since 1970; the end if there
    /// is none.
    func firstOffset(_ partition: TopicPartition, since time: Int64) throws(StreamError) -> Int64
    func close()
}

extension LogReader {
    /// The first available offset, for readers that cannot look up times.
    public func firstOffset(_ partition: TopicPartition, since time: Int64) throws(StreamError) -> Int64 {
        try watermarks(partition).low
    }

    /// The partitions in which a transaction blocks readers: the stable end stays before the end for a second and a
    /// half. A worker's own transactions begin and end many times a second.
    ///
    /// - Parameter partitions: Partitions of any topics; one wait serves all of them, and there is no wait if no
    ///   transaction is open.
    /// - Returns: The partitions with blocked readers, in the same order.
    /// - Throws: `StreamError` when the ends cannot be read.
    public func heldBack(_ partitions: [TopicPartition]) throws(StreamError) -> [TopicPartition] {
        let stable = try ends(of: partitions, stable: true)
        let ends = try ends(of: partitions, stable: false)
        var held = partitions.filter { (ends[$0] ?? 0) > (stable[$0] ?? .max) }
        // The wait is divided into steps, because most transactions have ended after the first step.
        for _ in 0..<10 where !held.isEmpty {
            usleep(150_000)
            let now = try self.ends(of: held, stable: true)
            held.removeAll { now[$0] != stable[$0] }
        }
        return held
    }

    /// Ends of partitions for a caller that only reads. The call waits for records that are being written, at most a
    /// second and a half, once for all partitions: a worker's own transactions have ended by then.
    ///
    /// - Parameter partitions: Partitions of any topics.
    /// - Returns: The end of each partition that has one.
    /// - Throws: `StreamError` when the ends cannot be read.
    public func settledEnds(of partitions: [TopicPartition]) throws(StreamError) -> [TopicPartition: SettledEnd] {
        let ends = try ends(of: partitions, stable: false)
        var stable = try self.ends(of: partitions, stable: true)
        var open = partitions.filter { (stable[$0] ?? .max) < ends[$0] ?? 0 }
        for _ in 0..<10 where !open.isEmpty {
            usleep(150_000)
            stable.merge(try self.ends(of: open, stable: true)) { $1 }
            open.removeAll { (stable[$0] ?? .max) >= ends[$0] ?? 0 }
        }
        var settled: [TopicPartition: SettledEnd] = [:]
        for (topicPartition, end) in ends {
            let offset = min(end, stable[topicPartition] ?? end)
            settled[topicPartition] = SettledEnd(offset: offset, isHeldBack: offset < end)
        }
        return settled
    }

    /// The ends for readers without transactions, where both kinds of ends are the same.
    public func ends(of partitions: [TopicPartition], stable: Bool) throws(StreamError) -> [TopicPartition: Int64] {
        var ends: [TopicPartition: Int64] = [:]
        for partition in partitions { ends[partition] = try watermarks(partition).high }
        return ends
    }
}

/// Makes clients of one cluster.
public protocol StreamTransport: Sendable {
    /// `instance` is the static member id (`group.instance.id`).
    func makeConsumer(group: String, instance: String, topics: [String]) throws(StreamError) -> any GroupConsumer
    func makeProducer(transactionalID: String) throws(StreamError) -> any TransactionalProducer
    func makeReader(topics: [String]) throws(StreamError) -> any LogReader
    func clusterID() throws(StreamError) -> String
    /// Offsets that a group has committed, without joining it; open transactions are not waited for. Partitions
    /// without an offset are omitted.
    func groupOffsets(
        _ group: String,
        _ partitions: [TopicPartition]
    ) throws(StreamError) -> [TopicPartition: GroupOffset]
}
