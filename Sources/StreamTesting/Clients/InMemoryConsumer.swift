internal import StreamRuntime

/// A group member over `InMemoryCluster`.
final class InMemoryConsumer: GroupConsumer {
    private let cluster: InMemoryCluster
    let group: String
    private let instance: String
    let topics: [String]
    private(set) var member: Int?
    /// Generation of the assignment that was reported to the consumer last.
    private(set) var generation = 0
    private var positions: [TopicPartition: Int64] = [:]
    private var assignment: [TopicPartition] = []
    private var paused: Set<TopicPartition> = []
    /// Change of assignment that was reported and not answered yet; it is reported again.
    private var unanswered: PollOutcome?
    /// Number of fetches so far; each begins at the next partition.
    private var fetches = 0
    private var lent: LentRecords?
    private var isClosed = false

    init(cluster: InMemoryCluster, group: String, instance: String, topics: [String]) {
        self.cluster = cluster
        self.group = group
        self.instance = instance
        self.topics = topics
    }

    func poll(
        into batch: RecordBatch,
        maximum: Int,
        timeoutMilliseconds: Int
    ) throws(StreamError) -> PollOutcome {
        batch.records.removeAll()
        batch.headerReader = { _ in [] }
        lent = nil
        try checkOpen("poll")
        try cluster.locked { (state) throws(StreamError) in
            if !state.pollErrors.isEmpty { throw state.pollErrors.removeFirst() }
        }
        if let unanswered { return unanswered }
        if let change = try rebalance() {
            if change != .idle { unanswered = change }
            return change
        }
        let found = try fetch(maximum)
        guard !found.isEmpty else { return .idle }
        lent = LentRecords(found, into: batch)
        return .records
    }

    func assign(_ wanted: [TopicPartition: Int64]) throws(StreamError) {
        try checkOpen("assign")
        positions = wanted
        unanswered = nil
        try answer()
    }

    func unassign(_ partitions: [TopicPartition]) throws(StreamError) {
        try checkOpen("unassign")
        positions = [:]
        assignment = []
        paused = []
        unanswered = nil
        try answer()
    }

    func committed(_ partitions: [TopicPartition]) throws(StreamError) -> [TopicPartition: GroupOffset] {
        let group = group
        return try cluster.locked { (state) throws(StreamError) in
            guard !state.isUnsettled(partitions, of: group) else {
                throw StreamError(
                    .retry,
                    operation: "read committed offsets",
                    code: "UNSTABLE_OFFSET_COMMIT",
                    reason: "a transaction is open"
                )
            }
            let offsets = state.groups[group]?.offsets ?? [:]
            return offsets.filter { partitions.contains($0.key) }
        }
    }

    func watermarks(_ partition: TopicPartition) throws(StreamError) -> (low: Int64, high: Int64) {
        try cluster.watermarks(partition)
    }

    func seek(_ wanted: [TopicPartition: Int64]) throws(StreamError) {
        for (topicPartition, offset) in wanted {
            guard positions[topicPartition] != nil else {
                throw StreamError(
                    .fatal,
                    operation: "seek \(topicPartition)",
                    code: "_STATE",
                    reason: "it is not assigned"
                )
            }
            positions[topicPartition] = offset
        }
    }

    func pause(_ partitions: [TopicPartition]) throws(StreamError) { paused.formUnion(partitions) }
    func resume(_ partitions: [TopicPartition]) throws(StreamError) { paused.subtract(partitions) }

    func close() {
        guard !isClosed else { return }
        isClosed = true
        lent = nil
        guard let member else { return }
        let (group, isStatic) = (group, !instance.isEmpty)
        try? cluster.locked { (state) throws(StreamError) in
            let counts = state.topics.mapValues(\.partitions.count)
            if isStatic {
                state.groups[group]?.disconnect(member) { counts[$0] ?? 0 }
            } else {
                state.groups[group]?.leave(member) { counts[$0] ?? 0 }
            }
            state.activity += 1
        }
    }

    // MARK: - Membership

    private func checkOpen(_ operation: String) throws(StreamError) {
        guard !isClosed else {
            throw StreamError(.fatal, operation: operation, code: "_STATE", reason: "the consumer is closed")
        }
    }

    private func join() throws(StreamError) {
        let (group, instance, topics) = (group, instance, topics)
        member = try cluster.locked { (state) throws(StreamError) in
            let id = state.makeMemberID()
            let counts = state.topics.mapValues(\.partitions.count)
            state.groups[group, default: GroupState()].join(id, instance: instance, topics: topics) { counts[$0] ?? 0 }
            state.activity += 1
            return id
        }
    }

    private func answer() throws(StreamError) {
        guard let member else { return }
        let group = group
        try cluster.locked { (state) throws(StreamError) in
            let counts = state.topics.mapValues(\.partitions.count)
            state.groups[group]?.answered(member) { counts[$0] ?? 0 }
        }
    }

    /// Returns a change of assignment to report; nil if there is none.
    private func rebalance() throws(StreamError) -> PollOutcome? {
        if member == nil { try join() }
        guard let member else { return nil }
        let group = group
        let found = try cluster.locked { (state) throws(StreamError) -> (GroupState.Member?, Bool, Int) in
            let known = state.groups[group]
            guard let memberState = known?[member] else { return (nil, known?.fenced.contains(member) ?? false, 0) }
            if memberState.phase == .toAssign || memberState.phase == .mustRevoke { state.activity += 1 }
            state.groups[group]?.notified(member)
            return (memberState, false, known?.generation ?? 0)
        }
        guard let memberState = found.0 else {
            if found.1 {
                throw StreamError(
                    .fatal,
                    operation: "poll",
                    code: "_FENCED",
                    reason: "another member has the static id \(instance)"
                )
            }
            self.member = nil
            guard !assignment.isEmpty else { return .idle }
            return .lost(assignment)
        }
        switch memberState.phase {
        case .toAssign:
            generation = found.2
            assignment = memberState.assignment
            return .assigned(assignment)
        case .mustRevoke:
            return .revoked(assignment)
        case .stable: return nil
        case .joining, .answering, .revoking: return .idle
        }
    }

    // MARK: - Fetching

    private func fetch(_ maximum: Int) throws(StreamError) -> [(topic: Int, partition: Int32, record: StoredRecord)] {
        let topicPartitions = positions.keys.sorted().filter { !paused.contains($0) }
        guard !topicPartitions.isEmpty else { return [] }
        fetches += 1
        var found: [(topic: Int, partition: Int32, record: StoredRecord)] = []
        // Another partition is first each time, so that none starves.
        for step in topicPartitions.indices where found.count < maximum {
            let topicPartition = topicPartitions[(fetches + step) % topicPartitions.count]
            guard let topic = topics.firstIndex(of: topicPartition.topic), let position = positions[topicPartition]
            else { continue }
            let (records, next) = try cluster.read(topicPartition, from: position, maximum: maximum - found.count)
            for record in records { found.append((topic, topicPartition.partition, record)) }
            positions[topicPartition] = next
        }
        return found
    }
}
