import StreamRuntime
import StreamTesting
import Testing

/// Guarantees that StreamTask relies on, for every implementation of the ports.
@Suite("The laws of the ports", .serialized)
struct PortLaws {
    @Test(
        "Records are read as they were written: keys, values, nulls, headers, in offset order",
        arguments: Port.available
    )
    func roundTrip(_ port: Port) throws {
        let cluster = try port.open()
        let topic = try cluster.makeTopic()
        // Of several headers of one name noida-db keeps only the last; Apache Kafka keeps all of them.
        let second = port.keepsHeadersOfOneName ? "a" : "b"
        let headers = [RecordHeader("a", "1"), RecordHeader("none", nil), RecordHeader(second, "2")]
        try cluster.write([
            OutputRecord(topic: topic, partition: 0, key: [1, 0, 2], value: [0xFF, 0], headers: headers),
            OutputRecord(topic: topic, partition: 0, key: nil, value: nil),
            OutputRecord(topic: topic, partition: 0, key: [], value: []),
        ])
        let found = try cluster.scan(TopicPartition(topic, 0)).records
        #expect(found.map(\.key) == [[1, 0, 2], nil, []])
        #expect(found.map(\.value) == [[0xFF, 0], nil, []])
        #expect(found.first?.headers == headers)
        #expect(found.map(\.offset) == [0, 1, 2])
        #expect(found.allSatisfy { $0.timestamp > 0 })
    }

    @Test(
        "A transaction marker occupies an offset, and the end of a partition is its high watermark",
        arguments: Port.isolating
    )
    func markers(_ port: Port) throws {
        let cluster = try port.open()
        let topicPartition = TopicPartition(try cluster.makeTopic(), 0)
        try cluster.write([record(topicPartition.topic, "a"), record(topicPartition.topic, "b")])
        try cluster.write([record(topicPartition.topic, "c")])
        let reader = try cluster.transport.makeReader(topics: [topicPartition.topic])
        defer { reader.close() }
        #expect(try reader.watermarks(topicPartition).low == 0)
        #expect(try reader.watermarks(topicPartition).high == 5)
        let (found, end) = try cluster.scan(topicPartition)
        #expect(found.map(\.offset) == [0, 1, 3])
        #expect(end == 5)
    }

    @Test(
        "An open transaction hides its records and all that follow them; an aborted one is never visible",
        arguments: Port.isolating
    )
    func isolation(_ port: Port) throws {
        let cluster = try port.open()
        let topicPartition = TopicPartition(try cluster.makeTopic(), 0)
        let open = try cluster.producer(cluster.name("open"))
        defer { open.close() }
        try open.begin()
        try open.send([record(topicPartition.topic, "pending")])
        // The record must have left the client before another is written after it.
        let observer = try cluster.transport.makeReader(topics: [topicPartition.topic])
        defer { observer.close() }
        let deadline = ContinuousClock.now + .seconds(10)
        while try observer.watermarks(topicPartition).high == 0, ContinuousClock.now < deadline {}
        try cluster.write([record(topicPartition.topic, "behind")])
        let before = try cluster.scan(topicPartition)
        #expect(before.records.isEmpty)
        #expect(before.end == 0)
        #expect(try observer.ends(of: [topicPartition], stable: true) == [topicPartition: 0])
        #expect(try observer.ends(of: [topicPartition], stable: false)[topicPartition] ?? 0 >= 2)
        try open.abort()
        let after = try cluster.scan(topicPartition)
        #expect(after.records.map(\.text) == ["behind"])
        #expect(try after.end == observer.watermarks(topicPartition).high)
        #expect(try observer.ends(of: [topicPartition], stable: true) == [topicPartition: after.end])
        #expect(try observer.ends(of: [topicPartition], stable: false) == [topicPartition: after.end])
        #expect(try observer.ends(of: [], stable: true) == [:])
    }

    @Test("The end of a partition is reported once each time it is reached", arguments: Port.isolating)
    func ends(_ port: Port) throws {
        let cluster = try port.open()
        let topicPartition = TopicPartition(try cluster.makeTopic(), 0)
        try cluster.write([record(topicPartition.topic, "a")])
        let reader = try cluster.transport.makeReader(topics: [topicPartition.topic])
        defer { reader.close() }
        try reader.start([topicPartition: 0])
        let batch = RecordBatch()
        var reported: [Int64] = []
        func read(_ polls: Int) throws {
            for _ in 0..<polls {
                if case .endOfPartition(_, let end) = try reader.poll(into: batch, maximum: 9, timeoutMilliseconds: 50)
                {
                    reported.append(end)
                }
            }
        }
        try read(20)
        #expect(reported == [2])
        try cluster.write([record(topicPartition.topic, "b")])
        try read(20)
        #expect(reported.first == 2)
        #expect(reported.last == 4)
        #expect(reported == reported.sorted())
        #expect(Set(reported).count == reported.count)
    }

    @Test("Offsets of a transaction are committed by its commit, and not by its abort", arguments: Port.isolating)
    func offsets(_ port: Port) throws {
        let cluster = try port.open()
        let input = TopicPartition(try cluster.makeTopic(), 0)
        try cluster.write((0..<5).map { record(input.topic, "\($0)") })
        let member = try cluster.member(cluster.name("g"), "one", [input.topic])
        defer { member.consumer.close() }
        try poll([member]) { member.seen.count == 5 }
        #expect(try member.consumer.committedOffsets([input]).isEmpty)
        let producer = try cluster.producer(cluster.name("id"))
        defer { producer.close() }
        try producer.begin()
        try producer.sendOffsets([input: 3], of: member.consumer)
        try producer.abort()
        #expect(try member.consumer.committedOffsets([input]).isEmpty)
        try producer.begin()
        try producer.sendOffsets([input: 2], of: member.consumer)
        try producer.commit()
        #expect(try member.consumer.committedOffsets([input]) == [input: 2])
        member.forget()
        try member.consumer.seek([input: 2])
        try poll([member]) { member.seen.count >= 3 }
        #expect(member.seen.map(\.text) == ["2", "3", "4"])
    }

    @Test(
        "Metadata is stored with its offset, in the transaction, until the next offset replaces it",
        arguments: Port.isolating
    )
    func offsetMetadata(_ port: Port) throws {
        let cluster = try port.open()
        let topic = try cluster.makeTopic(partitions: 2)
        let (one, two) = (TopicPartition(topic, 0), TopicPartition(topic, 1))
        let member = try cluster.member(cluster.name("g"), "one", [topic])
        defer { member.consumer.close() }
        try poll([member]) { !member.assigned.isEmpty }
        let producer = try cluster.producer(cluster.name("id"))
        defer { producer.close() }
        func transact(_ offsets: [TopicPartition: GroupOffset], isCommitted: Bool = true) throws {
            try producer.begin()
            try producer.sendOffsets(offsets, of: member.consumer)
            if isCommitted { try producer.commit() } else { try producer.abort() }
        }
        // The transaction contains no record, and neither does the topic: a transaction may consist of metadata only.
        try transact([one: GroupOffset(0, metadata: "one 0 2"), two: GroupOffset(0)])
        #expect(
            try member.consumer.committed([one, two]) == [
                one: GroupOffset(0, metadata: "one 0 2"), two: GroupOffset(0),
            ]
        )
        try transact([one: GroupOffset(0, metadata: "clean")], isCommitted: false)
        #expect(try member.consumer.committed([one]) == [one: GroupOffset(0, metadata: "one 0 2")])
        try transact([one: GroupOffset(0, metadata: "clean")])
        #expect(try member.consumer.committed([one]) == [one: GroupOffset(0, metadata: "clean")])
        try transact([one: GroupOffset(0)])
        #expect(try member.consumer.committed([one]) == [one: GroupOffset(0)])
    }

    @Test("Offsets and metadata of a group can be read from outside, without a rebalance", arguments: Port.isolating)
    func fromOutside(_ port: Port) throws {
        let cluster = try port.open()
        let topic = try cluster.makeTopic(partitions: 2)
        let (one, two) = (TopicPartition(topic, 0), TopicPartition(topic, 1))
        let group = cluster.name("g")
        #expect(try cluster.transport.groupOffsets(group, [one, two]) == [:])
        let member = try cluster.member(group, "one", [topic])
        defer { member.consumer.close() }
        try poll([member]) { !member.assigned.isEmpty }
        let producer = try cluster.producer(cluster.name("id"))
        defer { producer.close() }
        try producer.begin()
        try producer.sendOffsets([one: GroupOffset(0, metadata: "open salt=1f")], of: member.consumer)
        try producer.commit()
        // Shortly after a transaction has ended, a query may still return the state before it.
        let end = ContinuousClock.now + .seconds(10)
        var found: [TopicPartition: GroupOffset] = [:]
        while found.isEmpty, ContinuousClock.now < end {
            found = try cluster.transport.groupOffsets(group, [one, two])
        }
        #expect(found == [one: GroupOffset(0, metadata: "open salt=1f")])
        #expect(try cluster.transport.groupOffsets(cluster.name("nobody"), [one]) == [:])
        try poll([member]) { true }
        #expect(member.assigned.count == 2)
    }

    @Test("Committed offsets never show what a transaction has not committed", arguments: Port.isolating)
    func stableOffsets(_ port: Port) throws {
        let cluster = try port.open(transactionTimeout: 2_000)
        let input = TopicPartition(try cluster.makeTopic(), 0)
        try cluster.write([record(input.topic, "a")])
        let member = try cluster.member(cluster.name("g"), "one", [input.topic])
        defer { member.consumer.close() }
        try poll([member]) { member.seen.count == 1 }
        let producer = try cluster.producer(cluster.name("id"))
        defer { producer.close() }
        try producer.begin()
        try producer.sendOffsets([input: 1], of: member.consumer)
        do throws(StreamError) {
            // A client may wait until the transaction is over, which here ends by its timeout.
            #expect(try member.consumer.committedOffsets([input]).isEmpty)
        } catch {
            #expect(error.disposition == .retry)
            try producer.commit()
            #expect(try member.consumer.committedOffsets([input]) == [input: 1])
        }
    }

    @Test(
        "A newer producer of the same id fences the older one and aborts its open transaction",
        arguments: Port.available
    )
    func fencing(_ port: Port) throws {
        let cluster = try port.open()
        let topicPartition = TopicPartition(try cluster.makeTopic(), 0)
        let id = cluster.name("id")
        let zombie = try cluster.producer(id)
        defer { zombie.close() }
        try zombie.begin()
        try zombie.send([record(topicPartition.topic, "zombie")])
        let successor = try cluster.producer(id)
        defer { successor.close() }
        let error = failure { try zombie.commit() }
        #expect(error?.disposition == .fatal)
        #expect(error?.code == "_FENCED")
        try successor.begin()
        try successor.send([record(topicPartition.topic, "successor")])
        try successor.commit()
        if Port.isolating.contains(port) {
            #expect(try cluster.scan(topicPartition).records.map(\.text) == ["successor"])
        }
    }

    @Test("A record that the topic refuses makes the commit require an abort", arguments: Port.available)
    func tooLarge(_ port: Port) throws {
        let cluster = try port.open()
        let topic = try cluster.makeTopic(maximumBytes: 2_000)
        let producer = try cluster.producer(cluster.name("id"))
        defer { producer.close() }
        try producer.begin()
        try producer.send([record(topic, String(repeating: "x", count: 5_000))])
        let error = failure { try producer.commit() }
        #expect(error?.disposition == .abortTransaction)
        #expect(error?.code == "MSG_SIZE_TOO_LARGE")
        try producer.abort()
    }

    @Test("A partition that the topic lacks is an error of the record", arguments: Port.available)
    func noSuchPartition(_ port: Port) throws {
        let cluster = try port.open()
        let topic = try cluster.makeTopic()
        let producer = try cluster.producer(cluster.name("id"))
        defer { producer.close() }
        try producer.begin()
        let error = failure { () throws(StreamError) in
            try producer.send([OutputRecord(topic: topic, partition: 99_999, key: nil, value: [1])])
            try producer.commit()
        }
        #expect(error?.disposition == .abortTransaction)
        #expect(error?.code == "_UNKNOWN_PARTITION" && error?.isAboutRecord == true)
        try producer.abort()
    }

    @Test("Members are assigned equal ranges of partition numbers in every topic", arguments: Port.available)
    func ranges(_ port: Port) throws {
        let cluster = try port.open()
        let topics = [try cluster.makeTopic(partitions: 4), try cluster.makeTopic(partitions: 4)]
        let group = cluster.name("g")
        let one = try cluster.member(group, "one", topics)
        let two = try cluster.member(group, "two", topics)
        defer { for member in [one, two] { member.consumer.close() } }
        try poll([one, two]) { one.assigned.count == 4 && two.assigned.count == 4 }
        for member in [one, two] {
            let numbers = Dictionary(grouping: member.assigned, by: \.topic).mapValues { Set($0.map(\.partition)) }
            #expect(numbers[topics[0]] == numbers[topics[1]])
            #expect(numbers[topics[0]] == [0, 1] || numbers[topics[0]] == [2, 3])
        }
        #expect(Set(one.assigned).isDisjoint(with: two.assigned))
    }

    @Test(
        "A change of assignment is reported until it is answered, and nothing is fetched before",
        arguments: Port.available
    )
    func unanswered(_ port: Port) throws {
        let cluster = try port.open()
        let topic = try cluster.makeTopic()
        try cluster.write([record(topic, "a")])
        let consumer = try cluster.transport.makeConsumer(group: cluster.name("g"), instance: "one", topics: [topic])
        defer { consumer.close() }
        let batch = RecordBatch()
        var reported: [PollOutcome] = []
        let deadline = ContinuousClock.now + .seconds(20)
        while reported.count < 3, ContinuousClock.now < deadline {
            let outcome = try consumer.poll(into: batch, maximum: 10, timeoutMilliseconds: 50)
            if outcome != .idle { reported.append(outcome) }
        }
        let topicPartition = TopicPartition(topic, 0)
        #expect(reported == [.assigned([topicPartition]), .assigned([topicPartition]), .assigned([topicPartition])])
        // A member without an offset queries the start of the partition before it answers.
        let watermarks = try consumer.watermarks(topicPartition)
        #expect(watermarks.low == 0 && watermarks.high > 0)
        try consumer.assign([topicPartition: watermarks.low])
        var outcome = PollOutcome.idle
        while outcome == .idle, ContinuousClock.now < deadline {
            outcome = try consumer.poll(into: batch, maximum: 10, timeoutMilliseconds: 50)
        }
        #expect(outcome == .records)
    }

    @Test(
        "A static member that returns is assigned its partitions, and the others are not affected",
        arguments: Port.available
    )
    func staticMember(_ port: Port) throws {
        let cluster = try port.open()
        let topic = try cluster.makeTopic(partitions: 4)
        let group = cluster.name("g")
        let stays = try cluster.member(group, "stays", [topic])
        let leaves = try cluster.member(group, "leaves", [topic])
        try poll([stays, leaves]) { stays.assigned.count == 2 && leaves.assigned.count == 2 }
        let (formerAssignment, reported) = (leaves.assigned, stays.outcomes.count)
        leaves.consumer.close()
        let rejoined = try cluster.member(group, "leaves", [topic])
        defer { for member in [stays, rejoined] { member.consumer.close() } }
        try poll([stays, rejoined]) { !rejoined.assigned.isEmpty }
        #expect(rejoined.assigned == formerAssignment)
        #expect(stays.outcomes.count == reported)
    }

    @Test("Offsets of a member that another has replaced are refused, and require an abort", arguments: Port.isolating)
    func staleMember(_ port: Port) throws {
        let cluster = try port.open()
        let topicPartition = TopicPartition(try cluster.makeTopic(), 0)
        let group = cluster.name("g")
        let old = try cluster.member(group, "one", [topicPartition.topic])
        try poll([old]) { !old.assigned.isEmpty }
        let new = try cluster.member(group, "one", [topicPartition.topic])
        defer { for member in [old, new] { member.consumer.close() } }
        try poll([new]) { !new.assigned.isEmpty }
        let producer = try cluster.producer(cluster.name("id"))
        defer { producer.close() }
        try producer.begin()
        try producer.send([record(topicPartition.topic, "stale")])
        let error = failure { try producer.sendOffsets([topicPartition: 1], of: old.consumer) }
        #expect(error?.disposition == .abortTransaction)
        try producer.abort()
        #expect(try new.consumer.committedOffsets([topicPartition]).isEmpty)
        #expect(try cluster.scan(topicPartition).records.isEmpty)
        try producer.begin()
        try producer.sendOffsets([topicPartition: 0], of: new.consumer)
        try producer.commit()
        #expect(try new.consumer.committedOffsets([topicPartition]) == [topicPartition: 0])
    }
}
