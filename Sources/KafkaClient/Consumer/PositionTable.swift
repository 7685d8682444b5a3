/// Next offset of each assigned partition: rejects records that do not belong to the current position.
struct PositionTable {
    private struct Entry {
        let topic: Int
        let partition: Int32
        let name: KafkaTopicPartition
        var next: Int64
    }

    private var entries: ContiguousArray<Entry> = []
    /// Records arrive in runs of one partition, so the last match is checked first.
    private var last = 0

    init() {}

    /// - Precondition: `topics` contains every topic of `positions`.
    init(_ positions: [KafkaTopicPartition: Int64], topics: [String]) {
        for (name, next) in positions.sorted(by: { $0.key < $1.key }) {
            guard let topic = topics.firstIndex(of: name.topic) else { continue }
            entries.append(Entry(topic: topic, partition: name.partition, name: name, next: next))
        }
    }

    var partitions: [KafkaTopicPartition] { entries.map(\.name) }
    var isEmpty: Bool { entries.isEmpty }

    /// The next offset of each partition, as far as records were delivered.
    var next: [KafkaTopicPartition: Int64] {
        Dictionary(entries.map { ($0.name, $0.next) }, uniquingKeysWith: { first, _ in first })
    }

    mutating func move(_ positions: [KafkaTopicPartition: Int64]) {
        for index in entries.indices {
            if let position = positions[entries[index].name] { entries[index].next = position }
        }
    }

    /// Whether the record is the next one of an assigned partition; the position then moves behind it.
    ///
    /// Offsets have holes (transaction markers, compaction), so anything at or beyond the position is next.
    mutating func admit(topic: Int, partition: Int32, offset: Int64) -> Bool {
        guard let index = index(topic, partition), offset >= entries[index].next else { return false }
        entries[index].next = offset + 1
        return true
    }

    private mutating func index(_ topic: Int, _ partition: Int32) -> Int? {
        if last < entries.count, entries[last].partition == partition, entries[last].topic == topic { return last }
        guard let found = entries.firstIndex(where: { $0.partition == partition && $0.topic == topic }) else {
            return nil
        }
        last = found
        return found
    }
}
