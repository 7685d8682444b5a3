import Crdkafka

/// Asks for the first and the next offset of partitions, uncommitted records included.
///
/// It is a client of its own, because librdkafka answers a read_committed client with the last stable offset instead.
final class WatermarkProbe {
    private let handle: ClientHandle

    init(_ properties: KafkaProperties) throws(KafkaError) {
        var own = properties
        for name in ["group.id", "group.instance.id", "transactional.id"] { own[name] = nil }
        own["isolation.level"] = "read_uncommitted"
        handle = try ClientHandle(
            ClientConfiguration(kind: .consumer, properties: own, events: 0),
            operation: "open a client that asks for offsets"
        )
    }

    func watermarks(_ partition: KafkaTopicPartition, timeout: Int) throws(KafkaError) -> KafkaWatermarks {
        var low: Int64 = 0
        var high: Int64 = 0
        let operation = "ask for the offsets of \(partition)"
        try repeating(timeout) { wait in
            let error = rd_kafka_query_watermark_offsets(
                handle.client,
                partition.topic,
                partition.partition,
                &low,
                &high,
                wait
            )
            return error == RD_KAFKA_RESP_ERR_NO_ERROR ? nil : KafkaError(error, operation: operation)
        }
        return KafkaWatermarks(low: low, high: high)
    }

    /// The first offset whose record bears that time or a later one; the end if there is none.
    func firstOffset(
        _ partition: KafkaTopicPartition,
        since time: Int64,
        timeout: Int
    ) throws(KafkaError) -> Int64 {
        var found: Int64?
        let operation = "look for a time in \(partition)"
        try repeating(timeout) { wait in
            // The question stands where the answer will.
            let list = PartitionList([partition: max(0, time)])
            let error = rd_kafka_offsets_for_times(handle.client, list.pointer, wait)
            guard error == RD_KAFKA_RESP_ERR_NO_ERROR else { return KafkaError(error, operation: operation) }
            found = list.offsets()[partition]
            return list.firstError(operation: operation, except: RD_KAFKA_RESP_ERR_NO_ERROR)
        }
        if let found { return found }
        return try watermarks(partition, timeout: timeout).high
    }

    private func repeating(_ timeout: Int, _ body: (Int32) -> KafkaError?) throws(KafkaError) {
        handle.drainLog()
        let deadline = Deadline(milliseconds: timeout)
        while true {
            guard let failure = body(deadline.slice(atMost: 5_000)) else { return }
            guard failure.disposition == .retry, !deadline.hasPassed else { throw failure }
            // Also the pause before the next try.
            if let event = rd_kafka_queue_poll(handle.mainQueue, deadline.slice(atMost: 100)) {
                rd_kafka_event_destroy(event)
            }
        }
    }
}

/// Asks for the metadata of topics and brokers.
enum Metadata {
    /// The partitions of a topic, ascending.
    static func partitions(of topic: String, client: OpaquePointer, timeout: Int) throws(KafkaError) -> [Int32] {
        let operation = "ask for the partitions of \(topic)"
        guard let handle = rd_kafka_topic_new(client, topic, nil) else {
            throw KafkaError(rd_kafka_last_error(), operation: operation)
        }
        defer { rd_kafka_topic_destroy(handle) }
        return try read(client, topic: handle, timeout: timeout, operation: operation) { data throws(KafkaError) in
            for index in 0..<Int(data.topic_cnt) {
                let found = data.topics[index]
                guard found.err == RD_KAFKA_RESP_ERR_NO_ERROR else {
                    throw KafkaError(found.err, operation: operation)
                }
                return (0..<Int(found.partition_cnt)).map { found.partitions[$0].id }.sorted()
            }
            return []
        }
    }

    /// Lends the metadata to `body`; without a topic, of the whole cluster.
    static func read<R>(
        _ client: OpaquePointer,
        topic: OpaquePointer? = nil,
        timeout: Int,
        operation: String,
        _ body: (rd_kafka_metadata) throws(KafkaError) -> R
    ) throws(KafkaError) -> R {
        var metadata: UnsafePointer<rd_kafka_metadata>?
        let error = rd_kafka_metadata(client, topic == nil ? 1 : 0, topic, &metadata, Int32(timeout))
        guard error == RD_KAFKA_RESP_ERR_NO_ERROR, let metadata else { throw KafkaError(error, operation: operation) }
        defer { rd_kafka_metadata_destroy(metadata) }
        return try body(metadata.pointee)
    }
}
