internal import EngineCore
public import Events
public import StreamRuntime

/// Number of dead letters in `dead-letters`: marks of records that were sent again, and anything else that occupies
/// offsets there, do not count.
public final class DeadLetterCount {
    /// Maximum number of records that are read of a partition, the newest ones.
    public static let limit = 100_000

    private let reader: any LogReader
    private let topic: String
    private let limit: Int
    private var next: [TopicPartition: Int64] = [:]
    /// Offsets of dead letters, so that dead letters that expire between two calls are no longer counted.
    private var deadLetters: [Int32: [Int64]] = [:]
    private var marked: [Int32: Set<Int64>] = [:]
    /// Whether all records there were read; otherwise the count is a lower bound.
    public private(set) var isExact = true

    public init(
        transport: any StreamTransport,
        topics: TopicNames,
        limit: Int = DeadLetterCount.limit
    ) throws(StreamError) {
        self.limit = limit
        topic = topics[.deadLetters]
        reader = try transport.makeReader(topics: [topic])
    }

    public func close() { reader.close() }

    /// Number of dead letters that are present.
    public var count: Int64 { deadLetters.values.reduce(0) { $0 + Int64($1.count) } }

    /// Number of these dead letters whose records were sent again.
    public var redriven: Int64 {
        deadLetters.reduce(0) { sum, entry in
            let marks = marked[entry.key] ?? []
            return marks.isEmpty ? sum : sum + Int64(entry.value.count { marks.contains($0) })
        }
    }

    /// Reads the records written since the last call.
    ///
    /// - Complexity: O(new records), with their headers.
    public func update() throws {
        var from: [TopicPartition: Int64] = [:]
        for partition in try reader.partitions(of: topic) {
            let topicPartition = TopicPartition(topic, partition)
            let (low, high) = try reader.watermarks(topicPartition)
            deadLetters[partition]?.removeAll { $0 < low }
            let first = max(low, next[topicPartition] ?? low)
            // There are at most as many records as offsets.
            if high - first > Int64(limit) { isExact = false }
            from[topicPartition] = max(first, high - Int64(limit))
        }
        let ends = try CommittedScan(reader, limit: .max).read(from) { topicPartition, record, batch, index in
            switch DeadLetterTopicRecord(record, headers: batch.headers(at: index)) {
            case .deadLetter: deadLetters[topicPartition.partition, default: []].append(record.offset)
            case .redriven(let mark): marked[mark.deadLetter.partition, default: []].insert(mark.deadLetter.offset)
            case .foreign: break
            }
        }
        next.merge(ends.mapValues(\.next)) { $1 }
    }
}
