import Crdkafka

/// A record whose delivery has failed permanently.
public struct KafkaDeliveryFailure: Hashable, Sendable {
    /// Destination of the record; the partition is -1 if none had been chosen.
    public let partition: KafkaTopicPartition
    /// The record's key.
    public let key: [UInt8]?
    /// Reason why it was not delivered.
    public let error: KafkaError
}

/// Writes records, either in transactions or one by one; idempotent in both cases. Used on one thread only.
public final class KafkaProducer {
    /// Whether records go through transactions, that is whether the producer has a transactional id.
    public var isTransactional: Bool { !transactionalID.isEmpty }
    /// Empty for a producer without transactions.
    let transactionalID: String
    /// Topics of records in the open transaction.
    var transactionTopics: Set<String> = []
    private var lastTopic = ""
    let handle: ClientHandle
    /// librdkafka's topic objects by name.
    private var topics: [String: OpaquePointer] = [:]
    /// Failures since the last `begin` or `flush`; only the first ones are kept.
    private(set) var failures: [KafkaDeliveryFailure] = []
    private var isOpen = true

    /// Failures kept between two calls that report them.
    private static let failureLimit = 1000

    /// Opens the client.
    ///
    /// - Parameters:
    ///   - properties: Passed to librdkafka; `transaction.timeout.ms` is 10000 by default.
    ///   - transactionalID: Identifies the single writer among its successors: a newer producer with the same id fences
    ///     older ones. Nil for a producer without transactions.
    /// - Throws: `.fatal`, with the name of the property that is unknown, does not accept its value, or must not
    ///   change.
    public init(properties: KafkaProperties, transactionalID: String? = nil) throws(KafkaError) {
        self.transactionalID = transactionalID ?? ""
        handle = try ClientHandle(
            Self.configuration(properties, transactionalID: transactionalID),
            operation: transactionalID.map { "open a producer with transactional id \($0)" } ?? "open a producer"
        )
    }

    /// Configuration of a writer.
    static func configuration(_ properties: KafkaProperties, transactionalID: String?) -> ClientConfiguration {
        var defaults: KafkaProperties = [
            // Java's default, so that both put a key into the same partition.
            "partitioner": "murmur2_random",
            "linger.ms": "5",
            "queue.buffering.max.messages": "500000",
            "queue.buffering.max.kbytes": "262144",
        ]
        var required: KafkaProperties = ["enable.idempotence": "true", "delivery.report.only.error": "true"]
        if let transactionalID {
            defaults["transaction.timeout.ms"] = "10000"
            required["transactional.id"] = transactionalID
        }
        return ClientConfiguration(
            kind: .producer,
            defaults: defaults,
            properties: properties,
            required: required,
            events: RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR
        )
    }

    deinit { close() }

    /// Removes and returns the lines that librdkafka logged since the last call.
    public func takeDiagnostics() -> [KafkaDiagnostic] { handle.takeDiagnostics() }

    /// Queues one record; it is copied. If the local queue is full, waits for free capacity, ten seconds at most.
    ///
    /// - Throws: `.retry` if there was no free capacity: the record was not queued. `.abortTransaction` for a record
    ///   that no broker would accept (or `.fatal` without transactions), `.fatal` if the producer is fenced.
    public func send(_ record: KafkaOutputRecord) throws(KafkaError) {
        let topic = try topicHandle(record.topic)
        if isTransactional { note(record.topic) }
        let deadline = Deadline(milliseconds: 10_000)
        while true {
            guard let error = produce(record, to: topic) else { return }
            let isFull = rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR__QUEUE_FULL
            let failure = KafkaError(consuming: error, operation: "write to \(record.topic)")
            if let fatal = handle.fatalError(operation: failure.operation) { throw fatal }
            guard isFull else {
                // librdkafka marks none of these, since they are about the record and not about the producer.
                throw KafkaError(
                    isTransactional ? .abortTransaction : .fatal,
                    operation: failure.operation,
                    code: failure.code,
                    reason: failure.reason
                )
            }
            guard !deadline.hasPassed else {
                throw KafkaError(.retry, operation: failure.operation, code: failure.code, reason: failure.reason)
            }
            rd_kafka_flush(handle.client, deadline.slice(atMost: 10))
            serveEvents()
        }
    }

    /// Waits until every record is delivered or abandoned, and returns the ones abandoned since the last call.
    ///
    /// - Throws: `.retry` if records are still in flight after the timeout, `.fatal` if the producer is unusable.
    public func flush(timeoutMilliseconds: Int) throws(KafkaError) -> [KafkaDeliveryFailure] {
        let deadline = Deadline(milliseconds: timeoutMilliseconds)
        while drain(deadline, slice: 50) > 0, !deadline.hasPassed {}
        if let fatal = handle.fatalError(operation: "deliver records") { throw fatal }
        let left = rd_kafka_outq_len(handle.client)
        guard left == 0 else {
            throw KafkaError(
                .retry,
                operation: "deliver records",
                code: "_TIMED_OUT",
                reason: "\(left) records are still in flight after \(timeoutMilliseconds) ms"
            )
        }
        return takeFailures()
    }

    /// Frees the client. An open transaction is left to its timeout or to the next producer of its id, and records
    /// that are still queued are lost: `commit`, `abort` or `flush` first.
    public func close() {
        guard isOpen else { return }
        isOpen = false
        rd_kafka_purge(
            handle.client,
            RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT | RD_KAFKA_PURGE_F_NON_BLOCKING
        )
        for topic in topics.values { rd_kafka_topic_destroy(topic) }
        topics.removeAll()
        handle.close()
    }

    func takeFailures() -> [KafkaDeliveryFailure] {
        defer { failures.removeAll() }
        return failures
    }

    /// Lets librdkafka send the queued records without lingering, and processes its reports.
    ///
    /// Only failures are reported as events; while they wait unserved, librdkafka counts them as outstanding.
    /// - Returns: Number of records that are still in flight.
    func drain(_ deadline: Deadline, slice: Int) -> Int {
        rd_kafka_flush(handle.client, deadline.slice(atMost: slice))
        serveEvents()
        return Int(rd_kafka_outq_len(handle.client))
    }

    func serveEvents() {
        handle.drainLog()
        while let event = rd_kafka_queue_poll(handle.mainQueue, 0) {
            defer { rd_kafka_event_destroy(event) }
            if rd_kafka_event_type(event) == RD_KAFKA_EVENT_DR {
                while let message = rd_kafka_event_message_next(event) { note(message.pointee) }
            } else {
                handle.note(event)
            }
        }
    }

    /// Notes a topic of the open transaction. Records arrive in runs of one topic, so the last topic is checked first.
    private func note(_ topic: String) {
        guard topic != lastTopic || transactionTopics.isEmpty else { return }
        lastTopic = topic
        transactionTopics.insert(topic)
    }

    private func note(_ message: rd_kafka_message_t) {
        guard message.err != RD_KAFKA_RESP_ERR_NO_ERROR, failures.count < Self.failureLimit else { return }
        // In a transaction, purged records follow from another failure, which is the one that `commit` should report.
        if isTransactional,
            message.err == RD_KAFKA_RESP_ERR__PURGE_QUEUE || message.err == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT
        {
            return
        }
        let name = message.rkt.map { String(cString: rd_kafka_topic_name($0)) } ?? ""
        let partition = KafkaTopicPartition(name, message.partition)
        let deliveryError = KafkaError(message.err, operation: "write to \(partition)").lacking(
            .init(.write, .topic, name)
        )
        failures.append(
            KafkaDeliveryFailure(
                partition: partition,
                key: message.key.map { [UInt8](UnsafeRawBufferPointer(start: $0, count: message.key_len)) },
                error: KafkaError(
                    isTransactional ? .abortTransaction : deliveryError.disposition,
                    operation: deliveryError.operation,
                    code: deliveryError.code,
                    reason: deliveryError.reason
                )
            )
        )
    }

    private func topicHandle(_ name: String) throws(KafkaError) -> OpaquePointer {
        if let known = topics[name] { return known }
        guard let topic = rd_kafka_topic_new(handle.client, name, nil) else {
            throw KafkaError(rd_kafka_last_error(), operation: "write to \(name)")
        }
        topics[name] = topic
        return topic
    }

    private func produce(_ record: KafkaOutputRecord, to topic: OpaquePointer) -> OpaquePointer? {
        let headers = makeHeaders(record.headers)
        let error = Self.withBytes(record.key) { key, keySize in
            Self.withBytes(record.value) { value, valueSize in
                crdkafka_produce(
                    handle.client,
                    topic,
                    record.partition ?? -1,
                    key,
                    keySize,
                    value,
                    valueSize,
                    headers,
                    record.timestamp ?? 0
                )
            }
        }
        // librdkafka owns the headers, unless it refused the record.
        if error != nil, let headers { rd_kafka_headers_destroy(headers) }
        return error
    }

    private func makeHeaders(_ headers: [KafkaHeader]) -> OpaquePointer? {
        guard !headers.isEmpty, let list = rd_kafka_headers_new(headers.count) else { return nil }
        for header in headers {
            Self.withBytes(header.value) { value, size in
                _ = rd_kafka_header_add(list, header.name, -1, value, size)
            }
        }
        return list
    }

    /// Calls `body` with address and size. Null differs from empty on the wire, so an empty array needs an address.
    private static func withBytes<R>(_ bytes: [UInt8]?, _ body: (UnsafeRawPointer?, Int) -> R) -> R {
        guard let bytes else { return body(nil, 0) }
        guard !bytes.isEmpty else { return withUnsafePointer(to: UInt8(0)) { body(UnsafeRawPointer($0), 0) } }
        return bytes.withUnsafeBytes { body($0.baseAddress, $0.count) }
    }
}
