internal import Events
internal import StreamRuntime

/// Transactions of other producers that stay open in topics that roles read: readers of committed records receive
/// nothing after an open transaction, and everything looks idle. A producer that ends a transaction and leaves the next
/// one open also blocks a partition. So a move of the stable end does not reset the time in which it did not move: only
/// the time in which it moved is subtracted. Used on one thread.
struct OpenTransactions {
    private struct Blockage {
        let offset: Int64
        /// Milliseconds for which the stable end did not move, less those in which it moved.
        let duration: Int64
    }

    private var blockages: [TopicPartition: Blockage] = [:]
    private var checkedAt: Int64?

    /// Milliseconds for which an open transaction is not reported as a fault. A transaction of a worker may last ten
    /// seconds.
    static let maximumWait: Int64 = 60_000
    /// Milliseconds between two scans: each scan queries the leaders of all partitions twice.
    private static let interval: Int64 = 15_000

    /// Scans again, if the interval has passed.
    ///
    /// - Parameters:
    ///   - partitionCounts: Number of partitions of each topic.
    ///   - reader: Reader that queries their ends.
    ///   - time: Now, in milliseconds since 1970.
    /// - Throws: An error if no broker answers; earlier findings are kept.
    mutating func update(
        partitionCounts: [String: Int],
        _ reader: any LogReader,
        time: Int64
    ) throws(StreamError) {
        if let checkedAt, time >= checkedAt, time - checkedAt < Self.interval { return }
        var topicPartitions: [TopicPartition] = []
        for (topic, count) in partitionCounts {
            topicPartitions += (0..<Int32(count)).map { TopicPartition(topic, $0) }
        }
        // The stable end is read first: a transaction that commits between the two reads is counted as open once more,
        // but its stable end keeps moving.
        let stable = try reader.ends(of: topicPartitions.sorted(), stable: true)
        let high = try reader.ends(of: topicPartitions.sorted(), stable: false)
        let passed = max(0, time - (checkedAt ?? time))
        checkedAt = time
        var found: [TopicPartition: Blockage] = [:]
        for (topicPartition, offset) in stable where offset < high[topicPartition] ?? 0 {
            let known = blockages[topicPartition]
            let duration = (known?.duration ?? 0) + (known?.offset == offset ? passed : -passed)
            found[topicPartition] = Blockage(offset: offset, duration: min(max(0, duration), 2 * Self.maximumWait))
        }
        blockages = found
    }

    /// Descriptions of the partitions of a topic that were blocked for `maximumWait` milliseconds.
    func problems(of topic: String) -> [String] {
        blockages.filter { $0.key.topic == topic && $0.value.duration >= Self.maximumWait }
            .sorted { $0.key < $1.key }
            .map { topicPartition, blockage in
                "\(topicPartition)\(Self.mark)\(blockage.offset), for more than a minute in total, and later records cannot be read"
            }
    }

    /// Remedy for open transactions.
    static let remedy =
        "find its producer with kafka-transactions.sh find-hanging, end it with kafka-transactions.sh abort, and revoke Write on the topic from the principal that leaves transactions open"
    /// Text that every problem contains.
    static let mark = " is held by an open transaction at offset "
}
