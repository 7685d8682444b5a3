public import StreamRuntime

/// Reads whole partitions in order, committed records only.
public struct TopicScan {
    private let reader: any LogReader
    private let topic: String

    public init(transport: any StreamTransport, topic: String) throws(StreamError) {
        self.topic = topic
        reader = try transport.makeReader(topics: [topic])
    }

    public func close() { reader.close() }

    /// The partitions of the topic.
    public func partitions() throws(StreamError) -> [Int32] { try reader.partitions(of: topic) }

    /// The first offset that still exists; above 0 once records have expired.
    public func firstOffset(_ partition: Int32) throws(StreamError) -> Int64 {
        try reader.watermarks(TopicPartition(topic, partition)).low
    }

    /// Returns the first offset whose record was written at or after a time (in milliseconds since 1970), by the
    /// timestamps of the records; if that cannot be determined, the first existing offset.
    public func firstOffset(_ partition: Int32, since time: Int64) throws(StreamError) -> Int64 {
        try reader.firstOffset(TopicPartition(topic, partition), since: time)
    }

    /// Returns the ends of partitions for a caller that only reads. It waits for a transaction of Flywheel, once for
    /// all of the partitions, but not for a transaction that stays open.
    public func settledEnds(_ partitions: [Int32]) throws(StreamError) -> [Int32: SettledEnd] {
        let ends = try reader.settledEnds(of: partitions.map { TopicPartition(topic, $0) })
        return ends.reduce(into: [:]) { $0[$1.key.partition] = $1.value }
    }

    /// Passes every record that exists at the call to `body`, in offset order, with its batch for the headers.
    ///
    /// - Parameters:
    ///   - partition: The partition, read by itself.
    ///   - offset: Offset at which to begin; nil or an expired offset for the first existing record.
    ///   - stable: Whether to end before a transaction that is open; otherwise that is an error.
    ///   - limit: Offset at which to end; nil for the partition's end at the call.
    ///   - maximumWait: Maximum milliseconds without an answer.
    ///   - body: An error that it throws ends the scan.
    /// - Throws: `StreamError` when the topic cannot be read, `EngineError` when its end is not reached, and errors
    ///   that `body` throws.
    public func forEach(
        _ partition: Int32,
        from offset: Int64? = nil,
        stable: Bool = false,
        until limit: Int64? = nil,
        maximumWait: Int = 15_000,
        _ body: (RecordView, RecordBatch, Int) throws -> Void
    ) throws {
        let topicPartition = TopicPartition(topic, partition)
        let (low, end) = try reader.watermarks(topicPartition)
        let high = try limit ?? (stable ? reader.ends(of: [topicPartition], stable: true)[topicPartition] ?? end : end)
        guard high > max(low, offset ?? low) else { return }
        try reader.start([topicPartition: max(low, offset ?? low)])
        let batch = RecordBatch()
        var idle = 0
        while idle < maximumWait {
            switch try reader.poll(into: batch, maximum: 5_000, timeoutMilliseconds: 100) {
            case .records:
                idle = 0
                for (index, record) in batch.records.enumerated() where record.offset < high {
                    try body(record, batch, index)
                }
            case .endOfPartition(_, let end):
                if end >= high { return }
                idle += 1
            case .idle: idle += 100
            }
        }
        throw EngineError(
            "read \(topicPartition) to its end",
            "it could not be read up to offset \(high)",
            remedy: "another transaction may be open; try again"
        )
    }
}
