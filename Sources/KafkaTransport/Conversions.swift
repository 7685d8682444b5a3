import KafkaClient
import StreamRuntime

/// Runs `body` and converts its `KafkaError` to a `StreamError`.
func convertingErrors<R>(_ body: () throws(KafkaError) -> R) throws(StreamError) -> R {
    do { return try body() } catch { throw StreamError(error) }
}

extension StreamError {
    /// Errors that a single record causes. Missing rights, missing topics, too few replicas and similar errors are not
    /// among them, because they would affect any other record as well.
    private static let recordErrorCodes: Set<String> = [
        "MSG_SIZE_TOO_LARGE", "INVALID_MSG_SIZE", "INVALID_RECORD", "RECORD_LIST_TOO_LARGE", "INVALID_TIMESTAMP",
        // The topic exists and has no such partition: the choice of the partition was wrong. librdkafka reports
        // _UNKNOWN_TOPIC for a topic that no longer exists.
        "_UNKNOWN_PARTITION", "INVALID_PARTITIONS",
    ]

    init(_ error: KafkaError) {
        let disposition: Disposition =
            switch error.disposition {
            case .retry: .retry
            case .abortTransaction: .abortTransaction
            case .fatal: .fatal
            }
        let reason = error.remedy.map { "\(error.reason); \($0)" } ?? error.reason
        self.init(
            disposition,
            operation: error.operation,
            code: error.code,
            reason: reason,
            isAboutRecord: Self.recordErrorCodes.contains(error.code)
        )
    }
}

extension KafkaTopicPartition {
    init(_ partition: TopicPartition) { self.init(partition.topic, partition.partition) }
}

extension TopicPartition {
    init(_ partition: KafkaTopicPartition) { self.init(partition.topic, partition.partition) }
}

func kafka(_ positions: [TopicPartition: Int64]) -> [KafkaTopicPartition: Int64] {
    Dictionary(positions.map { (KafkaTopicPartition($0.key), $0.value) }, uniquingKeysWith: { first, _ in first })
}

func kafka(_ offsets: [TopicPartition: GroupOffset]) -> [KafkaTopicPartition: KafkaGroupOffset] {
    Dictionary(
        offsets.map {
            (KafkaTopicPartition($0.key), KafkaGroupOffset(next: $0.value.next, metadata: $0.value.metadata))
        },
        uniquingKeysWith: { first, _ in first }
    )
}

extension KafkaOutputRecord {
    init(_ record: OutputRecord) {
        self.init(
            topic: record.topic,
            partition: record.partition,
            key: record.key,
            value: record.value,
            headers: record.headers.map { KafkaHeader($0.name, $0.value) }
        )
    }
}

extension RecordBatch {
    /// Fills the batch with records whose content stays in place: only pointers are copied.
    func fill(_ lent: ContiguousArray<KafkaRecord>, headers: @escaping (Int) -> [KafkaHeader]) {
        records.removeAll(keepingCapacity: true)
        records.reserveCapacity(lent.count)
        for record in lent {
            records.append(
                RecordView(
                    topic: record.topic,
                    partition: record.partition,
                    offset: record.offset,
                    timestamp: record.timestamp,
                    key: record.key,
                    value: record.value
                )
            )
        }
        headerReader = { index in headers(index).map { RecordHeader($0.name, $0.value) } }
    }

    func clear() {
        records.removeAll(keepingCapacity: true)
        headerReader = { _ in [] }
    }
}
