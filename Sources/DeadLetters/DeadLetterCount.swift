internal import EngineCore
public import Events
public import StreamRuntime

/// How many dead letters stand on `dead-letters`: marks of what was sent again, and what else takes offsets there, are none.
public final class DeadLetterCount {
    /// Records of a partition that are read at most, the newest.
    public static let limit = 100_000

    private let reader: any LogReader
    private let topic: String
    private let limit: Int
    private var next: [TopicPartition: Int64] = [:]
    /// Places of dead letters, so that what expires between two calls is counted no more.
    private var letters: [Int32: [Int64]] = [:]
    private var marked: [Int32: Set<Int64>] = [:]
    /// Whether all that stands there was read; else there are so many at least.
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

    /// Dead letters that are there.
    public var count: Int64 { letters.values.reduce(0) { $0 + Int64($1.count) } }

    /// Number of these dead letters whose records were sent again.
    public var redriven: Int64 {
        letters.reduce(0) { sum, entry in
            let marks = marked[entry.key] ?? []
            return marks.isEmpty ? sum : sum + Int64(entry.value.count { marks.contains($0) })
        }
    }

    /// Reads what has come since the last call.
    ///
    /// - Complexity: O(new records), with their headers.
    public func update() throws {
        var from: [TopicPartition: Int64] = [:]
        for partition in try reader.partitions(of: topic) {
            let place = TopicPartition(topic, partition)
            let (low, high) = try reader.watermarks(place)
            letters[partition]?.removeAll { $0 < low }
            let first = max(low, next[place] ?? low)
            // Offsets are records at most.
            if high - first > Int64(limit) { isExact = false }
            from[place] = max(first, high - Int64(limit))
        }
        let ends = try CommittedScan(reader, limit: .max).read(from) { place, record, batch, index in
            switch LetterRecord(record, headers: batch.headers(at: index)) {
            case .letter: letters[place.partition, default: []].append(record.offset)
            case .redriven(let mark): marked[mark.letter.partition, default: []].insert(mark.letter.offset)
            case .foreign: break
            }
        }
        next.merge(ends.mapValues(\.next)) { $1 }
    }
}
