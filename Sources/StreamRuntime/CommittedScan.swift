/// Counts records where offsets are not sufficient for counting: transaction markers, and records that were aborted or
/// compacted away, occupy offsets too.
///
/// The scan reads the records that are committed now, and waits for no open transaction.
package struct CommittedScan {
    /// Position at which the reading of a partition ended.
    package struct End {
        /// Next offset.
        package var next: Int64
        /// Number of offsets from `next` to the partition's end; their content is not known.
        package var left: Int64
    }

    private let reader: any LogReader
    /// Maximum number of records that are read from a partition.
    private let limit: Int
    /// Maximum time without a record, in milliseconds.
    private static let maximumWait = 5_000

    package init(_ reader: any LogReader, limit: Int) {
        self.reader = reader
        self.limit = limit
    }

    /// Passes the committed records of partitions to `body`, each partition's in offset order.
    ///
    /// - Parameters:
    ///   - from: Next offsets; if these have expired, reading begins at the first existing one.
    ///   - deadline: Time at which to stop, even if there is more; nil to read to the ends.
    ///   - body: Called for each record; an error that it throws ends the scan.
    /// - Returns: The end of the reading for each partition. Records that are written meanwhile are not included.
    /// - Throws: `StreamError` when the topic cannot be read.
    package func read(
        _ from: [TopicPartition: Int64],
        until deadline: ContinuousClock.Instant? = nil,
        _ body: (TopicPartition, RecordView, RecordBatch, Int) throws -> Void
    ) throws -> [TopicPartition: End] {
        var ends: [TopicPartition: End] = [:]
        var open: [TopicPartition: Int64] = [:]
        for (topicPartition, offset) in from {
            let (low, high) = try reader.watermarks(topicPartition)
            let next = max(low, offset)
            ends[topicPartition] = End(next: next, left: max(0, high - next))
            if high > next { open[topicPartition] = high }
        }
        guard !open.isEmpty else { return ends }
        var counts: [TopicPartition: Int] = [:]
        try reader.start(open.keys.reduce(into: [:]) { $0[$1] = ends[$1]?.next })
        let batch = RecordBatch()
        var idle = 0
        while !open.isEmpty, idle < Self.maximumWait, deadline.map({ .now < $0 }) ?? true {
            switch try reader.poll(into: batch, maximum: min(limit, 5_000), timeoutMilliseconds: 100) {
            case .idle: idle += 100
            case .endOfPartition(let topicPartition, let offset):
                if let high = open.removeValue(forKey: topicPartition) {
                    ends[topicPartition] = End(next: offset, left: max(0, high - offset))
                }
            case .records:
                idle = 0
                let openCount = open.count
                for (index, record) in batch.records.enumerated() {
                    let topicPartition = TopicPartition(reader.topics[record.topic], record.partition)
                    guard let high = open[topicPartition] else { continue }
                    guard record.offset < high, counts[topicPartition, default: 0] < limit else {
                        // Beyond the requested end there are no records for this scan; beyond the limit there may be.
                        let next = min(record.offset, high)
                        ends[topicPartition] = End(next: next, left: high - next)
                        open[topicPartition] = nil
                        continue
                    }
                    counts[topicPartition, default: 0] += 1
                    ends[topicPartition] = End(next: record.offset + 1, left: max(0, high - record.offset - 1))
                    try body(topicPartition, record, batch, index)
                }
                guard open.count < openCount, !open.isEmpty else { continue }
                try reader.start(open.keys.reduce(into: [:]) { $0[$1] = ends[$1]?.next })
            }
        }
        return ends
    }
}
