import Crdkafka

/// Consumes messages as fast as the client can and inspects none: the baseline of all comparisons.
///
/// librdkafka with its defaults, except for batches: default queues, no headers, no timestamps, no keys.
public final class KafkaMessageCounter {
    private let handle: ClientHandle
    private let queue: OpaquePointer
    private let topic: String
    private let buffer = RecordBuffer(capacity: 10_000)
    private var partitions: [KafkaTopicPartition: Int64] = [:]
    /// Messages consumed so far.
    public private(set) var count = 0
    /// Bytes of the values of these messages.
    public private(set) var bytes = 0

    /// Reads every partition of `topic` from its first offset; `commit` commits offsets for `group`.
    public init(properties: KafkaProperties, group: String, topic: String) throws(KafkaError) {
        self.topic = topic
        handle = try ClientHandle(
            ClientConfiguration(
                kind: .consumer,
                defaults: [:],
                properties: properties,
                required: ["group.id": group, "enable.auto.commit": "false", "enable.auto.offset.store": "false"],
                events: RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_REBALANCE
            ),
            operation: "open a consumer"
        )
        guard let queue = rd_kafka_queue_get_consumer(handle.client) else {
            throw KafkaError(.fatal, operation: "open a consumer", code: "_UNKNOWN_GROUP", reason: "there is no group")
        }
        self.queue = queue
        for number in try Metadata.partitions(of: topic, for: .read, client: handle.client, timeout: 10_000) {
            partitions[KafkaTopicPartition(topic, number)] = 0
        }
        let list = PartitionList(partitions.mapValues { _ in Int64(RD_KAFKA_OFFSET_BEGINNING) })
        let error = rd_kafka_assign(handle.client, list.pointer)
        guard error == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaError(error, operation: "read \(topic)") }
    }

    /// Consumes the available messages; waits at most `timeoutMilliseconds` for the first message.
    public func consume(timeoutMilliseconds: Int32) throws(KafkaError) {
        buffer.read(from: queue, maximum: 10_000, timeout: timeoutMilliseconds)
        for index in 0..<buffer.count {
            guard let message = buffer[index] else { continue }
            guard message.pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR else {
                throw KafkaError(message.pointee.err, operation: "read \(topic)")
            }
            bytes += message.pointee.len
        }
        count += buffer.count
        buffer.release()
    }

    /// Commits the positions up to which messages were read, and waits for the answer.
    public func commit() throws(KafkaError) {
        let positions = PartitionList(partitions.mapValues { _ in Int64(RD_KAFKA_OFFSET_INVALID) })
        var error = rd_kafka_position(handle.client, positions.pointer)
        if error == RD_KAFKA_RESP_ERR_NO_ERROR { error = rd_kafka_commit(handle.client, positions.pointer, 0) }
        guard error == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaError(error, operation: "commit offsets") }
    }

    /// Frees the client.
    public func close() {
        buffer.release()
        rd_kafka_assign(handle.client, nil)
        rd_kafka_queue_destroy(queue)
        handle.close()
    }
}
