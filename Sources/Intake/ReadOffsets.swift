internal import StreamRuntime

/// Offsets that the open transaction has read, by partition.
struct ReadOffsets {
    struct Entry {
        let topic: Int
        let partition: Int32
        let from: Int64
        var to: Int64
        /// Whether records were read since the last call of `advance`.
        var isNew: Bool
    }

    private var entries: ContiguousArray<Entry> = []
    /// Records arrive in runs of one partition, so the last hit is checked first.
    private var last = 0

    /// Notes that a record was read; records of a partition arrive in the order of their offsets.
    @inline(__always)
    mutating func note(_ record: RecordView) {
        if last >= entries.count || entries[last].partition != record.partition || entries[last].topic != record.topic {
            find(record)
        }
        entries[last].to = record.offset
        entries[last].isNew = true
    }

    private mutating func find(_ record: RecordView) {
        let known = entries.firstIndex { $0.partition == record.partition && $0.topic == record.topic }
        if known == nil {
            entries.append(
                Entry(
                    topic: record.topic,
                    partition: record.partition,
                    from: record.offset,
                    to: record.offset,
                    isNew: true
                )
            )
        }
        last = known ?? entries.count - 1
    }

    /// Reports the offsets read since the last call to the transaction.
    mutating func advance(_ transaction: inout PendingTransaction, topics: [String]) {
        for index in entries.indices where entries[index].isNew {
            let entry = entries[index]
            transaction.advance(TopicPartition(topics[entry.topic], entry.partition), to: entry.to + 1)
            entries[index].isNew = false
        }
    }

    /// Returns the offsets that a transaction covers, by topic and partition.
    func ranges(_ topics: [String]) -> [OffsetRange] {
        entries.map { OffsetRange(topic: topics[$0.topic], partition: $0.partition, from: $0.from, to: $0.to) }
            .sorted { ($0.topic, $0.partition) < ($1.topic, $1.partition) }
    }

    mutating func removeAll() { entries.removeAll(keepingCapacity: true) }
}
