import KafkaClient
import StreamRuntime

/// A reader over `KafkaReader`.
final class KafkaLogReader: LogReader {
    private let reader: KafkaReader

    init(_ reader: KafkaReader) { self.reader = reader }

    var topics: [String] { reader.topics }

    func partitions(of topic: String) throws(StreamError) -> [Int32] {
        try convertingErrors { () throws(KafkaError) in try reader.partitions(of: topic) }
    }

    func start(_ positions: [TopicPartition: Int64]) throws(StreamError) {
        try convertingErrors { () throws(KafkaError) in try reader.start(kafka(positions)) }
    }

    func poll(into batch: RecordBatch, maximum: Int, timeoutMilliseconds: Int) throws(StreamError) -> ReadOutcome {
        batch.clear()
        let outcome = try convertingErrors { () throws(KafkaError) in
            try reader.poll(maximum: maximum, timeoutMilliseconds: timeoutMilliseconds)
        }
        switch outcome {
        case .idle: return .idle
        case .records:
            batch.fill(reader.records) { [reader] in reader.headers(at: $0) }
            return .records
        case .endOfPartition(let partition, let offset): return .endOfPartition(TopicPartition(partition), offset)
        }
    }

    func watermarks(_ partition: TopicPartition) throws(StreamError) -> (low: Int64, high: Int64) {
        let found = try convertingErrors { () throws(KafkaError) in
            try reader.watermarks(KafkaTopicPartition(partition))
        }
        return (found.low, found.high)
    }

    func ends(of partitions: [TopicPartition], stable: Bool) throws(StreamError) -> [TopicPartition: Int64] {
        let found = try convertingErrors { () throws(KafkaError) in
            try reader.ends(of: partitions.map { KafkaTopicPartition($0) }, stable: stable)
        }
        return Dictionary(uniqueKeysWithValues: found.map { (TopicPartition($0), $1) })
    }

    func firstOffset(_ partition: TopicPartition, since time: Int64) throws(StreamError) -> Int64 {
        try convertingErrors { () throws(KafkaError) in
            try reader.firstOffset(KafkaTopicPartition(partition), since: time)
        }
    }

    func close() { reader.close() }
}
