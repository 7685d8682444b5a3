internal import StreamRuntime

/// A reader over `InMemoryCluster`.
final class InMemoryReader: LogReader {
    private let cluster: InMemoryCluster
    let topics: [String]
    private var positions: [TopicPartition: Int64] = [:]
    /// Offset at which the end of each partition was reported last.
    private var reported: [TopicPartition: Int64] = [:]
    private var lent: LentRecords?

    init(cluster: InMemoryCluster, topics: [String]) {
        self.cluster = cluster
        self.topics = topics
    }

    func partitions(of topic: String) throws(StreamError) -> [Int32] {
        let count = cluster.partitionCount(of: topic)
        guard count > 0 else {
            throw StreamError(
                .fatal,
                operation: "list partitions of \(topic)",
                code: "UNKNOWN_TOPIC_OR_PART",
                reason: "no such topic"
            )
        }
        return (0..<Int32(count)).map { $0 }
    }

    func start(_ positions: [TopicPartition: Int64]) throws(StreamError) {
        for topicPartition in positions.keys where !topics.contains(topicPartition.topic) {
            throw StreamError(
                .fatal,
                operation: "start at \(topicPartition)",
                code: "_INVALID_ARG",
                reason: "it is not one of the topics"
            )
        }
        self.positions = positions
        reported = [:]
    }

    func poll(into batch: RecordBatch, maximum: Int, timeoutMilliseconds: Int) throws(StreamError) -> ReadOutcome {
        batch.records.removeAll()
        batch.headerReader = { _ in [] }
        lent = nil
        var found: [(topic: Int, partition: Int32, record: StoredRecord)] = []
        for topicPartition in positions.keys.sorted() where found.count < maximum {
            guard let topic = topics.firstIndex(of: topicPartition.topic), let position = positions[topicPartition]
            else { continue }
            let (records, next) = try cluster.read(topicPartition, from: position, maximum: maximum - found.count)
            for record in records { found.append((topic, topicPartition.partition, record)) }
            positions[topicPartition] = next
        }
        if !found.isEmpty {
            lent = LentRecords(found, into: batch)
            return .records
        }
        for topicPartition in positions.keys.sorted() {
            guard let position = positions[topicPartition], reported[topicPartition] != position,
                try position >= cluster.lastStable(topicPartition)
            else { continue }
            reported[topicPartition] = position
            return .endOfPartition(topicPartition, position)
        }
        // A caller that waits for the end of a transaction sees it time out.
        cluster.clock.advance(by: Int64(timeoutMilliseconds))
        return .idle
    }

    func watermarks(_ partition: TopicPartition) throws(StreamError) -> (low: Int64, high: Int64) {
        try cluster.watermarks(partition)
    }

    func ends(of partitions: [TopicPartition], stable: Bool) throws(StreamError) -> [TopicPartition: Int64] {
        var ends: [TopicPartition: Int64] = [:]
        for topicPartition in partitions {
            ends[topicPartition] =
                try stable ? cluster.lastStable(topicPartition) : cluster.watermarks(topicPartition).high
        }
        return ends
    }

    func firstOffset(_ partition: TopicPartition, since time: Int64) throws(StreamError) -> Int64 {
        let (low, high) = try cluster.watermarks(partition)
        let records = try cluster.read(partition, from: low, maximum: .max).records
        return records.first { $0.timestamp >= time }?.offset ?? high
    }

    func close() {
        positions = [:]
        lent = nil
    }
}

extension InMemoryCluster {
    func read(
        _ topicPartition: TopicPartition,
        from position: Int64,
        maximum: Int
    ) throws(StreamError) -> (records: [StoredRecord], next: Int64) {
        try locked { (state) throws(StreamError) in
            let log = try state.log(topicPartition, "read \(topicPartition)")
            guard position >= log.start, position <= log.end else {
                throw StreamError(
                    .fatal,
                    operation: "read \(topicPartition)",
                    code: "_AUTO_OFFSET_RESET",
                    reason: "offset \(position) is not in \(log.start)...\(log.end)"
                )
            }
            let found = log.read(from: position, maximum: maximum)
            state.activity += found.records.count
            return found
        }
    }

    func lastStable(_ topicPartition: TopicPartition) throws(StreamError) -> Int64 {
        try locked { (state) throws(StreamError) in try state.log(topicPartition, "read \(topicPartition)").lastStable }
    }

    func watermarks(_ topicPartition: TopicPartition) throws(StreamError) -> (low: Int64, high: Int64) {
        try locked { (state) throws(StreamError) in
            let log = try state.log(topicPartition, "find the ends of \(topicPartition)")
            return (log.start, log.end)
        }
    }
}
