import Crdkafka

/// Outcome of one poll of a consumer.
public enum KafkaPollOutcome: Hashable, Sendable {
    /// No record and no change of assignment within the timeout.
    case idle
    /// `records` contains at least one record.
    case records
    /// The group assigns partitions to this member; none of their records is fetched until the caller answers with
    /// `assign`.
    case assigned([KafkaTopicPartition])
    /// The group assigns the partitions to another member once the caller answers with `unassign`.
    case revoked([KafkaTopicPartition])
    /// The partitions were assigned to another member already; answer with `unassign`.
    case lost([KafkaTopicPartition])
}

/// A member of a consumer group that commits no offsets of its own. Used on one thread only.
///
/// Rebalances are events that the caller answers when it is ready: until then `poll` returns the same outcome again. The
/// range assignor assigns the partitions; all of them are revoked at every rebalance.
public final class KafkaConsumer {
    /// The subscribed topics; `KafkaRecord.topic` is an index into them.
    public let topics: [String]
    let group: String
    let handle: ClientHandle
    let fetcher: Fetcher
    private let properties: KafkaProperties
    /// Queue of rebalances and errors. It is never read in batches, because that would discard them.
    private let consumerQueue: OpaquePointer
    /// Queue to which the queues of all assigned partitions are forwarded; only this object reads it.
    private var fetchQueue: OpaquePointer
    private var unanswered: KafkaPollOutcome?
    /// Reason why no broker can be reached, as far as it is known; nil while a broker answers.
    public private(set) var connectivityError: KafkaError?
    private var nextConnectivityCheck = Deadline(milliseconds: 0)
    private var isOpen = true
    private lazy var probe = Result { () throws(KafkaError) in try WatermarkProbe(properties, for: .read) }

    /// How long `poll` waits at the fetch queue before it checks for a rebalance again, in milliseconds.
    private static let slice = 10

    /// Opens the client and subscribes; a later `poll` assigns the partitions.
    ///
    /// - Parameters:
    ///   - properties: Passed to librdkafka; `session.timeout.ms` is 10000 by default, and
    ///     `topic.metadata.refresh.interval.ms` 20000.
    ///   - group: The consumer group.
    ///   - instance: The static member id (`group.instance.id`): a member that rejoins under it within the session
    ///     timeout is assigned its partitions again without a rebalance. Without an instance, `close` leaves the group
    ///     at once.
    ///   - topics: At least one.
    /// - Throws: `.fatal`, with the name of the property that is unknown, does not accept its value, or must not
    ///   change.
    public init(
        properties: KafkaProperties,
        group: String,
        instance: String?,
        topics: [String]
    ) throws(KafkaError) {
        let operation = "open a consumer of group \(group)"
        let configuration = Self.configuration(properties, group: group, instance: instance)
        let defaults = configuration.defaults
        handle = try ClientHandle(configuration, operation: operation)
        guard let consumerQueue = rd_kafka_queue_get_consumer(handle.client) else {
            throw KafkaError(.fatal, operation: operation, code: "_UNKNOWN_GROUP", reason: "there is no group")
        }
        guard let fetchQueue = rd_kafka_queue_new(handle.client) else {
            rd_kafka_queue_destroy(consumerQueue)
            throw KafkaError(.fatal, operation: operation, code: "_FAIL", reason: "librdkafka made no queue")
        }
        self.topics = topics
        self.group = group
        self.properties = properties
        self.consumerQueue = consumerQueue
        self.fetchQueue = fetchQueue
        fetcher = Fetcher(topics: topics, waker: FetchWaker(handle, properties: defaults.merging(properties)))
        // Errors of the client arrive together with the rebalances.
        rd_kafka_poll_set_consumer(handle.client)
        let list = PartitionList(topics: topics)
        let error = rd_kafka_subscribe(handle.client, list.pointer)
        if error != RD_KAFKA_RESP_ERR_NO_ERROR { throw KafkaError(error, operation: operation) }
    }

    /// Configuration of a member of a group.
    static func configuration(_ properties: KafkaProperties, group: String, instance: String?) -> ClientConfiguration {
        var required: KafkaProperties = [
            "group.id": group,
            "enable.auto.commit": "false",
            "enable.auto.offset.store": "false",
            "partition.assignment.strategy": "range",
            "enable.partition.eof": "false",
            // Also makes requests for the group's committed offsets wait for open transactions.
            "isolation.level": "read_committed",
        ]
        required["group.instance.id"] = instance
        return ClientConfiguration(
            kind: .consumer,
            defaults: FetchQueue.defaults(libraryNumber: KafkaLibrary.number)
                .merging([
                    "session.timeout.ms": "10000", "heartbeat.interval.ms": "1000",
                    // Also the delay until the group detects an added partition: five minutes unless the interval is
                    // shorter.
                    "topic.metadata.refresh.interval.ms": "20000",
                ]),
            properties: properties,
            required: required,
            events: RD_KAFKA_EVENT_REBALANCE | RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_OFFSET_COMMIT
        )
    }

    deinit { close() }

    /// The records of the last `poll`, each partition's in offset order; valid until the next.
    public var records: ContiguousArray<KafkaRecord> { fetcher.records }

    /// The headers of a record of the last `poll`, duplicates included. Costly: call it for few records only.
    public func headers(at index: Int) -> [KafkaHeader] { fetcher.headers(at: index) }

    /// Removes and returns the lines that librdkafka logged since the last call.
    public func takeDiagnostics() -> [KafkaDiagnostic] { handle.takeDiagnostics() }

    /// Returns at most `maximum` records, or a change of assignment.
    ///
    /// - Returns: At once if there is something to return, otherwise `idle` after the timeout.
    /// - Throws: `.retry` for errors that may be temporary, `.fatal` if the client is fenced or its position no longer
    ///   exists.
    public func poll(maximum: Int, timeoutMilliseconds: Int) throws(KafkaError) -> KafkaPollOutcome {
        fetcher.release()
        handle.drainLog()
        if let failure = fetcher.takeFailure(asking: handle.client) { throw failure }
        checkConnectivity()
        let deadline = Deadline(milliseconds: timeoutMilliseconds)
        var isFirst = true
        repeat {
            let isIdle = fetcher.positions.isEmpty
            // Nothing can be fetched without partitions: then the wait is for events.
            let wait = isIdle && !isFirst ? deadline.slice(atMost: 100) : 0
            if let outcome = try serveEvents(timeout: wait) { return outcome }
            if !isIdle {
                fetcher.fetch(
                    from: fetchQueue,
                    maximum: maximum,
                    timeout: isFirst ? 0 : deadline.slice(atMost: Self.slice)
                )
                if !fetcher.records.isEmpty { return .records }
                if let failure = fetcher.takeFailure(asking: handle.client) { throw failure }
            }
            isFirst = false
        } while !deadline.hasPassed
        return .idle
    }

    /// Answers `assigned`: fetches each partition from the next offset given.
    public func assign(_ positions: [KafkaTopicPartition: Int64]) throws(KafkaError) {
        fetcher.restart(positions)
        // Before the assignment, so that librdkafka does not forward them to the consumer queue. Their fetchers have
        // all stopped by now: a member joins again only when they have.
        forward(positions.keys)
        let list = PartitionList(positions)
        let error = rd_kafka_assign(handle.client, list.pointer)
        guard error == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaError(error, operation: "assign partitions") }
        unanswered = nil
    }

    /// Answers `revoked` and `lost`: releases all partitions. None of their records is delivered afterwards.
    public func unassign() throws(KafkaError) {
        fetcher.restart([:])
        let error = rd_kafka_assign(handle.client, nil)
        // Records that were fetched ahead are dropped with the queue.
        if let fresh = rd_kafka_queue_new(handle.client) {
            rd_kafka_queue_destroy(fetchQueue)
            fetchQueue = fresh
        }
        guard error == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaError(error, operation: "unassign partitions") }
        unanswered = nil
    }

    /// Leaves the group (a static member remains in it until its session times out) and frees the client.
    ///
    /// Blocks while librdkafka finishes, ten seconds at most. Call it on the thread that polls.
    public func close() {
        guard isOpen else { return }
        isOpen = false
        fetcher.restart([:])
        if unanswered != nil { rd_kafka_assign(handle.client, nil) }
        if let closing = rd_kafka_queue_new(handle.client) {
            if let error = rd_kafka_consumer_close_queue(handle.client, closing) { rd_kafka_error_destroy(error) }
            let deadline = Deadline(milliseconds: 10_000)
            while rd_kafka_consumer_closed(handle.client) == 0, !deadline.hasPassed {
                guard let event = rd_kafka_queue_poll(closing, 20) else { continue }
                if rd_kafka_event_type(event) == RD_KAFKA_EVENT_REBALANCE { rd_kafka_assign(handle.client, nil) }
                rd_kafka_event_destroy(event)
            }
            rd_kafka_queue_destroy(closing)
        }
        rd_kafka_queue_destroy(fetchQueue)
        rd_kafka_queue_destroy(consumerQueue)
        fetcher.stop()
        handle.close()
    }

    /// The first and the next offset of a partition, uncommitted records included.
    public func watermarks(_ partition: KafkaTopicPartition) throws(KafkaError) -> KafkaWatermarks {
        try probe.get().watermarks(partition, timeout: 12_000)
    }

    private func forward(_ partitions: some Sequence<KafkaTopicPartition>) {
        for partition in partitions {
            guard
                let queue = rd_kafka_queue_get_partition(handle.client, partition.topic, partition.partition)
            else { continue }
            rd_kafka_queue_forward(queue, fetchQueue)
            rd_kafka_queue_destroy(queue)
        }
    }

    private func serveEvents(timeout: Int32) throws(KafkaError) -> KafkaPollOutcome? {
        if let unanswered { return unanswered }
        var wait = timeout
        while let event = rd_kafka_queue_poll(consumerQueue, wait) {
            wait = 0
            defer { rd_kafka_event_destroy(event) }
            switch rd_kafka_event_type(event) {
            case RD_KAFKA_EVENT_REBALANCE:
                unanswered = rebalance(event)
                return unanswered
            case RD_KAFKA_EVENT_ERROR: try serveError(event)
            case RD_KAFKA_EVENT_FETCH:
                // Every partition is forwarded before it is fetched, so this would be a bug of this module; the record
                // must not be lost silently.
                throw KafkaError(
                    .abortTransaction,
                    operation: "fetch records",
                    code: "_STATE",
                    reason: "a record arrived outside the fetch queue"
                )
            default: handle.note(event)
            }
        }
        return nil
    }

    private func rebalance(_ event: OpaquePointer) -> KafkaPollOutcome {
        let partitions = PartitionList.partitions(rd_kafka_event_topic_partition_list(event))
        if rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS { return .assigned(partitions) }
        return rd_kafka_assignment_lost(handle.client) != 0 ? .lost(partitions) : .revoked(partitions)
    }

    /// Checks once a second whether a broker is reachable again: librdkafka reports that all brokers are down, but not
    /// that one has returned.
    private func checkConnectivity() {
        guard connectivityError != nil, nextConnectivityCheck.hasPassed else { return }
        let answer = Result { () throws(KafkaError) in
            try Metadata.read(handle.client, timeout: 200, operation: "reach a broker") { $0.broker_cnt }
        }
        if case .success = answer {
            connectivityError = nil
            handle.connected()
        }
        nextConnectivityCheck = Deadline(milliseconds: 1_000)
    }

    private func serveError(_ event: OpaquePointer) throws(KafkaError) {
        if let fatal = handle.fatalError(operation: "stay in the group") { throw fatal }
        switch rd_kafka_event_error(event) {
        case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
            handle.note(event)
            let text = rd_kafka_event_error_string(event).map { String(cString: $0) }
            connectivityError = handle.explained(
                KafkaError(RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, operation: "reach a broker", reason: text)
            )
            nextConnectivityCheck = Deadline(milliseconds: 1_000)
        case RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR__RESOLVE,
            RD_KAFKA_RESP_ERR__TIMED_OUT, RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED:
            // librdkafka recovers by itself; a rebalance follows if necessary.
            handle.note(event)
        case let code:
            handle.note(event)
            // Missing rights, missing topics: nothing happens until an operator intervenes, so the error must be
            // reported.
            let text = rd_kafka_event_error_string(event).map { String(cString: $0) }
            let topic = rd_kafka_event_topic_partition(event).map { PartitionList.takeTopic($0) } ?? ""
            let error = KafkaError(code, operation: "consume", reason: text)
                .lacking(
                    anyOf: [.init(.read, .group, group)] + (topic.isEmpty ? [] : [.init(.read, .topic, topic)])
                )
            throw handle.explained(
                KafkaError(.retry, operation: error.operation, code: error.code, reason: error.reason)
            )
        }
    }
}
