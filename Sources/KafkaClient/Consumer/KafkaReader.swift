import Crdkafka

/// Outcome of one poll of a reader.
public enum KafkaReadOutcome: Hashable, Sendable {
    /// No record and no end of a partition within the timeout.
    case idle
    /// `records` contains at least one record.
    case records
    /// The reader has reached this next offset, which is also after transaction markers; no committed record is beyond
    /// it now.
    case endOfPartition(KafkaTopicPartition, Int64)
}

/// Reads partitions without a group. Used on one thread only.
///
/// librdkafka looks up the coordinator of every group whose name it receives, and a principal needs a right for that.
/// Therefore the client has no group name: a reader needs Read on its topics, and nothing else.
///
/// Only committed records are returned, unless the properties contain `isolation.level=read_uncommitted`.
public final class KafkaReader {
    /// The topics on which the reader may be started; `KafkaRecord.topic` is an index into them.
    public let topics: [String]
    private let handle: ClientHandle
    private let fetcher: Fetcher
    private let properties: KafkaProperties
    /// Queue to which all partitions that are read are forwarded; replaced at every start.
    private var fetchQueue: OpaquePointer
    private var started: [KafkaTopicPartition] = []
    /// Handles of the topics that were ever read; with a topic's first handle librdkafka requests its leaders, at
    /// once.
    private var topicHandles: [String: OpaquePointer] = [:]
    private var isOpen = true
    private lazy var probe = Result { () throws(KafkaError) in try WatermarkProbe(properties, for: .read) }
    private lazy var stableProbe = Result { () throws(KafkaError) in
        try WatermarkProbe(properties, for: .read, stable: true)
    }

    /// Opens the client; nothing is read before `start`.
    public init(properties: KafkaProperties, topics: [String]) throws(KafkaError) {
        let operation = "open a reader"
        let configuration = Self.configuration(properties)
        let (defaults, given) = (configuration.defaults, configuration.properties)
        handle = try ClientHandle(configuration, operation: operation)
        guard let queue = rd_kafka_queue_new(handle.client) else {
            throw KafkaError(.fatal, operation: operation, code: "_FAIL", reason: "librdkafka made no queue")
        }
        self.topics = topics
        self.properties = given
        fetchQueue = queue
        fetcher = Fetcher(topics: topics, waker: FetchWaker(handle, properties: defaults.merging(given)))
    }

    /// Configuration of a reader; names of groups and transactions are ignored.
    static func configuration(_ properties: KafkaProperties) -> ClientConfiguration {
        var given = properties
        for name in ["group.id", "group.instance.id", "transactional.id"] { given[name] = nil }
        return ClientConfiguration(
            kind: .consumer,
            defaults: FetchQueue.defaults(libraryNumber: KafkaLibrary.number),
            properties: given,
            required: [
                "enable.auto.commit": "false", "enable.auto.offset.store": "false", "enable.partition.eof": "true",
                "auto.commit.enable": "false",
            ],
            events: RD_KAFKA_EVENT_ERROR
        )
    }

    deinit { close() }

    /// The records of the last `poll`, each partition's in offset order; valid until the next.
    public var records: ContiguousArray<KafkaRecord> { fetcher.records }

    /// The headers of a record of the last `poll`, duplicates included. Costly: call it for few records only.
    public func headers(at index: Int) -> [KafkaHeader] { fetcher.headers(at: index) }

    /// Removes and returns the lines that librdkafka logged since the last call.
    public func takeDiagnostics() -> [KafkaDiagnostic] { handle.takeDiagnostics() }

    /// The partitions of a topic, ascending.
    public func partitions(of topic: String) throws(KafkaError) -> [Int32] {
        try Metadata.partitions(of: topic, for: .read, client: handle.client, timeout: 10_000)
    }

    /// Replaces the partitions that are read: each is read from its next offset. Nothing fetched before is delivered
    /// afterwards.
    public func start(_ positions: [KafkaTopicPartition: Int64]) throws(KafkaError) {
        if let unknown = positions.keys.first(where: { !topics.contains($0.topic) }) {
            throw KafkaError(
                .fatal,
                operation: "read \(unknown)",
                code: "_INVALID_ARG",
                reason: "the reader was made for \(topics.joined(separator: ", ")) only"
            )
        }
        stop()
        guard let fresh = rd_kafka_queue_new(handle.client) else {
            throw KafkaError(.fatal, operation: "read partitions", code: "_FAIL", reason: "librdkafka made no queue")
        }
        rd_kafka_queue_destroy(fetchQueue)
        fetchQueue = fresh
        fetcher.restart(positions)
        for (partition, offset) in positions.sorted(by: { $0.key < $1.key }) {
            guard let topic = topicHandle(partition.topic),
                rd_kafka_consume_start_queue(topic, partition.partition, offset, fetchQueue) == 0
            else { throw KafkaError(rd_kafka_last_error(), operation: "read \(partition)") }
            started.append(partition)
        }
    }

    /// Stops reading all partitions. Records that were fetched from them are dropped with the queue.
    private func stop() {
        fetcher.release()
        for partition in started { rd_kafka_consume_stop(topicHandles[partition.topic], partition.partition) }
        started.removeAll()
    }

    private func topicHandle(_ topic: String) -> OpaquePointer? {
        if let known = topicHandles[topic] { return known }
        let made = rd_kafka_topic_new(handle.client, topic, nil)
        topicHandles[topic] = made
        return made
    }

    /// Returns at most `maximum` records, or a notice that a partition is read to its end.
    ///
    /// - Returns: At once if there is something to return, otherwise `idle` after the timeout. An end is reported once
    ///   each time it is reached, after the records before it.
    public func poll(maximum: Int, timeoutMilliseconds: Int) throws(KafkaError) -> KafkaReadOutcome {
        fetcher.release()
        handle.drainLog()
        let deadline = Deadline(milliseconds: timeoutMilliseconds)
        repeat {
            if let end = fetcher.takeEnd() { return .endOfPartition(end.partition, end.offset) }
            if let failure = fetcher.takeFailure(asking: handle.client) { throw failure }
            try serveErrors()
            fetcher.fetch(from: fetchQueue, maximum: maximum, timeout: deadline.slice(atMost: 100))
            if !fetcher.records.isEmpty { return .records }
        } while !deadline.hasPassed
        if let end = fetcher.takeEnd() { return .endOfPartition(end.partition, end.offset) }
        return .idle
    }

    /// The first and the next offset, uncommitted records included.
    public func watermarks(_ partition: KafkaTopicPartition) throws(KafkaError) -> KafkaWatermarks {
        try probe.get().watermarks(partition, timeout: 12_000)
    }

    /// The next offset of each partition, all queried together.
    ///
    /// - Parameters:
    ///   - partitions: Partitions of topics that may be read.
    ///   - stable: Whether to return the last stable offset: readers of committed records receive nothing after it
    ///     until a transaction has ended. Otherwise uncommitted records count.
    /// - Returns: An entry for each partition.
    /// - Throws: `KafkaError` if no broker answers in time, or if the right is missing.
    public func ends(
        of partitions: [KafkaTopicPartition],
        stable: Bool
    ) throws(KafkaError) -> [KafkaTopicPartition: Int64] {
        try (stable ? stableProbe : probe).get().ends(of: partitions, timeout: 12_000)
    }

    /// The first offset whose record has that time or a later one; the end of the partition if there is none.
    ///
    /// - Parameters:
    ///   - partition: Any partition.
    ///   - time: Milliseconds since 1970.
    /// - Returns: An offset in the form that `start` accepts; uncommitted records count.
    /// - Throws: `KafkaError` if no broker answers in time.
    public func firstOffset(_ partition: KafkaTopicPartition, since time: Int64) throws(KafkaError) -> Int64 {
        try probe.get().firstOffset(partition, since: time, timeout: 30_000)
    }

    /// Frees the client.
    public func close() {
        guard isOpen else { return }
        isOpen = false
        stop()
        fetcher.stop()
        rd_kafka_queue_destroy(fetchQueue)
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
