import KafkaClient
import KafkaTesting
import StreamRuntime
import Testing

@Suite("A consumer group on a broker", .serialized)
struct GroupTests {
    @Test("Two consumers split the partitions, and when one closes its uncommitted records go to the other")
    func handOver() throws {
        let topic = try Broker.makeTopics(1, partitions: 4)[0]
        try Broker.write(0..<4000, to: topic, partitions: 4)
        let group = Broker.makeName("g")
        // Dynamic members leave the group when they close.
        let first = Member(try Broker.transport().makeConsumer(group: group, instance: "", topics: [topic]))
        _ = try first.run { $0.count >= 100 }
        #expect(first.assigned.count == 4)
        let second = Member(try Broker.transport().makeConsumer(group: group, instance: "", topics: [topic]))
        var before: [ReadRecord] = []
        let end = ContinuousClock.now + .seconds(30)
        while first.assigned.count != 2 || second.assigned.count != 2, ContinuousClock.now < end {
            before += try first.poll()
            before += try second.poll()
        }
        #expect(Set(first.assigned).isDisjoint(with: second.assigned))
        // After the answer, only records of assigned partitions are read.
        for _ in 0..<10 {
            let owned = Set(first.assigned)
            let seen = try first.poll()
            if Set(first.assigned) == owned { #expect(seen.allSatisfy { owned.contains($0.partition) }) }
        }
        second.consumer.close()
        let all = try first.run { seen in first.assigned.count == 4 && Set(seen.map(\.value)).count == 4000 }
        #expect(Set(all.map(\.value)).count == 4000)
        first.consumer.close()
    }

    /// Readiness depends on this report: a member that waits for its group is not ready, a standby member is.
    @Test("A member without any partition receives an empty assignment")
    func standby() throws {
        let topic = try Broker.makeTopics(1, partitions: 2)[0]
        let group = Broker.makeName("g")
        let members = try (0..<3).map {
            Member(try Broker.transport().makeConsumer(group: group, instance: "m\($0)", topics: [topic]))
        }
        let end = ContinuousClock.now + .seconds(40)
        func isSettled() -> Bool {
            members.allSatisfy { member in
                guard case .assigned = member.outcomes.last else { return false }
                return true
            } && members.reduce(0) { $0 + $1.assigned.count } == 2
        }
        while !isSettled(), ContinuousClock.now < end { for member in members { _ = try member.poll() } }
        #expect(members.map(\.outcomes.last).contains(.assigned([])), "\(members.map(\.outcomes))")
        for member in members { member.consumer.close() }
    }

    @Test("A static member that returns is assigned its partitions without a rebalance of the others")
    func staticMembership() throws {
        let topic = try Broker.makeTopics(1, partitions: 4)[0]
        let group = Broker.makeName("g")
        let stays = Member(try Broker.transport().makeConsumer(group: group, instance: "stays", topics: [topic]))
        let leaves = Member(try Broker.transport().makeConsumer(group: group, instance: "leaves", topics: [topic]))
        let end = ContinuousClock.now + .seconds(30)
        while stays.assigned.count != 2 || leaves.assigned.count != 2, ContinuousClock.now < end {
            _ = try stays.poll()
            _ = try leaves.poll()
        }
        let formerAssignment = leaves.assigned
        let count = stays.outcomes.count
        leaves.consumer.close()
        let rejoined = Member(try Broker.transport().makeConsumer(group: group, instance: "leaves", topics: [topic]))
        while rejoined.assigned.isEmpty, ContinuousClock.now < end {
            _ = try stays.poll()
            _ = try rejoined.poll()
        }
        #expect(rejoined.assigned == formerAssignment)
        #expect(stays.outcomes.count == count)
        stays.consumer.close()
        rejoined.consumer.close()
    }

    @Test(
        "When the session of a static member expires, its partitions go to the others",
        .enabled(if: !Broker.isNoida, Broker.noidaLacks)
    )
    func sessionExpires() throws {
        let topic = try Broker.makeTopics(1, partitions: 2)[0]
        let group = Broker.makeName("g")
        let short: KafkaProperties = ["session.timeout.ms": "1500", "heartbeat.interval.ms": "300"]
        let one = Member(try Broker.transport(short).makeConsumer(group: group, instance: "one", topics: [topic]))
        let two = Member(try Broker.transport(short).makeConsumer(group: group, instance: "two", topics: [topic]))
        let end = ContinuousClock.now + .seconds(30)
        while one.assigned.count != 1 || two.assigned.count != 1, ContinuousClock.now < end {
            _ = try one.poll()
            _ = try two.poll()
        }
        two.consumer.close()
        _ = try one.run { _ in one.assigned.count == 2 }
        #expect(one.assigned.count == 2)
        one.consumer.close()
    }

    @Test(
        "A member is fenced, with a fatal error, when another member uses its static id",
        .enabled(if: !Broker.isNoida, Broker.noidaLacks)
    )
    func fencedInstance() throws {
        let topic = try Broker.makeTopics(1)[0]
        let group = Broker.makeName("g")
        let old = Member(
            try Broker.transport(["heartbeat.interval.ms": "300"])
                .makeConsumer(group: group, instance: "one", topics: [topic])
        )
        _ = try old.run { _ in !old.assigned.isEmpty }
        let new = Member(try Broker.transport().makeConsumer(group: group, instance: "one", topics: [topic]))
        _ = try new.run { _ in !new.assigned.isEmpty }
        let error = failure { for _ in 0..<100 { _ = try old.poll() } }
        #expect(error?.disposition == .fatal)
        #expect(error?.code == "FENCED_INSTANCE_ID")
        old.consumer.close()
        new.consumer.close()
    }

    /// Before: up to five minutes later.
    @Test(
        "An added partition is read from its first record within half a minute, without any property set",
        .enabled(if: !Broker.isNoida, Broker.noidaLacks)
    )
    func partitionAdded() throws {
        let topic = try Broker.makeTopics(1, partitions: 2)[0]
        let group = Broker.makeName("g")
        let members = try ["one", "two"].map {
            Member(try Broker.transport().makeConsumer(group: group, instance: $0, topics: [topic]))
        }
        let deadline = ContinuousClock.now + .seconds(30)
        while members.contains(where: { $0.assigned.count != 1 }), ContinuousClock.now < deadline {
            for member in members { _ = try member.poll() }
        }
        try Broker.get().addPartitions(topic, upTo: 3)
        let began = ContinuousClock.now
        // These records are written before any member knows of the partition.
        try Broker.write(0..<300, to: topic, partitions: 3)
        var seen: Set<String> = []
        while seen.count < 300, began.duration(to: .now) < .seconds(30) {
            for member in members { for record in try member.poll() { seen.insert(record.value) } }
        }
        let took = began.duration(to: .now)
        #expect(seen.count == 300 && members.reduce(0) { $0 + $1.assigned.count } == 3)
        #expect(took < .seconds(30))
        print("a partition that was added is read after \(took)")
        for member in members { member.consumer.close() }
    }

    @Test("A consumer that seeks under load reads every record from the new position once", .timeLimit(.minutes(1)))
    func seekUnderLoad() throws {
        let topic = try Broker.makeTopics(1, partitions: 3)[0]
        try Broker.write(0..<90_000, to: topic, partitions: 3, size: 200)
        let member = Member(
            try Broker.transport().makeConsumer(group: Broker.makeName("g"), instance: "one", topics: [topic])
        )
        defer { member.consumer.close() }
        _ = try member.run { $0.count >= 1000 }
        for round in 0..<30 {
            let partitions = (0..<3).map { TopicPartition(topic, Int32($0)) }
            // Pseudo-random positions, before or after the current one.
            let targets = partitions.enumerated().map { Int64((round * 7919 + $0.offset * 4001) % 25_000) }
            let positions = Dictionary(uniqueKeysWithValues: zip(partitions, targets))
            try member.consumer.seek(positions)
            var next = positions
            for record in try member.run(until: { $0.count >= 200 * (round % 7 + 1) }) {
                #expect(record.offset == next[record.partition], "round \(round) \(record.partition)")
                next[record.partition] = record.offset + 1
            }
        }
    }

    @Test("A position that is no longer in the log is fatal, and the reason states the remedy")
    func outOfRange() throws {
        let topic = try Broker.makeTopics(1)[0]
        try Broker.write(0..<3, to: topic)
        let consumer = try Broker.transport().makeConsumer(group: Broker.makeName("g"), instance: "", topics: [topic])
        defer { consumer.close() }
        let batch = RecordBatch()
        let error = failure {
            for _ in 0..<100 {
                let outcome = try consumer.poll(into: batch, maximum: 10, timeoutMilliseconds: 100)
                if case .assigned(let partitions) = outcome {
                    try consumer.assign(Dictionary(uniqueKeysWithValues: partitions.map { ($0, 1000) }))
                }
            }
        }
        #expect(error?.disposition == .fatal)
        #expect(error?.reason.contains("reset the group's offset") == true)
    }

    @Test("A missing topic is reported, and the same call may be retried")
    func missingTopic() throws {
        let consumer = try Broker.transport()
            .makeConsumer(group: Broker.makeName("g"), instance: "", topics: [Broker.makeName("missing")])
        defer { consumer.close() }
        let batch = RecordBatch()
        let error = failure {
            for _ in 0..<100 { _ = try consumer.poll(into: batch, maximum: 10, timeoutMilliseconds: 100) }
        }
        #expect(error?.disposition == .retry)
        #expect(error?.code == "UNKNOWN_TOPIC_OR_PART")
    }
}
