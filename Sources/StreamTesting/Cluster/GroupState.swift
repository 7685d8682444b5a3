internal import StreamRuntime

/// A consumer group: eager rebalances, range assignment, static members.
///
///     joining --all have joined--> to assign --poll--> answering --assign--> stable
///     stable --a member joins or leaves--> must revoke --poll--> revoking --unassign--> joining
struct GroupState: Sendable {
    enum Phase: Hashable, Sendable { case joining, toAssign, answering, stable, mustRevoke, revoking }

    struct Member: Sendable {
        let id: Int
        let instance: String
        let topics: [String]
        var assignment: [TopicPartition] = []
        var phase = Phase.joining
        /// A static member whose client has disconnected, but whose session has not timed out.
        var isDisconnected = false
    }

    private(set) var generation = 0
    private(set) var members: [Int: Member] = [:]
    /// Members that were replaced by another member with the same static id.
    private(set) var fenced: Set<Int> = []
    var offsets: [TopicPartition: GroupOffset] = [:]
    private var isPreparing = false

    subscript(id: Int) -> Member? { members[id] }

    func member(named instance: String) -> Int? {
        members.values.filter { $0.instance == instance }.map(\.id).min()
    }

    /// Adds a member; it replaces a member with the same static id.
    mutating func join(_ id: Int, instance: String, topics: [String], partitions: (String) -> Int) {
        var member = Member(id: id, instance: instance, topics: topics)
        if !instance.isEmpty, let old = self.member(named: instance), let known = members.removeValue(forKey: old) {
            fenced.insert(old)
            if known.topics == topics, known.phase == .stable || known.phase == .answering || known.phase == .toAssign {
                member.assignment = known.assignment
                member.phase = .toAssign
                members[id] = member
                return
            }
        }
        members[id] = member
        prepare(partitions)
    }

    mutating func leave(_ id: Int, partitions: (String) -> Int) {
        guard members.removeValue(forKey: id) != nil else { return }
        prepare(partitions)
    }

    mutating func disconnect(_ id: Int, partitions: (String) -> Int) {
        guard var member = members[id] else { return }
        member.isDisconnected = true
        if member.phase == .mustRevoke || member.phase == .revoking { member.phase = .joining }
        members[id] = member
        complete(partitions)
    }

    mutating func notified(_ id: Int) {
        switch members[id]?.phase {
        case .toAssign: members[id]?.phase = .answering
        case .mustRevoke: members[id]?.phase = .revoking
        default: break
        }
    }

    mutating func answered(_ id: Int, partitions: (String) -> Int) {
        switch members[id]?.phase {
        case .answering: members[id]?.phase = .stable
        case .revoking:
            members[id]?.phase = .joining
            members[id]?.assignment = []
            complete(partitions)
        default: break
        }
    }

    private mutating func prepare(_ partitions: (String) -> Int) {
        isPreparing = true
        for id in members.keys.sorted() {
            guard var member = members[id] else { continue }
            switch member.phase {
            case .stable, .answering: member.phase = member.isDisconnected ? .joining : .mustRevoke
            case .toAssign:
                // The assignment was never reported, so there is nothing to revoke.
                member.phase = .joining
                member.assignment = []
            case .joining, .mustRevoke, .revoking: break
            }
            members[id] = member
        }
        complete(partitions)
    }

    private mutating func complete(_ partitions: (String) -> Int) {
        guard isPreparing, members.values.allSatisfy({ $0.phase == .joining }) else { return }
        isPreparing = false
        generation += 1
        for id in members.keys {
            members[id]?.assignment = []
            members[id]?.phase = .toAssign
        }
        assign(partitions)
    }

    /// Assigns the partitions of each topic separately, in ranges, to the members in the order of their names.
    private mutating func assign(_ partitions: (String) -> Int) {
        let topics = Set(members.values.flatMap(\.topics))
        for topic in topics.sorted() {
            let subscribers = members.values.filter { $0.topics.contains(topic) }
                .sorted { ($0.instance, $0.id) < ($1.instance, $1.id) }
            let count = partitions(topic)
            var first = 0
            for (position, subscriber) in subscribers.enumerated() {
                let size = count / subscribers.count + (position < count % subscribers.count ? 1 : 0)
                for number in first..<first + size {
                    members[subscriber.id]?.assignment.append(TopicPartition(topic, Int32(number)))
                }
                first += size
            }
        }
        for id in members.keys { members[id]?.assignment.sort() }
    }
}
