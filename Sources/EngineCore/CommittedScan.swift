package import StreamRuntime

/// Counts records where offsets would not do: transaction markers, and records that were aborted or compacted away, take
/// offsets too.
///
/// It reads what is committed now and waits for no open transaction.
package struct CommittedScan {
    /// Where the reading of a partition ended.
    package struct End {
        /// Next offset.
        package var next: Int64
        /// Offsets from `next` to the partition's end; what stands there is not known.
        package var left: Int64
    }

    private let reader: any LogReader
    /// Records that are read of a partition at most.
    private let limit: Int
    /// How long nothing may come, in milliseconds.
    private static let patience = 5_000

    package init(_ reader: any LogReader, limit: Int) {
        self.reader = reader
        self.limit = limit
    }

    /// Hands the committed records of partitions to `body`, each partition's in offset order.
    ///
    /// - Parameters:
    ///   - from: Next offsets; where these have expired, reading begins at the first one that is there.
    ///   - deadline: When to stop, though there is more; nil to read to the ends.
    ///   - body: What it throws ends the scan.
    /// - Returns: Of each partition, how far it was read. Records that come meanwhile are left out.
    /// - Throws: `StreamError` when the topic cannot be read.
    package func read(
        _ from: [TopicPartition: Int64],
        until deadline: ContinuousClock.Instant? = nil,
        _ body: (TopicPartition, RecordView, RecordBatch, Int) throws -> Void
    ) throws -> [TopicPartition: End] {
        var ends: [TopicPartition: End] = [:]
        var open: [TopicPartition: Int64] = [:]
        for (place, offset) in from {
            let (low, high) = try reader.watermarks(place)
            let next = max(low, offset)
            ends[place] = End(next: next, left: max(0, high - next))
            if high > next { open[place] = high }
        }
        guard !open.isEmpty else { return ends }
        var counts: [TopicPartition: Int] = [:]
        try reader.start(open.keys.reduce(into: [:]) { $0[$1] = ends[$1]?.next })
        let batch = RecordBatch()
        var idle = 0
        while !open.isEmpty, idle < Self.patience, deadline.map({ .now < $0 }) ?? true {
            switch try reader.poll(into: batch, maximum: min(limit, 5_000), timeoutMilliseconds: 100) {
            case .idle: idle += 100
            case .endOfPartition(let place, let offset):
                if let high = open.removeValue(forKey: place) {
                    ends[place] = End(next: offset, left: max(0, high - offset))
                }
            case .records:
                idle = 0
                let wereOpen = open.count
                for (index, record) in batch.records.enumerated() {
                    let place = TopicPartition(reader.topics[record.topic], record.partition)
                    guard let high = open[place] else { continue }
                    guard record.offset < high, counts[place, default: 0] < limit else {
                        // Behind the end that was asked for there are none of ours; behind the limit there may be.
                        let next = min(record.offset, high)
                        ends[place] = End(next: next, left: high - next)
                        open[place] = nil
                        continue
                    }
                    counts[place, default: 0] += 1
                    ends[place] = End(next: record.offset + 1, left: max(0, high - record.offset - 1))
                    try body(place, record, batch, index)
                }
                guard open.count < wereOpen, !open.isEmpty else { continue }
                try reader.start(open.keys.reduce(into: [:]) { $0[$1] = ends[$1]?.next })
            }
        }
        return ends
    }
}
