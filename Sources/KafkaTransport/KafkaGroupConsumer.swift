import KafkaClient
import StreamRuntime

/// A group member over `KafkaConsumer`.
final class KafkaGroupConsumer: GroupConsumer {
    let consumer: KafkaConsumer

    init(_ consumer: KafkaConsumer) { self.consumer = consumer }

    var topics: [String] { consumer.topics }

    func poll(
        into batch: RecordBatch,
        maximum: Int,
        timeoutMilliseconds: Int
    ) throws(StreamError) -> PollOutcome {
        batch.clear()
        let outcome = try convertingErrors { () throws(KafkaError) in
            try consumer.poll(maximum: maximum, timeoutMilliseconds: timeoutMilliseconds)
        }
        switch outcome {
        case .idle: return .idle
        case .records:
            batch.fill(consumer.records) { [consumer] in consumer.headers(at: $0) }
            return .records
        case .assigned(let partitions): return .assigned(partitions.map { TopicPartition($0) })
        case .revoked(let partitions): return .revoked(partitions.map { TopicPartition($0) })
        case .lost(let partitions): return .lost(partitions.map { TopicPartition($0) })
        }
    }

    func assign(_ positions: [TopicPartition: Int64]) throws(StreamError) {
        try convertingErrors { () throws(KafkaError) in try consumer.assign(kafka(positions)) }
    }

    /// Gives up all partitions: the range assignor revokes all of them at once, so `partitions` always contains all.
    func unassign(_ partitions: [TopicPartition]) throws(StreamError) {
        try convertingErrors { () throws(KafkaError) in try consumer.unassign() }
    }

    func committed(_ partitions: [TopicPartition]) throws(StreamError) -> [TopicPartition: GroupOffset] {
        let found = try convertingErrors { () throws(KafkaError) in
            try consumer.committed(partitions.map { KafkaTopicPartition($0) })
        }
        var offsets: [TopicPartition: GroupOffset] = [:]
        for (partition, offset) in found {
            offsets[TopicPartition(partition)] = GroupOffset(offset.next, metadata: offset.metadata)
        }
        return offsets
    }

    func watermarks(_ partition: TopicPartition) throws(StreamError) -> (low: Int64, high: Int64) {
        let found = try convertingErrors { () throws(KafkaError) in
            try consumer.watermarks(KafkaTopicPartition(partition))
        }
        return (found.low, found.high)
    }

    func seek(_ positions: [TopicPartition: Int64]) throws(StreamError) {
        try convertingErrors { () throws(KafkaError) in try consumer.seek(kafka(positions)) }
    }

    func pause(_ partitions: [TopicPartition]) throws(StreamError) {
        try convertingErrors { () throws(KafkaError) in try consumer.pause(partitions.map { KafkaTopicPartition($0) }) }
    }

    func resume(_ partitions: [TopicPartition]) throws(StreamError) {
        try convertingErrors { () throws(KafkaError) in try consumer.resume(partitions.map { KafkaTopicPartition($0) })
        }
    }

    var connectivityError: StreamError? { consumer.connectivityError.map { StreamError($0) } }

    func close() { consumer.close() }
}
