package import Events

/// Reason why a partition is processed no further while the others continue.
public struct PartitionStop: Hashable, Sendable {
    /// The topic's name without its prefix.
    public let topic: String
    public let partition: Int32
    /// The first record that is not processed.
    public let offset: Int64
    /// Fault of that record, and what to do.
    public let reason: String

    package init(_ topic: Topic, _ partition: Int32, offset: Int64, reason: String) {
        self.topic = topic.rawValue
        self.partition = partition
        self.offset = offset
        self.reason = reason
    }

    /// One line for people.
    public var text: String {
        "partition \(partition) of \(topic) has stopped at offset \(offset): \(reason); the other partitions continue"
    }
}

/// A processor that stops a partition instead of skipping a record.
package protocol StoppingProcessor: AnyObject {
    /// Partitions that have stopped, in order.
    var stops: [PartitionStop] { get }
    /// Called when a partition stops, until it is revoked.
    var stopped: (PartitionStop) -> Void { get set }
}
