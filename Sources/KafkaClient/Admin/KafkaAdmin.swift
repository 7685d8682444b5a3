import Crdkafka

/// A broker, as the cluster describes it.
public struct KafkaBroker: Hashable, Sendable, CustomStringConvertible {
    /// The node id.
    public let id: Int32
    /// The advertised host.
    public let host: String
    /// The advertised port.
    public let port: Int32

    /// As in `host:9092 (1)`.
    public var description: String { "\(host):\(port) (\(id))" }
}

/// Reads and changes the contents of a cluster: topics, offsets, brokers. Used on one thread only.
///
/// Every call blocks until the cluster has answered, or until the timeout passed to `init` has expired.
public final class KafkaAdmin {
    let handle: ClientHandle
    let timeout: Int
    private let properties: KafkaProperties
    private lazy var probe = Result { () throws(KafkaError) in try WatermarkProbe(properties, for: .describe) }

    /// Opens the client; the first call contacts the cluster.
    public init(properties: KafkaProperties, timeoutMilliseconds: Int = 30_000) throws(KafkaError) {
        var clientProperties = properties
        for name in ["group.id", "group.instance.id", "transactional.id"] { clientProperties[name] = nil }
        self.properties = clientProperties
        timeout = timeoutMilliseconds
        handle = try ClientHandle(
            ClientConfiguration(kind: .producer, properties: clientProperties, events: RD_KAFKA_EVENT_ERROR),
            operation: "open an administrator"
        )
    }

    /// Removes and returns the lines that librdkafka logged since the last call.
    public func takeDiagnostics() -> [KafkaDiagnostic] { handle.takeDiagnostics() }

    /// Frees the client.
    public func close() {
        probe = .failure(KafkaError(.fatal, operation: "ask", code: "_DESTROY", reason: "the client is closed"))
        handle.close()
    }

    /// The id that was assigned to the cluster when it was created.
    public func clusterID() throws(KafkaError) -> String {
        guard let id = rd_kafka_clusterid(handle.client, Int32(timeout)) else {
            throw KafkaError(
                .retry,
                operation: "ask for the cluster's id",
                code: "_TIMED_OUT",
                reason: "no broker answered within \(timeout) ms"
            )
        }
        defer { rd_kafka_mem_free(handle.client, id) }
        return String(cString: id)
    }

    /// The brokers that are part of the cluster now, by id.
    public func brokers() throws(KafkaError) -> [KafkaBroker] {
        try Metadata.read(handle.client, timeout: timeout, operation: "ask for the brokers") {
            data throws(KafkaError) in
            (0..<Int(data.broker_cnt)).map { data.brokers[$0] }
                .map { KafkaBroker(id: $0.id, host: $0.host.map { String(cString: $0) } ?? "", port: $0.port) }
                .sorted { $0.id < $1.id }
        }
    }

    /// The partitions of a topic, ascending. A list of topics may omit hidden ones; for a topic that is requested by
    /// name, a broker distinguishes a missing topic from one that the principal may not describe.
    ///
    /// - Throws: `KafkaError` with the code `UNKNOWN_TOPIC_OR_PART` if the topic is missing, and an error that
    ///   `isForbidden` if the principal has no right to it.
    public func partitions(of topic: String) throws(KafkaError) -> [Int32] {
        try probe.get().partitions(of: topic, timeout: timeout)
    }

    /// The first and the next offset of each partition, uncommitted records included.
    public func watermarks(
        _ partitions: [KafkaTopicPartition]
    ) throws(KafkaError) -> [KafkaTopicPartition: KafkaWatermarks] {
        let probe = try probe.get()
        var found: [KafkaTopicPartition: KafkaWatermarks] = [:]
        for partition in partitions { found[partition] = try probe.watermarks(partition, timeout: timeout) }
        return found
    }

    /// The next offsets that a group has committed. Does not join the group, and does not wait for open transactions.
    public func committedOffsets(
        group: String,
        _ partitions: [KafkaTopicPartition]
    ) throws(KafkaError) -> [KafkaTopicPartition: Int64] { try committed(group: group, partitions).mapValues(\.next) }

    /// The next offsets that a group has committed, with the metadata committed beside them. Does not join the group,
    /// and does not wait for open transactions.
    public func committed(
        group: String,
        _ partitions: [KafkaTopicPartition]
    ) throws(KafkaError) -> [KafkaTopicPartition: KafkaGroupOffset] {
        guard !partitions.isEmpty else { return [:] }
        let operation = "read the committed offsets of group \(group)"
        // Either is enough: Read includes Describe, and a member of the group needs Read.
        let rights = [KafkaRight(.read, .group, group), KafkaRight(.describe, .group, group)]
        // A consumer that joins no group. `rd_kafka_ListConsumerGroupOffsets` ends the process if the group's
        // coordinator is not known yet, as on a fresh cluster: it looks up the coordinator by the client's own group,
        // and an administrator has none (librdkafka's issue 5040; 2.0.2 to 2.10).
        var clientProperties = properties
        clientProperties["group.id"] = group
        clientProperties["enable.auto.commit"] = "false"
        // With uncommitted reads, the call does not wait for open transactions.
        clientProperties["isolation.level"] = "read_uncommitted"
        let reader = try ClientHandle(
            ClientConfiguration(kind: .consumer, properties: clientProperties, events: RD_KAFKA_EVENT_ERROR),
            operation: operation
        )
        let queue = rd_kafka_queue_get_consumer(reader.client)
        defer {
            if let queue { rd_kafka_queue_destroy(queue) }
            reader.close()
        }
        let deadline = Deadline(milliseconds: timeout)
        while true {
            let list = PartitionList(partitions)
            let error = rd_kafka_committed(reader.client, list.pointer, max(1, deadline.slice(atMost: 1_000)))
            let failure =
                error == RD_KAFKA_RESP_ERR_NO_ERROR
                ? list.firstError(operation: operation, except: RD_KAFKA_RESP_ERR_NO_ERROR)
                : KafkaError(error, operation: operation)
            guard let failure else { return list.groupOffsets() }
            // A missing right to request the coordinator is reported in an event, while the call keeps waiting for the
            // coordinator.
            while let queue, let event = rd_kafka_queue_poll(queue, 0) {
                defer { rd_kafka_event_destroy(event) }
                let reported = rd_kafka_event_error(event)
                guard reported == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED else { continue }
                throw KafkaError(reported, operation: operation).lacking(anyOf: rights)
            }
            guard failure.disposition == .retry, !deadline.hasPassed else {
                reader.drainLog()
                throw reader.explained(failure.lacking(anyOf: rights))
            }
            Pause.milliseconds(50)
        }
    }

    /// Sends one administrative request and passes its answer to `reading`.
    func perform<R>(
        _ kind: rd_kafka_admin_op_t,
        operation: String,
        needing right: KafkaRight? = nil,
        _ request: (OpaquePointer, OpaquePointer, OpaquePointer) -> Void,
        reading: (OpaquePointer) throws(KafkaError) -> R
    ) throws(KafkaError) -> R {
        handle.drainLog()
        guard let queue = rd_kafka_queue_new(handle.client),
            let options = rd_kafka_AdminOptions_new(handle.client, kind)
        else { throw KafkaError(.fatal, operation: operation, code: "_FAIL", reason: "librdkafka made no queue") }
        defer {
            rd_kafka_AdminOptions_destroy(options)
            rd_kafka_queue_destroy(queue)
        }
        var reason = ErrorText()
        _ = reason.fill { rd_kafka_AdminOptions_set_request_timeout(options, Int32(timeout), $0, $1) }
        request(handle.client, options, queue)
        guard let event = rd_kafka_queue_poll(queue, Int32(timeout + 1000)) else {
            handle.drainLog()
            throw handle.explained(
                KafkaError(.retry, operation: operation, code: "_TIMED_OUT", reason: "no answer in \(timeout) ms")
            )
        }
        defer { rd_kafka_event_destroy(event) }
        let error = rd_kafka_event_error(event)
        guard error == RD_KAFKA_RESP_ERR_NO_ERROR else {
            let text = rd_kafka_event_error_string(event).map { String(cString: $0) }
            throw KafkaError(error, operation: operation, reason: text).lacking(anyOf: right.map { [$0] } ?? [])
        }
        return try reading(event)
    }
}
