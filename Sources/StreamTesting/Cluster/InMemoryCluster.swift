public import StreamRuntime
internal import Synchronization

/// A Kafka cluster in memory, with the features that correctness depends on: transactions that hide uncommitted
/// records, fencing, consumer groups with generations and static members, append times from a clock that the test owns.
///
/// No call waits: a poll without a result returns at once. A reader's poll advances the clock by its timeout; a group
/// consumer's poll does not, because its caller sets the time.
///
/// ```swift
/// let cluster = InMemoryCluster()
/// cluster.createTopic("numbers")
/// let producer = try cluster.makeProducer(transactionalID: "example")
/// try producer.initializeTransactions()
/// try producer.begin()
/// try producer.send([OutputRecord(topic: "numbers", value: [7])])
/// let hidden = cluster.committed("numbers")
/// try producer.commit()
/// let visible = cluster.committed("numbers")
/// ```
public final class InMemoryCluster: StreamTransport {
    /// Clock of append times and timeouts.
    public let clock: SimulatedClock
    private let name: String
    /// Maximum time that a transaction may stay open, in milliseconds.
    private let transactionTimeout: Int64
    private let state = Mutex(ClusterState())

    /// An empty cluster; `transactionTimeout` is in milliseconds.
    public init(
        clock: SimulatedClock = SimulatedClock(),
        clusterID: String = "memory",
        transactionTimeout: Int64 = 10_000
    ) {
        self.clock = clock
        name = clusterID
        self.transactionTimeout = transactionTimeout
    }

    func locked<R: Sendable>(_ body: (inout ClusterState) throws(StreamError) -> R) throws(StreamError) -> R {
        let (time, timeout) = (clock.now, transactionTimeout)
        return try state.withLock { (state) throws(StreamError) -> R in
            state.expire(olderThan: timeout, at: time)
            return try body(&state)
        }
    }

    private func expireTransactions() {
        let (time, timeout) = (clock.now, transactionTimeout)
        state.withLock { $0.expire(olderThan: timeout, at: time) }
    }

    // MARK: - Transport

    /// A member that joins with its first poll.
    public func makeConsumer(
        group: String,
        instance: String,
        topics: [String]
    ) throws(StreamError) -> any GroupConsumer {
        InMemoryConsumer(cluster: self, group: group, instance: instance, topics: topics)
    }

    /// A producer that is not initialized yet.
    public func makeProducer(transactionalID: String) throws(StreamError) -> any TransactionalProducer {
        InMemoryProducer(cluster: self, transactionalID: transactionalID)
    }

    /// A reader that is not started yet.
    public func makeReader(topics: [String]) throws(StreamError) -> any LogReader {
        InMemoryReader(cluster: self, topics: topics)
    }

    /// The cluster id that was passed to the initializer.
    public func clusterID() throws(StreamError) -> String { name }

    /// Offsets that the group has committed.
    public func groupOffsets(
        _ group: String,
        _ partitions: [TopicPartition]
    ) throws(StreamError) -> [TopicPartition: GroupOffset] {
        expireTransactions()
        let offsets = state.withLock { $0.groups[group]?.offsets ?? [:] }
        return offsets.filter { partitions.contains($0.key) }
    }

    // MARK: - For tests

    /// Creates a topic that accepts records of at most `maximumBytes`; an existing topic is not changed.
    public func createTopic(_ topic: String, partitions: Int = 1, maximumBytes: Int = 1_048_588) {
        state.withLock { state in
            guard state.topics[topic] == nil else { return }
            let logs = [PartitionLog](repeating: PartitionLog(), count: partitions)
            state.topics[topic] = .init(partitions: logs, maximumBytes: maximumBytes)
        }
    }

    /// Appends a record outside any transaction, at the clock's time unless another is given.
    public func append(_ record: OutputRecord, at time: Int64? = nil) throws(StreamError) {
        let time = time ?? clock.now
        try locked { (state) throws(StreamError) in try state.append(record, to: nil, at: time) }
    }

    /// The committed records of a partition that a reader sees now.
    public func committed(_ topic: String, _ partition: Int32) -> [StoredRecord] {
        expireTransactions()
        return state.withLock { state in
            guard let logs = state.topics[topic]?.partitions, logs.indices.contains(Int(partition)) else { return [] }
            return logs[Int(partition)].read(from: 0, maximum: .max).records
        }
    }

    /// The committed records of all partitions, one partition after the other.
    public func committed(_ topic: String) -> [StoredRecord] {
        (0..<Int32(partitionCount(of: topic))).flatMap { committed(topic, $0) }
    }

    /// Number of partitions of a topic; 0 if it does not exist.
    public func partitionCount(of topic: String) -> Int { state.withLock { $0.count(of: topic) } }

    /// The committed next offsets of a group.
    public func offsets(of group: String) -> [TopicPartition: Int64] {
        state.withLock { $0.groups[group]?.offsets.mapValues(\.next) ?? [:] }
    }

    /// Metadata of a committed offset; nil if no offset is committed.
    public func note(of topicPartition: TopicPartition, group: String) -> String? {
        state.withLock { $0.groups[group]?.offsets[topicPartition]?.metadata }
    }

    /// Sets the committed next offset of a partition, or removes it if nil, as an operator or expiry does.
    public func setOffset(_ offset: Int64?, of topicPartition: TopicPartition, group: String) {
        state.withLock {
            $0.groups[group, default: GroupState()].offsets[topicPartition] = offset.map { GroupOffset($0) }
        }
    }

    /// Expires the session of a member: the member loses its partitions, which are assigned to the others.
    public func expireMember(_ instance: String, of group: String) {
        state.withLock { state in
            guard let id = state.groups[group]?.member(named: instance) else { return }
            let counts = state.topics.mapValues(\.partitions.count)
            state.groups[group]?.leave(id) { counts[$0] ?? 0 }
            state.activity += 1
        }
    }

    /// Makes the next poll of a group consumer fail; each further call makes one more poll fail.
    public func failPoll(_ error: StreamError) { state.withLock { $0.pollErrors.append(error) } }

    /// Deletes the records before an offset, as retention does.
    public func delete(_ topicPartition: TopicPartition, before offset: Int64) {
        state.withLock {
            $0.topics[topicPartition.topic]?.partitions[Int(topicPartition.partition)].delete(before: offset)
        }
    }

    /// Keeps the last record of each key, as compaction does. With `removingTombstones` tombstones are removed too, as
    /// for a reader that was away for longer than they are kept.
    public func compact(_ topicPartition: TopicPartition, removingTombstones: Bool = false) {
        state.withLock {
            $0.topics[topicPartition.topic]?.partitions[Int(topicPartition.partition)].compact(
                removingTombstones: removingTombstones
            )
        }
    }

    /// Recreates a topic without records, with the same number of partitions.
    public func recreateTopic(_ topic: String) {
        state.withLock { state in
            let count = state.topics[topic]?.partitions.count ?? 0
            state.topics[topic]?.partitions = [PartitionLog](repeating: PartitionLog(), count: count)
        }
    }

    /// Removes a topic with all its records.
    public func deleteTopic(_ topic: String) { state.withLock { $0.topics[topic] = nil } }

    /// Adds empty partitions to a topic, up to `count`.
    public func addPartitions(_ topic: String, upTo count: Int) {
        state.withLock { state in
            while state.topics[topic].map({ $0.partitions.count < count }) ?? false {
                state.topics[topic]?.partitions.append(PartitionLog())
            }
        }
    }

    /// Delays the end of transactions on this topic from now on by the given number of milliseconds: as with Kafka,
    /// records that are committed together do not become visible together.
    public func delayMarkers(of topic: String, by milliseconds: Int64) {
        state.withLock { $0.markerDelays[topic] = milliseconds }
    }

    /// Number of transactions that are open now.
    public var openTransactions: Int {
        expireTransactions()
        return state.withLock { $0.transactions.count }
    }

    /// Counter of all activity; while it does not change, nothing happens.
    public var activity: Int { state.withLock { $0.activity } }
}
