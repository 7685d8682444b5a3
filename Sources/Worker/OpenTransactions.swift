internal import Events
internal import StreamRuntime

/// Transactions of other producers that stay open in topics that roles read: readers of committed records receive
/// nothing after an open transaction, and everything looks idle. A producer that ends a transaction and leaves the next
/// one open also blocks a partition. So a move of the stable end does not reset the time in which it did not move: only
/// the time in which it moved is subtracted. Used on one thread.
struct OpenTransactions {
    private struct Standing {
        let offset: Int64
        /// Milliseconds for which the stable end did not move, less those in which it moved.
        let held: Int64
    }

    private var standing: [TopicPartition: Standing] = [:]
    private var checkedAt: Int64?

    /// Milliseconds for which an open transaction is not reported as a fault. A transaction of a worker may last ten
    /// seconds.
    static let maximumWait: Int64 = 60_000
    /// Milliseconds between two scans: each scan queries the leaders of all partitions twice.
    private static let interval: Int64 = 15_000

    /// Scans again, if the interval has passed.
    ///
    /// - Parameters:
    ///   - topics: Number of partitions of each topic.
    ///   - reader: Reader that queries their ends.
    ///   - time: Now, in milliseconds since 1970.
    /// - Throws: An error if no broker answers; earlier findings are kept.
    mutating func update(
        at topics: [String: Int],
        _ reader: any LogReader,
        time: Int64
    ) throws(StreamError) {
        if let checkedAt, time >= checkedAt, time - checkedAt < Self.interval { return }
        var topicPartitions: [TopicPartition] = []
        for (topic, count) in topics { topicPartitions += (0..<Int32(count)).map { TopicPartition(topic, $0) } }
        // The stable end is read first: a transaction that commits between the two reads is counted as open once more,
        // but its stable end keeps moving.
        let stable = try reader.ends(of: topicPartitions.sorted(), stable: true)
        let high = try reader.ends(of: topicPartitions.sorted(), stable: false)
        let passed = max(0, time - (checkedAt ?? time))
        checkedAt = time
        var found: [TopicPartition: Standing] = [:]
        for (topicPartition, offset) in stable where offset < high[topicPartition] ?? 0 {
            let known = standing[topicPartition]
            let held = (known?.held ?? 0) + (known?.offset == offset ? passed : -passed)
            found[topicPartition] = Standing(offset: offset, held: min(max(0, held), 2 * Self.maximumWait))
        }
        standing = found
    }

    /// Descriptions of the partitions of a topic that were blocked for `maximumWait` milliseconds.
    func problems(of topic: String) -> [String] {
        standing.filter { $0.key.topic == topic && $0.value.held >= Self.maximumWait }
            .sorted { $0.key < $1.key }
            .map { topicPartition, one in
                "\(topicPartition)\(Self.mark)\(one.offset), for more than a minute in all, and nothing behind it is seen"
            }
    }

    /// Remedy for open transactions.
    static let remedy =
        "find whose it is with kafka-transactions.sh find-hanging, end it with kafka-transactions.sh abort, and take Write on the topic from whoever leaves transactions open"
    /// Text that every problem contains.
    static let mark = " is held by an open transaction at offset "
}
