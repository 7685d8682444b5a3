internal import Events
internal import StreamRuntime

/// Transactions of others that stay open in what roles read: behind one nobody who reads committed records sees anything, and
/// all looks idle. Whoever ends one and leaves the next open holds a partition up as well, so the time that its stable end moved
/// is taken off what it stood still, and no more. Used on one thread.
struct OpenTransactions {
    private struct Standing {
        let offset: Int64
        /// Milliseconds for which the stable end stood still, less those in which it moved.
        let held: Int64
    }

    private var standing: [TopicPartition: Standing] = [:]
    private var lookedAt: Int64?

    /// Milliseconds for which one is nobody's fault. A transaction of ours may last ten seconds.
    static let patience: Int64 = 60_000
    /// Milliseconds from one look to the next: each asks the leaders of all partitions twice.
    private static let interval: Int64 = 15_000

    /// Looks again, if it is time.
    ///
    /// - Parameters:
    ///   - topics: How many partitions each has.
    ///   - reader: Asked for their ends.
    ///   - time: Now, in milliseconds since 1970.
    /// - Throws: When no broker answers; what was found before stands.
    mutating func look(
        at topics: [String: Int],
        _ reader: any LogReader,
        time: Int64
    ) throws(StreamError) {
        if let lookedAt, time >= lookedAt, time - lookedAt < Self.interval { return }
        var places: [TopicPartition] = []
        for (topic, count) in topics { places += (0..<Int32(count)).map { TopicPartition(topic, $0) } }
        // The stable end first: what commits between the two is found open once more, and never stands still.
        let stable = try reader.ends(of: places.sorted(), stable: true)
        let high = try reader.ends(of: places.sorted(), stable: false)
        let passed = max(0, time - (lookedAt ?? time))
        lookedAt = time
        var found: [TopicPartition: Standing] = [:]
        for (place, offset) in stable where offset < high[place] ?? 0 {
            let known = standing[place]
            let held = (known?.held ?? 0) + (known?.offset == offset ? passed : -passed)
            found[place] = Standing(offset: offset, held: min(max(0, held), 2 * Self.patience))
        }
        standing = found
    }

    /// Partitions of a topic that were held up for `patience` milliseconds, in words.
    func problems(of topic: String) -> [String] {
        standing.filter { $0.key.topic == topic && $0.value.held >= Self.patience }
            .sorted { $0.key < $1.key }
            .map { place, one in
                "\(place)\(Self.mark)\(one.offset), for more than a minute in all, and nothing behind it is seen"
            }
    }

    /// Remedy for open transactions.
    static let remedy =
        "find whose it is with kafka-transactions.sh find-hanging, end it with kafka-transactions.sh abort, and take Write on the topic from whoever leaves transactions open"
    /// Words that every problem has.
    static let mark = " is held by an open transaction at offset "
}
