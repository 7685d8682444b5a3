import Crdkafka
import Glibc

/// Owns a list of partitions with offsets.
struct PartitionList: ~Copyable {
    let pointer: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>

    init(_ partitions: some Collection<KafkaTopicPartition>) {
        pointer = rd_kafka_topic_partition_list_new(Int32(partitions.count))
        for partition in partitions {
            rd_kafka_topic_partition_list_add(pointer, partition.topic, partition.partition)
        }
    }

    init(_ offsets: [KafkaTopicPartition: Int64]) {
        pointer = rd_kafka_topic_partition_list_new(Int32(offsets.count))
        for (partition, offset) in offsets.sorted(by: { $0.key < $1.key }) {
            rd_kafka_topic_partition_list_add(pointer, partition.topic, partition.partition).pointee.offset = offset
        }
    }

    /// Creates a list with offsets and metadata; the metadata are freed together with the list.
    init(_ offsets: [KafkaTopicPartition: KafkaGroupOffset]) {
        pointer = rd_kafka_topic_partition_list_new(Int32(offsets.count))
        for (partition, offset) in offsets.sorted(by: { $0.key < $1.key }) {
            let element = rd_kafka_topic_partition_list_add(pointer, partition.topic, partition.partition)
            element?.pointee.offset = offset.next
            guard !offset.metadata.isEmpty, let text = strdup(offset.metadata) else { continue }
            element?.pointee.metadata = UnsafeMutableRawPointer(text)
            element?.pointee.metadata_size = strlen(text)
        }
    }

    init(topics: [String]) {
        pointer = rd_kafka_topic_partition_list_new(Int32(topics.count))
        for topic in topics { rd_kafka_topic_partition_list_add(pointer, topic, -1) }
    }

    deinit { rd_kafka_topic_partition_list_destroy(pointer) }

    /// The error of the first partition that has one other than `ignored`; nil if there is none.
    func firstError(operation: String, except ignored: rd_kafka_resp_err_t) -> KafkaError? {
        for element in Self.elements(pointer) where element.err != RD_KAFKA_RESP_ERR_NO_ERROR && element.err != ignored
        {
            return KafkaError(
                element.err,
                operation: operation,
                reason: "\(Self.partition(element)): \(String(cString: rd_kafka_err2str(element.err)))"
            )
        }
        return nil
    }

    /// The partitions whose offset is an actual one, not a negative code.
    func offsets() -> [KafkaTopicPartition: Int64] { Self.offsets(pointer) }

    static func offsets(
        _ list: UnsafePointer<rd_kafka_topic_partition_list_t>
    ) -> [KafkaTopicPartition: Int64] {
        var found: [KafkaTopicPartition: Int64] = [:]
        for element in elements(list) where element.offset >= 0 { found[partition(element)] = element.offset }
        return found
    }

    /// The actual offsets, with the metadata committed beside them.
    func groupOffsets() -> [KafkaTopicPartition: KafkaGroupOffset] { Self.groupOffsets(pointer) }

    static func groupOffsets(
        _ list: UnsafePointer<rd_kafka_topic_partition_list_t>
    ) -> [KafkaTopicPartition: KafkaGroupOffset] {
        var found: [KafkaTopicPartition: KafkaGroupOffset] = [:]
        for element in elements(list) where element.offset >= 0 {
            let metadata = element.metadata.map { UnsafeRawBufferPointer(start: $0, count: element.metadata_size) }
            let text = metadata.map { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            found[partition(element)] = KafkaGroupOffset(next: element.offset, metadata: text ?? "")
        }
        return found
    }

    static func partitions(_ list: UnsafePointer<rd_kafka_topic_partition_list_t>?) -> [KafkaTopicPartition] {
        guard let list else { return [] }
        return elements(list).map(partition).sorted()
    }

    /// Returns the topic of an element that belongs to no list, and destroys the element.
    static func takeTopic(_ element: UnsafeMutablePointer<rd_kafka_topic_partition_t>) -> String {
        defer { rd_kafka_topic_partition_destroy(element) }
        return partition(element.pointee).topic
    }

    static func elements(
        _ list: UnsafePointer<rd_kafka_topic_partition_list_t>
    ) -> UnsafeBufferPointer<rd_kafka_topic_partition_t> {
        UnsafeBufferPointer(start: list.pointee.elems, count: Int(list.pointee.cnt))
    }

    private static func partition(_ element: rd_kafka_topic_partition_t) -> KafkaTopicPartition {
        KafkaTopicPartition(element.topic.map { String(cString: $0) } ?? "", element.partition)
    }
}
