import StreamRuntime
import StreamTesting
import Testing

/// Behaviour of a cluster whose time and faults a test controls.
@Suite("The in-memory cluster")
struct InMemoryClusterTests {
    private let clock = SimulatedClock()
    private let memory: InMemoryCluster
    private let topicPartition = TopicPartition("t", 0)

    init() {
        memory = InMemoryCluster(clock: clock)
        memory.createTopic("t", partitions: 2)
    }

    private func member(_ instance: String) throws -> Member {
        Member(try memory.makeConsumer(group: "g", instance: instance, topics: ["t"]))
    }

    @Test("A member whose session expired loses its partitions to the others, and its offsets are refused")
    func expiry() throws {
        let (one, two) = (try member("one"), try member("two"))
        try poll([one, two]) { one.assigned.count == 1 && two.assigned.count == 1 }
        memory.expireMember("one", of: "g")
        try poll([two]) { two.assigned.count == 2 }
        let producer = try memory.makeProducer(transactionalID: "id")
        try producer.initializeTransactions()
        try producer.begin()
        let error = failure { try producer.sendOffsets([topicPartition: 1], of: one.consumer) }
        #expect(error?.disposition == .abortTransaction)
        try one.poll()
        guard case .lost(let lost) = one.outcomes.last else {
            Issue.record("not told of the loss: \(one.outcomes)")
            return
        }
        #expect(lost.count == 1)
        try poll([one, two]) { one.assigned.count == 1 && two.assigned.count == 1 }
    }

    @Test("Offsets of an older generation are refused")
    func generation() throws {
        let one = try member("one")
        try poll([one]) { one.assigned.count == 2 }
        let two = try member("two")
        try two.poll()
        let producer = try memory.makeProducer(transactionalID: "id")
        try producer.initializeTransactions()
        // While the rebalance waits for the member, its generation is still valid: it commits before it answers.
        try producer.begin()
        try producer.sendOffsets([topicPartition: 7], of: one.consumer)
        try producer.commit()
        #expect(try one.consumer.committedOffsets([topicPartition]) == [topicPartition: 7])
        try one.poll()
        try producer.begin()
        #expect(
            failure { try producer.sendOffsets([topicPartition: 9], of: one.consumer) }?.code == "ILLEGAL_GENERATION"
        )
        #expect(failure { try producer.commit() }?.disposition == .abortTransaction)
        try producer.abort()
        #expect(memory.offsets(of: "g") == [topicPartition: 7])
    }

    @Test("A transaction that is open for too long is aborted, and its producer fenced")
    func timeout() throws {
        let producer = try memory.makeProducer(transactionalID: "id")
        try producer.initializeTransactions()
        try producer.begin()
        try producer.send([record("t", "slow")])
        clock.advance(by: 10_001)
        #expect(failure { try producer.commit() }?.code == "_FENCED")
        #expect(memory.openTransactions == 0)
        #expect(memory.committed("t").isEmpty)
    }

    @Test("Abort and commit may be repeated, as after a lost answer")
    func idempotence() throws {
        let producer = try memory.makeProducer(transactionalID: "id")
        try producer.initializeTransactions()
        try producer.begin()
        try producer.send([record("t", "a")])
        try producer.abort()
        try producer.abort()
        try producer.begin()
        try producer.send([record("t", "b")])
        try producer.commit()
        try producer.commit()
        #expect(memory.committed("t").map(\.text) == ["b"])
    }

    @Test("A record has the clock's time at its append unless another time is given")
    func times() throws {
        clock.set(to: 5_000)
        try memory.append(record("t", "a"))
        clock.advance(by: 10)
        try memory.append(record("t", "b"))
        try memory.append(record("t", "c"), at: 77)
        #expect(memory.committed("t").map(\.timestamp) == [5_000, 5_010, 77])
    }

    @Test("After a crash every call fails, open transactions stay open, and the successor aborts them")
    func crash() throws {
        let plan = FaultPlan(.init(2, .crash, .halfway))
        let transport = FaultyTransport(memory, plan)
        let producer = try transport.makeProducer(transactionalID: "id")
        try producer.initializeTransactions()
        try producer.begin()
        #expect(failure { try producer.send([record("t", "a"), record("t", "b")]) }?.code == "_CRASHED")
        #expect(failure { try producer.abort() }?.code == "_CRASHED")
        #expect(failure { _ = try transport.makeReader(topics: ["t"]) }?.code == "_CRASHED")
        #expect(plan.effects == [.initialize, .begin, .send])
        #expect(memory.openTransactions == 1)
        let successor = try memory.makeProducer(transactionalID: "id")
        try successor.initializeTransactions()
        #expect(memory.openTransactions == 0)
        #expect(memory.committed("t").isEmpty)
    }
}
