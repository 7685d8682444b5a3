internal import StreamRuntime

/// The whole state of a cluster, as a value that is changed under one lock.
struct ClusterState: Sendable {
    struct TopicLog: Sendable {
        var partitions: [PartitionLog]
        /// The largest record that the topic accepts, in bytes.
        var maximumBytes: Int
    }

    struct Transaction: Sendable {
        let id: Int
        let transactionalID: String
        let openedAt: Int64
        var partitions: Set<TopicPartition> = []
        /// Offsets that are committed with the transaction, by group.
        var offsets: [String: [TopicPartition: GroupOffset]] = [:]
        /// Error because of which the transaction cannot commit; nil if there is none.
        var refusal: StreamError?
    }

    struct ProducerState: Sendable {
        /// Number of producers of this id so far; only the newest may write.
        var epoch = 0
        var open: Int?
    }

    var topics: [String: TopicLog] = [:]
    var groups: [String: GroupState] = [:]
    var producers: [String: ProducerState] = [:]
    private(set) var transactions: [Int: Transaction] = [:]
    private var nextTransaction = 1
    private var nextMember = 1
    /// Milliseconds between the end of a transaction and its marker on a topic.
    var markerDelays: [String: Int64] = [:]
    private var markers: [(topicPartition: TopicPartition, transaction: Int, isCommitted: Bool, dueAt: Int64)] = []
    /// Errors that the next polls of group members throw, one each, in order.
    var pollErrors: [StreamError] = []
    /// Counter of all activity: writes, deliveries, rebalances.
    var activity = 0

    func count(of topic: String) -> Int { topics[topic]?.partitions.count ?? 0 }

    func log(_ topicPartition: TopicPartition, _ operation: String) throws(StreamError) -> PartitionLog {
        guard let topic = topics[topicPartition.topic], topic.partitions.indices.contains(Int(topicPartition.partition))
        else {
            throw StreamError(
                .fatal,
                operation: operation,
                code: "UNKNOWN_TOPIC_OR_PART",
                reason: "there is no \(topicPartition)"
            )
        }
        return topic.partitions[Int(topicPartition.partition)]
    }

    mutating func makeMemberID() -> Int {
        nextMember += 1
        return nextMember
    }

    // MARK: - Producers

    /// Fences the earlier producers of this id, and aborts the transaction that they left open.
    mutating func initialize(_ transactionalID: String, at time: Int64) -> Int {
        if let open = producers[transactionalID]?.open { finish(open, isCommitted: false, at: time) }
        producers[transactionalID, default: ProducerState()].epoch += 1
        activity += 1
        return producers[transactionalID]?.epoch ?? 0
    }

    func check(_ transactionalID: String, _ epoch: Int, _ operation: String) throws(StreamError) {
        guard producers[transactionalID]?.epoch == epoch else {
            throw StreamError(
                .fatal,
                operation: operation,
                code: "_FENCED",
                reason: "a newer producer has the transactional id \(transactionalID)"
            )
        }
    }

    mutating func begin(_ transactionalID: String, at time: Int64) -> Int {
        let id = nextTransaction
        nextTransaction += 1
        transactions[id] = Transaction(id: id, transactionalID: transactionalID, openedAt: time)
        producers[transactionalID]?.open = id
        return id
    }

    mutating func append(_ record: OutputRecord, to transaction: Int?, at time: Int64) throws(StreamError) {
        let operation = "write to \(record.topic)"
        // Only numbers are kept: if a log were referenced here, too, the append below would copy it as a whole.
        let (count, maximumBytes) = (count(of: record.topic), topics[record.topic]?.maximumBytes ?? 0)
        guard count > 0 else {
            throw StreamError(
                .abortTransaction,
                operation: operation,
                code: "UNKNOWN_TOPIC_OR_PART",
                reason: "no such topic"
            )
        }
        let number = record.partition.map(Int.init) ?? Self.partition(record.key, count)
        guard (0..<count).contains(number) else {
            throw StreamError(
                .abortTransaction,
                operation: operation,
                code: "_UNKNOWN_PARTITION",
                reason: "no such partition",
                isAboutRecord: true
            )
        }
        guard record.size <= maximumBytes else {
            throw StreamError(
                .abortTransaction,
                operation: operation,
                code: "MSG_SIZE_TOO_LARGE",
                reason: "\(record.size) bytes are more than the topic takes",
                isAboutRecord: true
            )
        }
        topics[record.topic]?.partitions[number].append(record, at: time, transaction: transaction)
        if let transaction {
            transactions[transaction]?.partitions.insert(TopicPartition(record.topic, Int32(number)))
        }
        activity += 1
    }

    mutating func refuse(_ transaction: Int, _ error: StreamError) {
        if transactions[transaction]?.refusal == nil { transactions[transaction]?.refusal = error }
    }

    mutating func add(_ offsets: [TopicPartition: GroupOffset], of group: String, to transaction: Int) {
        transactions[transaction]?.offsets[group, default: [:]].merge(offsets) { $1 }
    }

    mutating func finish(_ id: Int, isCommitted: Bool, at time: Int64) {
        guard let transaction = transactions.removeValue(forKey: id) else { return }
        if producers[transaction.transactionalID]?.open == id { producers[transaction.transactionalID]?.open = nil }
        for topicPartition in transaction.partitions {
            if let delay = markerDelays[topicPartition.topic] {
                markers.append((topicPartition, id, isCommitted, time + delay))
                continue
            }
            topics[topicPartition.topic]?.partitions[Int(topicPartition.partition)].finish(
                id,
                isCommitted: isCommitted,
                at: time
            )
        }
        if isCommitted {
            for (group, offsets) in transaction.offsets {
                groups[group, default: GroupState()].offsets.merge(offsets) { $1 }
            }
        }
        activity += 1
    }

    /// Writes the transaction markers that are due, and aborts transactions that were open for too long; their
    /// producers are fenced.
    mutating func expire(olderThan timeout: Int64, at time: Int64) {
        for marker in markers where marker.dueAt <= time {
            topics[marker.topicPartition.topic]?.partitions[Int(marker.topicPartition.partition)]
                .finish(marker.transaction, isCommitted: marker.isCommitted, at: time)
        }
        markers.removeAll { $0.dueAt <= time }
        for (id, transaction) in transactions where time - transaction.openedAt > timeout {
            finish(id, isCommitted: false, at: time)
            producers[transaction.transactionalID]?.epoch += 1
        }
    }

    /// Whether an open transaction contains offsets of one of these partitions.
    func isUnsettled(_ partitions: [TopicPartition], of group: String) -> Bool {
        transactions.values.contains { transaction in
            guard let offsets = transaction.offsets[group] else { return false }
            return partitions.contains { offsets[$0] != nil }
        }
    }

    /// FNV-1a of the key; records without one go to the first partition.
    private static func partition(_ key: [UInt8]?, _ count: Int) -> Int {
        guard let key else { return 0 }
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in key { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return Int(hash % UInt64(count))
    }
}
