/// Where a partition of the journal stands because only a newer build can go on.
public struct PartitionStop: Hashable, Sendable {
    public let partition: Int32
    /// The first entry that is not applied.
    public let offset: Int64
    /// What is known of that entry, and what to do.
    public let reason: String

    /// One line for people.
    public var text: String {
        "partition \(partition) of the journal stands at offset \(offset): \(reason); the other partitions go on"
    }
}
