import KafkaClient
import KafkaTesting
import KafkaTransport
import StreamRuntime
import Testing

@Suite("Transactions on a broker", .serialized)
struct TransactionTests {
    private func record(_ topic: String, _ value: String, partition: Int32 = 0) -> OutputRecord {
        OutputRecord(topic: topic, partition: partition, key: nil, value: Array(value.utf8))
    }

    @Test("A commit makes records and offsets visible together, and an abort makes neither visible")
    func commitAndAbort() throws {
        let names = try Broker.makeTopics(2)
        let input = names[0]
        let output = names[1]
        let partition = TopicPartition(input, 0)
        try Broker.write(0..<10, to: input)
        let member = Member(
            try Broker.transport().makeConsumer(group: Broker.makeName("g"), instance: "one", topics: [input])
        )
        defer { member.consumer.close() }
        _ = try member.run { $0.count == 10 }
        let producer = try Broker.producer(Broker.makeName("id"))
        defer { producer.close() }

        try producer.begin()
        try producer.send([record(output, "aborted")])
        try producer.sendOffsets([partition: 9], of: member.consumer)
        try producer.abort()
        #expect(try member.consumer.committedOffsets([partition]) == [:])

        try producer.begin()
        try producer.send([record(output, "a"), record(output, "b")])
        try producer.sendOffsets([partition: 5], of: member.consumer)
        #expect(try Broker.committed(output) == [])
        try producer.commit()
        #expect(try member.consumer.committedOffsets([partition]) == [partition: 5])
        #expect(try Broker.committed(output) == ["a", "b"])
    }

    @Test("Without transactions records are visible at once, before offsets; an aborted cycle may write them twice")
    func atLeastOnce() throws {
        let names = try Broker.makeTopics(2)
        let (input, output) = (names[0], names[1])
        let partition = TopicPartition(input, 0)
        try Broker.write(0..<10, to: input)
        let member = Member(
            try Broker.transport().makeConsumer(group: Broker.makeName("g"), instance: "one", topics: [input])
        )
        defer { member.consumer.close() }
        _ = try member.run { $0.count == 10 }
        let transport = KafkaStreamTransport(properties: try Broker.get().properties, delivery: .atLeastOnce)
        let producer = try transport.makeProducer(transactionalID: Broker.makeName("id"))
        defer { producer.close() }
        try producer.initializeTransactions()

        try producer.begin()
        try producer.send([record(output, "a")])
        // The records are sent, and then the transaction is aborted.
        while try Broker.committed(output).isEmpty { try producer.send([]) }
        try producer.sendOffsets([partition: GroupOffset(9, metadata: "no")], of: member.consumer)
        try producer.abort()
        #expect(try member.consumer.committedOffsets([partition]) == [:])

        try producer.begin()
        try producer.send([record(output, "a"), record(output, "b")])
        try producer.sendOffsets([partition: GroupOffset(5, metadata: "open")], of: member.consumer)
        try producer.commit()
        #expect(try member.consumer.committed([partition]) == [partition: GroupOffset(5, metadata: "open")])
        #expect(try Broker.committed(output) == ["a", "a", "b"])
    }

    @Test(
        "Without transactions, offsets wait for records that cannot be written",
        // noida-db creates a topic that it does not know.
        .enabled(if: !Broker.isNoida, Broker.noidaLacks)
    )
    func atLeastOnceFailure() throws {
        let input = try Broker.makeTopics(1)[0]
        let partition = TopicPartition(input, 0)
        try Broker.write(0..<10, to: input)
        let member = Member(
            try Broker.transport().makeConsumer(group: Broker.makeName("g"), instance: "one", topics: [input])
        )
        defer { member.consumer.close() }
        _ = try member.run { $0.count == 10 }
        let transport = KafkaStreamTransport(properties: try Broker.get().properties, delivery: .atLeastOnce)
        let producer = try transport.makeProducer(transactionalID: Broker.makeName("id"))
        defer { producer.close() }
        try producer.initializeTransactions()
        try producer.begin()
        try producer.sendOffsets([partition: 5], of: member.consumer)
        try producer.commit()

        try producer.begin()
        try producer.send([record("no-such-topic-\(input)", "lost")])
        try producer.sendOffsets([partition: GroupOffset(6)], of: member.consumer)
        #expect(throws: StreamError.self) { try producer.commit() }
        try producer.abort()
        #expect(try member.consumer.committedOffsets([partition]) == [partition: 5])
    }

    @Test(
        "A query of committed offsets waits for an open transaction that contains them",
        .enabled(if: !Broker.isNoida, Broker.noidaLacks)
    )
    func stableOffsets() throws {
        let input = try Broker.makeTopics(1)[0]
        let partition = TopicPartition(input, 0)
        try Broker.write(0..<4, to: input)
        let member = Member(
            try Broker.transport().makeConsumer(group: Broker.makeName("g"), instance: "one", topics: [input])
        )
        defer { member.consumer.close() }
        _ = try member.run { $0.count == 4 }
        let producer = try Broker.producer(Broker.makeName("id"), ["transaction.timeout.ms": "1500"])
        defer { producer.close() }
        try producer.begin()
        try producer.sendOffsets([partition: 4], of: member.consumer)
        let start = ContinuousClock.now
        // The query is answered only after the broker has aborted the transaction, so no offset was committed.
        #expect(try member.consumer.committedOffsets([partition]) == [:])
        #expect(ContinuousClock.now - start > .milliseconds(500))
    }

    @Test("Rewinding after an abort delivers the same records again, exactly")
    func rewindAfterAbort() throws {
        let names = try Broker.makeTopics(2, partitions: 2)
        let input = names[0]
        let output = names[1]
        try Broker.write(0..<20_000, to: input, partitions: 2, size: 100)
        let member = Member(
            try Broker.transport().makeConsumer(group: Broker.makeName("g"), instance: "one", topics: [input])
        )
        defer { member.consumer.close() }
        let producer = try Broker.producer(Broker.makeName("id"))
        defer { producer.close() }
        var committed: [TopicPartition: Int64] = [TopicPartition(input, 0): 0, TopicPartition(input, 1): 0]
        var processed: [ReadRecord] = []
        var attempt = 0
        _ = try member.run { _ in member.assigned.count == 2 }
        while processed.count < 20_000, attempt < 400 {
            attempt += 1
            let wanted = min(300, 20_000 - processed.count)
            let seen = try member.run(maximum: 700) { $0.count >= wanted }
            guard !seen.isEmpty else { break }
            var next = committed
            for delivered in seen {
                #expect(delivered.offset == next[delivered.partition], "attempt \(attempt)")
                next[delivered.partition] = delivered.offset + 1
            }
            try producer.begin()
            try producer.send(seen.prefix(20).map { record(output, $0.value) })
            try producer.sendOffsets(next, of: member.consumer)
            if attempt.isMultiple(of: 3) {
                try producer.abort()
                try member.consumer.seek(committed)
            } else {
                try producer.commit()
                committed = next
                processed += seen
            }
        }
        #expect(processed.count == 20_000)
        #expect(Set(processed.map(\.value)).count == 20_000)
    }

    @Test("A record that the topic refuses requires an abort, after which the producer continues")
    func refusedRecord() throws {
        let admin = try KafkaAdmin(properties: Broker.get().properties)
        defer { admin.close() }
        let topic = Broker.makeName("small")
        _ = try admin.createTopics([
            KafkaTopicSpecification(name: topic, partitions: 1, configuration: ["max.message.bytes": "2000"])
        ])
        let producer = try Broker.producer(Broker.makeName("id"))
        defer { producer.close() }
        for round in 0..<3 {
            try producer.begin()
            try producer.send([record(topic, String(repeating: "x", count: 5000))])
            let error = failure { try producer.commit() }
            #expect(error?.disposition == .abortTransaction)
            #expect(error?.code == "MSG_SIZE_TOO_LARGE")
            #expect(error?.operation.contains(topic) == true)
            try producer.abort()
            // librdkafka 2.0.2 skips the refused record's sequence number, so the next transaction may fail once more.
            var attempts = 0
            var last: StreamError?
            repeat {
                attempts += 1
                try producer.begin()
                try producer.send([record(topic, "\(round)")])
                last = failure { try producer.commit() }
                if let last {
                    #expect(last.disposition == .abortTransaction, "\(last)")
                    try producer.abort()
                }
            } while last != nil && attempts < 3
            #expect(last == nil)
        }
        if !Broker.isNoida { #expect(try Broker.committed(topic) == ["0", "1", "2"]) }
    }

    @Test("A producer is fenced, with a fatal error, when another takes over its id, and its records stay hidden")
    func zombie() throws {
        let output = try Broker.makeTopics(1)[0]
        let id = Broker.makeName("id")
        let zombie = try Broker.producer(id)
        defer { zombie.close() }
        try zombie.begin()
        try zombie.send([record(output, "zombie")])
        let successor = try Broker.producer(id)
        defer { successor.close() }
        let error = failure { try zombie.commit() }
        #expect(error?.disposition == .fatal)
        #expect(error?.code == "_FENCED")
        try successor.begin()
        try successor.send([record(output, "successor")])
        try successor.commit()
        if !Broker.isNoida { #expect(try Broker.committed(output) == ["successor"]) }
    }

    @Test(
        "The timeout of a transaction is fatal to its producer, and a new producer continues",
        .enabled(if: !Broker.isNoida, Broker.noidaLacks)
    )
    func timedOut() throws {
        let output = try Broker.makeTopics(1)[0]
        let id = Broker.makeName("id")
        let slow = try Broker.producer(id, ["transaction.timeout.ms": "1000"])
        try slow.begin()
        try slow.send([record(output, "slow")])
        try awaitAbort(of: output)
        let error = failure { try slow.commit() }
        #expect(error?.disposition == .fatal)
        slow.close()
        let next = try Broker.producer(id)
        defer { next.close() }
        try next.begin()
        try next.send([record(output, "next")])
        try next.commit()
        #expect(try Broker.committed(output) == ["next"])
    }

    /// Waits until the broker has written the abort marker after the record: then a reader ends at offset 2.
    private func awaitAbort(of topic: String) throws {
        let reader = try Broker.transport().makeReader(topics: [topic])
        defer { reader.close() }
        try reader.start([TopicPartition(topic, 0): 0])
        let batch = RecordBatch()
        let end = ContinuousClock.now + .seconds(20)
        while ContinuousClock.now < end {
            let outcome = try reader.poll(into: batch, maximum: 10, timeoutMilliseconds: 100)
            if case .endOfPartition(_, let offset) = outcome, offset >= 2 { return }
        }
        Issue.record("the broker did not abort the transaction")
    }

    @Test(
        "Offsets of a member of an earlier generation are refused, and the producer continues after an abort",
        .enabled(if: !Broker.isNoida, Broker.noidaLacks)
    )
    func staleGeneration() throws {
        let input = try Broker.makeTopics(1, partitions: 2)[0]
        let group = Broker.makeName("g")
        let properties = try Broker.get().properties.merging(["session.timeout.ms": "2000"])
        let stale = try KafkaConsumer(properties: properties, group: group, instance: "one", topics: [input])
        defer { stale.close() }
        var isAssigned = false
        while !isAssigned {
            if case .assigned(let partitions) = try stale.poll(maximum: 1, timeoutMilliseconds: 100) {
                try stale.assign(Dictionary(uniqueKeysWithValues: partitions.map { ($0, 0) }))
                isAssigned = true
            }
        }
        // A member with the same static id replaces it, and a second one starts a new generation.
        let successor = Member(try Broker.transport().makeConsumer(group: group, instance: "one", topics: [input]))
        defer { successor.consumer.close() }
        _ = try successor.run { _ in !successor.assigned.isEmpty }
        let producer = try KafkaProducer(properties: properties, transactionalID: Broker.makeName("id"))
        defer { producer.close() }
        try producer.initializeTransactions()
        try producer.begin()
        do {
            try producer.sendOffsets([KafkaTopicPartition(input, 0): 1], of: stale)
            Issue.record("a stale member's offsets were taken")
        } catch {
            #expect(error.disposition == .abortTransaction)
        }
        try producer.abort()
        try producer.begin()
        try producer.commit()
    }
}
