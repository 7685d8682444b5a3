import Events
import Fuzzing
import StreamRuntime

/// A record that an outside party sends, as a step of a recorded input.
struct RecordStep {
    var topic: Topic
    var partition: Int32
    var key: [UInt8]?
    var value: [UInt8]?
    /// Headers, each with its number of occurrences.
    var headers: [(header: RecordHeader, count: Int)] = []

    var tree: JSONTree {
        var tree: JSONTree = [
            "send": .text(topic.rawValue), "partition": .word(String(partition)), "key": .blob(key),
            "value": .blob(value),
        ]
        guard !headers.isEmpty else { return tree }
        tree["headers"] = .array(
            headers.map { header, count in
                ["name": .text(header.name), "value": .blob(header.value), "count": .word(String(count))]
            }
        )
        return tree
    }

    init(
        _ topic: Topic,
        partition: Int32,
        key: [UInt8]?,
        value: [UInt8]?,
        headers: [(header: RecordHeader, count: Int)] = []
    ) {
        self.topic = topic
        self.partition = partition
        self.key = key
        self.value = value
        self.headers = headers
    }

    /// Decodes a step; nil if it sends no record.
    init?(_ tree: JSONTree) {
        guard let topic = tree["send"]?.plain.flatMap({ Topic(rawValue: $0) }) else { return nil }
        self.topic = topic
        partition = Int32(clamping: tree["partition"]?.int ?? 0)
        key = tree["key"]?.blob
        value = tree["value"]?.blob
        headers = (tree["headers"]?.elements ?? []).map { header in
            let name = String(decoding: header["name"]?.blob ?? [], as: UTF8.self)
            return (RecordHeader(name, header["value"]?.blob), max(0, header["count"]?.int ?? 1))
        }
    }

    func record(_ topics: TopicNames) -> OutputRecord {
        OutputRecord(
            topic: topics[topic],
            partition: partition,
            key: key,
            value: value,
            headers: headers.flatMap { [RecordHeader](repeating: $0.header, count: $0.count) }
        )
    }
}
