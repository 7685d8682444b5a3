/// A partition of a topic.
public struct KafkaTopicPartition: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The topic's name.
    public let topic: String
    /// The partition's number, from 0.
    public let partition: Int32

    /// Names a partition; it need not exist.
    public init(_ topic: String, _ partition: Int32) {
        self.topic = topic
        self.partition = partition
    }

    /// By topic, then by number.
    public static func < (a: Self, b: Self) -> Bool { (a.topic, a.partition) < (b.topic, b.partition) }

    /// As in `tasks[3]`.
    public var description: String { "\(topic)[\(partition)]" }
}

/// The first and the next offset of a partition, uncommitted records included.
public struct KafkaWatermarks: Hashable, Sendable {
    /// Offset of the oldest record that is still in the log.
    public let low: Int64
    /// Offset that the next record will have.
    public let high: Int64

    /// Offsets of a partition.
    public init(low: Int64, high: Int64) {
        self.low = low
        self.high = high
    }
}

/// Committed offset of a consumer group in a partition, with its metadata.
public struct KafkaGroupOffset: Hashable, Sendable {
    /// The next offset to read.
    public let next: Int64
    /// Text that was committed with the offset; empty for none. Brokers accept 4,096 bytes by default.
    public let metadata: String

    public init(next: Int64, metadata: String = "") {
        self.next = next
        self.metadata = metadata
    }
}
