import Crdkafka

/// What a turn of a reader brought.
public enum KafkaReadTurn: Hashable, Sendable {
    /// Nothing within the timeout.
    case idle
    /// `records` holds at least one.
    case records
    /// The reader stands at this next offset, behind transaction markers too, and nothing committed is beyond it now.
    case endOfPartition(KafkaTopicPartition, Int64)
}

/// Reads partitions without joining a group. Used on one thread only.
///
/// Committed records only, unless the properties say `isolation.level=read_uncommitted`.
public final class KafkaReader {
    /// The topics that the reader may be started on; `KafkaRecord.topic` counts in this order.
    public let topics: [String]
    private let handle: ClientHandle
    private let fetcher: Fetcher
    private let properties: KafkaProperties
    /// Without a group there are no rebalances in it, so here it may be read in batches.
    private let consumerQueue: OpaquePointer
    /// Of topics that were ever read; see `queryLeaders`.
    private var topicHandles: [String: OpaquePointer] = [:]
    private var isOpen = true
    private lazy var probe = Result { () throws(KafkaError) in try WatermarkProbe(properties) }

    /// Opens the client; nothing is read before `start`.
    public init(properties: KafkaProperties, topics: [String]) throws(KafkaError) {
        let operation = "open a reader"
        let own = FetchQueue.defaults(libraryNumber: KafkaLibrary.number)
            // librdkafka wants a name, although nobody ever joins or commits under it.
            .merging(["group.id": "reader"])
        handle = try ClientHandle(
            ClientConfiguration(
                kind: .consumer,
                defaults: own,
                properties: properties,
                required: [
                    "enable.auto.commit": "false", "enable.auto.offset.store": "false", "enable.partition.eof": "true",
                ],
                events: RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_REBALANCE
            ),
            operation: operation
        )
        guard let queue = rd_kafka_queue_get_consumer(handle.client) else {
            throw KafkaError(.fatal, operation: operation, code: "_UNKNOWN_GROUP", reason: "there is no group")
        }
        self.topics = topics
        self.properties = properties
        consumerQueue = queue
        fetcher = Fetcher(topics: topics, waker: FetchWaker(handle, properties: own.merging(properties)))
    }

    deinit { close() }

    /// The records of the last `poll`, each partition's in offset order; valid until the next.
    public var records: ContiguousArray<KafkaRecord> { fetcher.records }

    /// The headers of a record of the last `poll`, duplicates included. Costly: call it for few records only.
    public func headers(at index: Int) -> [KafkaHeader] { fetcher.headers(at: index) }

    /// What librdkafka logged since the last call.
    public func takeDiagnostics() -> [KafkaDiagnostic] { handle.takeDiagnostics() }

    /// The partitions of a topic, ascending.
    public func partitions(of topic: String) throws(KafkaError) -> [Int32] {
        try Metadata.partitions(of: topic, client: handle.client, timeout: 10_000)
    }

    /// Replaces what is read: each partition from its next offset. Nothing fetched before is delivered afterwards.
    public func start(_ positions: [KafkaTopicPartition: Int64]) throws(KafkaError) {
        if let unknown = positions.keys.first(where: { !topics.contains($0.topic) }) {
            throw KafkaError(
                .fatal,
                operation: "read \(unknown)",
                code: "_INVALID_ARG",
                reason: "the reader was made for \(topics.joined(separator: ", ")) only"
            )
        }
        fetcher.restart(positions)
        for partition in positions.keys { queryLeaders(of: partition.topic) }
        let list = PartitionList(positions)
        let error = rd_kafka_assign(handle.client, list.pointer)
        guard error == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaError(error, operation: "read partitions") }
    }

    /// Has librdkafka ask for a topic's leaders at once, which a handle of the topic does. Of a topic that is only assigned
    /// 2.0.2 asks when it next looks over all of them, once a second.
    private func queryLeaders(of topic: String) {
        guard topicHandles[topic] == nil else { return }
        topicHandles[topic] = rd_kafka_topic_new(handle.client, topic, nil)
    }

    /// Takes at most `maximum` records, or word that a partition is read to its end.
    ///
    /// - Returns: At once when there is something, otherwise `idle` after the timeout. An end is reported once each
    ///   time it is reached, after the records before it.
    public func poll(maximum: Int, timeoutMilliseconds: Int) throws(KafkaError) -> KafkaReadTurn {
        fetcher.release()
        handle.drainLog()
        let deadline = Deadline(milliseconds: timeoutMilliseconds)
        repeat {
            if let end = fetcher.takeEnd() { return .endOfPartition(end.partition, end.offset) }
            if let failure = fetcher.takeFailure() { throw failure }
            try serveErrors()
            fetcher.fetch(from: consumerQueue, maximum: maximum, timeout: deadline.slice(atMost: 100))
            if !fetcher.records.isEmpty { return .records }
        } while !deadline.hasPassed
        if let end = fetcher.takeEnd() { return .endOfPartition(end.partition, end.offset) }
        return .idle
    }

    /// The first and the next offset, uncommitted records included.
    public func watermarks(_ partition: KafkaTopicPartition) throws(KafkaError) -> KafkaWatermarks {
        try probe.get().watermarks(partition, timeout: 12_000)
    }

    /// The first offset whose record bears that time or a later one; the end of the partition if there is none.
    ///
    /// - Parameters:
    ///   - partition: Any partition.
    ///   - time: Milliseconds since 1970.
    /// - Returns: An offset as `start` takes it; records that are not committed count.
    /// - Throws: `KafkaError` when no broker answers in time.
    public func firstOffset(_ partition: KafkaTopicPartition, since time: Int64) throws(KafkaError) -> Int64 {
        try probe.get().firstOffset(partition, since: time, timeout: 30_000)
    }

    /// Frees the client.
    public func close() {
        guard isOpen else { return }
        isOpen = false
        fetcher.stop()
        rd_kafka_assign(handle.client, nil)
        rd_kafka_queue_destroy(consumerQueue)
        for topic in topicHandles.values { rd_kafka_topic_destroy(topic) }
        handle.close()
    }

    private func serveErrors() throws(KafkaError) {
        while let event = rd_kafka_queue_poll(handle.mainQueue, 0) {
            defer { rd_kafka_event_destroy(event) }
            if let fatal = handle.fatalError(operation: "read") { throw fatal }
            handle.note(event)
        }
    }
}
