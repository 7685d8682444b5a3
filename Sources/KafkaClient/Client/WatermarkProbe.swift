import Crdkafka

/// Queries the first and the next offset of partitions.
///
/// The probe has its own client, because librdkafka (1.7.1 and later) answers according to the isolation level of the
/// client: a client of read_uncommitted receives the high watermark, a client of read_committed the last stable offset.
///
/// The query is by time, with the times that represent the beginning and the end. `rd_kafka_query_watermark_offsets` of
/// 2.0.2 does not respect its timeout while a partition's leader is unavailable, and queries the old leader for ever
/// after the leadership has moved.
final class WatermarkProbe {
    private let handle: ClientHandle
    /// Purpose of the queries: the right to this operation is named in an error where it is lacking.
    private let use: KafkaRight.Operation

    /// Creates a client that has sent no query yet. If `stable`, ends are last stable offsets; otherwise uncommitted
    /// records count.
    init(_ properties: KafkaProperties, for use: KafkaRight.Operation, stable: Bool = false) throws(KafkaError) {
        self.use = use
        var clientProperties = properties
        for name in ["group.id", "group.instance.id", "transactional.id"] { clientProperties[name] = nil }
        clientProperties["isolation.level"] = stable ? "read_committed" : "read_uncommitted"
        // The client has no topic of its own, so it would keep using a former leader for as long as this.
        clientProperties["metadata.max.age.ms"] = "1000"
        handle = try ClientHandle(
            ClientConfiguration(kind: .consumer, properties: clientProperties, events: 0),
            operation: "open a client that asks for offsets"
        )
    }

    func watermarks(_ partition: KafkaTopicPartition, timeout: Int) throws(KafkaError) -> KafkaWatermarks {
        handle.drainLog()
        let deadline = Deadline(milliseconds: timeout)
        let low = try offset(of: partition, at: Int64(RD_KAFKA_OFFSET_BEGINNING), deadline)
        return KafkaWatermarks(low: low, high: try offset(of: partition, at: Int64(RD_KAFKA_OFFSET_END), deadline))
    }

    /// The next offset of each partition, all queried at once.
    func ends(of partitions: [KafkaTopicPartition], timeout: Int) throws(KafkaError) -> [KafkaTopicPartition: Int64] {
        handle.drainLog()
        return try offsets(of: partitions, at: Int64(RD_KAFKA_OFFSET_END), Deadline(milliseconds: timeout))
    }

    /// The first offset whose record has that time or a later one; the end if there is none.
    func firstOffset(
        _ partition: KafkaTopicPartition,
        since time: Int64,
        timeout: Int
    ) throws(KafkaError) -> Int64 {
        let deadline = Deadline(milliseconds: timeout)
        let end = try offset(of: partition, at: Int64(RD_KAFKA_OFFSET_END), deadline)
        // A broker returns the end, or no offset, if no record is that recent.
        return min(end, try offset(of: partition, at: max(0, time), deadline, ifNone: end))
    }

    /// The partitions of a topic, ascending.
    func partitions(of topic: String, timeout: Int) throws(KafkaError) -> [Int32] {
        handle.drainLog()
        return try Metadata.partitions(of: topic, for: use, client: handle.client, timeout: timeout)
    }

    private func offset(of partition: KafkaTopicPartition, at time: Int64, _ deadline: Deadline, ifNone: Int64? = nil)
        throws(KafkaError) -> Int64
    {
        try offsets(of: [partition], at: time, deadline, ifNone: ifNone)[partition] ?? 0
    }

    /// Returns an offset for each partition; `ifNone` replaces an offset that the broker does not return.
    private func offsets(
        of partitions: [KafkaTopicPartition],
        at time: Int64,
        _ deadline: Deadline,
        ifNone: Int64? = nil
    ) throws(KafkaError) -> [KafkaTopicPartition: Int64] {
        guard let first = partitions.first else { return [:] }
        let operation =
            partitions.count == 1
            ? "ask for the offsets of \(first)" : "ask for the offsets of \(first) and \(partitions.count - 1) others"
        while true {
            let list = PartitionList(Dictionary(partitions.map { ($0, time) }, uniquingKeysWith: { one, _ in one }))
            let error = rd_kafka_offsets_for_times(handle.client, list.pointer, max(1, deadline.slice(atMost: 3_000)))
            let failure: KafkaError
            if error != RD_KAFKA_RESP_ERR_NO_ERROR {
                failure = KafkaError(error, operation: operation)
            } else if let found = list.firstError(operation: operation, except: RD_KAFKA_RESP_ERR_NO_ERROR) {
                failure = found
            } else {
                var found = list.offsets()
                if let ifNone {
                    for partition in partitions where found[partition] == nil { found[partition] = ifNone }
                }
                if partitions.allSatisfy({ found[$0] != nil }) { return found }
                failure = KafkaError(.retry, operation: operation, code: "_NO_OFFSET", reason: "the broker sent none")
            }
            guard failure.disposition == .retry, !deadline.hasPassed else {
                throw Metadata.explained(failure, first.topic, for: use, client: handle.client)
            }
            // Also the pause before the next try.
            if let event = rd_kafka_queue_poll(handle.mainQueue, deadline.slice(atMost: 100)) {
                rd_kafka_event_destroy(event)
            }
        }
    }
}

/// Queries of the metadata of topics and brokers.
enum Metadata {
    /// The partitions of a topic, ascending; `use` is the operation for which they are needed, named in an error.
    static func partitions(
        of topic: String,
        for use: KafkaRight.Operation,
        client: OpaquePointer,
        timeout: Int
    ) throws(KafkaError) -> [Int32] {
        let operation = "ask for the partitions of \(topic)"
        guard let handle = rd_kafka_topic_new(client, topic, nil) else {
            throw KafkaError(rd_kafka_last_error(), operation: operation)
        }
        defer { rd_kafka_topic_destroy(handle) }
        return try read(client, topic: handle, timeout: timeout, operation: operation) { data throws(KafkaError) in
            for index in 0..<Int(data.topic_cnt) {
                let found = data.topics[index]
                guard found.err == RD_KAFKA_RESP_ERR_NO_ERROR else {
                    throw KafkaError(found.err, operation: operation).lacking(.init(use, .topic, topic))
                }
                return (0..<Int(found.partition_cnt)).map { found.partitions[$0].id }.sorted()
            }
            return []
        }
    }

    /// Returns the error, or the authorization error that caused it: librdkafka treats a topic as missing if it
    /// receives no description of it.
    static func explained(
        _ error: KafkaError,
        _ topic: String,
        for use: KafkaRight.Operation,
        client: OpaquePointer
    ) -> KafkaError {
        guard ["_UNKNOWN_PARTITION", "_UNKNOWN_TOPIC"].contains(error.code) else {
            return error.lacking(.init(use, .topic, topic))
        }
        do throws(KafkaError) {
            _ = try partitions(of: topic, for: use, client: client, timeout: 5_000)
            return error
        } catch let found {
            return found.isForbidden ? found : error
        }
    }

    /// Passes metadata to `body`: those of `topic`; without a topic, those of the whole cluster, or without `allTopics`
    /// those of its brokers and of the topics that the client knows.
    static func read<R>(
        _ client: OpaquePointer,
        topic: OpaquePointer? = nil,
        timeout: Int,
        operation: String,
        allTopics: Bool = true,
        _ body: (rd_kafka_metadata) throws(KafkaError) -> R
    ) throws(KafkaError) -> R {
        var metadata: UnsafePointer<rd_kafka_metadata>?
        let error = rd_kafka_metadata(client, topic == nil && allTopics ? 1 : 0, topic, &metadata, Int32(timeout))
        guard error == RD_KAFKA_RESP_ERR_NO_ERROR, let metadata else { throw KafkaError(error, operation: operation) }
        defer { rd_kafka_metadata_destroy(metadata) }
        return try body(metadata.pointee)
    }
}
