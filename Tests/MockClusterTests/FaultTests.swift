import KafkaClient
import KafkaTesting
import Testing

@Suite("Faults and the reaction that they require of the caller", .serialized)
struct FaultTests {
    private let cluster: MockCluster
    private let partition = KafkaTopicPartition("t", 0)

    init() throws {
        cluster = try MockCluster()
        try cluster.createTopic("t")
        try cluster.createTopic("in")
    }

    private func makeProducer(_ extra: KafkaProperties = [:]) throws -> KafkaProducer {
        let producer = try KafkaProducer(properties: cluster.properties.merging(extra), transactionalID: "worker-1")
        try producer.initializeTransactions(timeoutMilliseconds: 20_000)
        return producer
    }

    private var record: KafkaOutputRecord { KafkaOutputRecord(topic: "t", partition: 0, value: [1]) }

    @Test("A transaction completes begin, send, offsets and commit, and so does the next one after an abort")
    func protocolCalls() throws {
        let consumer = try KafkaConsumer(properties: cluster.properties, group: "g", instance: nil, topics: ["in"])
        defer { consumer.close() }
        var driver = Driver(consumer)
        _ = try driver.run { driver, _ in !driver.assigned.isEmpty }
        let producer = try makeProducer()
        defer { producer.close() }
        try producer.begin()
        try producer.send([record, record])
        try producer.sendOffsets([KafkaTopicPartition("in", 0): 7], of: consumer)
        try producer.commit()
        try producer.begin()
        try producer.send([record])
        try producer.abort()
        try producer.begin()
        try producer.send([record])
        try producer.commit()
    }

    @Test("The client waits for a coordinator that is loading")
    func coordinatorLoading() throws {
        cluster.pushRequestErrors(.initProducerID, [.coordinatorLoading, .coordinatorLoading])
        cluster.pushRequestErrors(.findCoordinator, [.coordinatorLoading])
        let producer = try makeProducer()
        producer.close()
    }

    @Test("A transactional id without authorization is fatal")
    func authorization() throws {
        cluster.pushRequestErrors(.initProducerID, Array(repeating: .transactionalIDAuthorizationFailed, count: 5))
        let error = failure { try makeProducer().close() }
        #expect(error?.code == "TRANSACTIONAL_ID_AUTHORIZATION_FAILED")
        #expect(error?.disposition == .fatal)
        #expect(error?.description.contains("Write on TransactionalId ") == true)
    }

    @Test(
        "Retriable faults while writing are retried until they pass",
        arguments: [MockFault.notLeader, .requestTimedOut, .disconnect]
    )
    func retriable(fault: MockFault) throws {
        let producer = try makeProducer()
        defer { producer.close() }
        try producer.begin()
        cluster.pushRequestErrors(.produce, [fault, fault])
        cluster.pushRequestErrors(.endTransaction, [fault == .disconnect ? .disconnect : .notCoordinator])
        try producer.send([record])
        try producer.commit()
    }

    @Test("A record that the broker refuses requires an abort, with topic and reason, and the producer continues")
    func refusedRecord() throws {
        let producer = try makeProducer()
        defer { producer.close() }
        try producer.begin()
        cluster.pushRequestErrors(.produce, [.messageTooLarge])
        try producer.send([record])
        let error = failure { try producer.commit() }
        #expect(error?.disposition == .abortTransaction)
        #expect(error?.code == "MSG_SIZE_TOO_LARGE")
        #expect(error?.operation.contains("t[0]") == true)
        try producer.abort()
        // librdkafka 2.0.2 skips the refused record's sequence number, so the next transaction may fail once more.
        var attempts = 0
        var last: KafkaError?
        repeat {
            attempts += 1
            try producer.begin()
            try producer.send([record])
            last = failure { try producer.commit() }
            if let last {
                #expect(last.disposition == .abortTransaction, "\(last)")
                try producer.abort()
            }
        } while last != nil && attempts < 3
        #expect(last == nil)
    }

    @Test("A record larger than the client may send requires an abort at once")
    func tooLarge() throws {
        let producer = try makeProducer()
        defer { producer.close() }
        try producer.begin()
        let large = KafkaOutputRecord(topic: "t", partition: 0, value: [UInt8](repeating: 0, count: 1_100_000))
        let error = failure { try producer.send([large]) }
        #expect(error?.disposition == .abortTransaction)
        #expect(error?.code == "MSG_SIZE_TOO_LARGE")
        try producer.abort()
    }

    @Test("Offsets of a stale member of the group require the transaction to be aborted")
    func staleMember() throws {
        let consumer = try KafkaConsumer(properties: cluster.properties, group: "g", instance: nil, topics: ["in"])
        defer { consumer.close() }
        var driver = Driver(consumer)
        _ = try driver.run { driver, _ in !driver.assigned.isEmpty }
        let producer = try makeProducer()
        defer { producer.close() }
        for fault in [MockFault.illegalGeneration, .unknownMember, .fencedInstanceID] {
            try producer.begin()
            try producer.send([record])
            cluster.pushRequestErrors(.transactionOffsetCommit, [fault])
            let error = failure { try producer.sendOffsets([KafkaTopicPartition("in", 0): 7], of: consumer) }
            #expect(error?.disposition == .abortTransaction, "\(fault)")
            try producer.abort()
        }
        try producer.begin()
        try producer.send([record])
        try producer.commit()
    }

    @Test(
        "A fenced producer is fatal at commit, and stays fatal",
        arguments: [MockFault.producerFenced, .invalidProducerEpoch]
    )
    func fenced(fault: MockFault) throws {
        let producer = try makeProducer()
        defer { producer.close() }
        try producer.begin()
        try producer.send([record])
        cluster.pushRequestErrors(.endTransaction, [fault])
        let error = failure { try producer.commit() }
        #expect(error?.disposition == .fatal)
        #expect(error?.code == "_FENCED")
        #expect(failure { try producer.begin() }?.disposition == .fatal)
    }

    @Test("Without a broker, initializing fails in time and may be called again")
    func brokerDown() throws {
        try cluster.takeDown(broker: 1)
        let producer = try KafkaProducer(properties: cluster.properties, transactionalID: "worker-1")
        defer { producer.close() }
        let error = failure { try producer.initializeTransactions(timeoutMilliseconds: 600) }
        #expect(error?.disposition == .retry)
        try cluster.bringUp(broker: 1)
        try producer.initializeTransactions(timeoutMilliseconds: 20_000)
    }

    @Test("The client writes to a broker that has returned, and reads from it again")
    func brokerReturns() throws {
        try write(0..<5, to: "t", properties: cluster.properties)
        let consumer = try KafkaConsumer(properties: cluster.properties, group: "g", instance: nil, topics: ["t"])
        defer { consumer.close() }
        var driver = Driver(consumer)
        _ = try driver.run { _, seen in seen.count == 5 }
        try cluster.takeDown(broker: 1)
        #expect(try consumer.poll(maximum: 10, timeoutMilliseconds: 300) == .idle)
        try cluster.bringUp(broker: 1)
        try write(5..<10, to: "t", properties: cluster.properties)
        let seen = try driver.run { _, seen in seen.count >= 5 }
        #expect(seen.map(\.offset) == [5, 6, 7, 8, 9])
        #expect(!consumer.takeDiagnostics().isEmpty)
    }

    @Test("A producer without transactions reports which records were not delivered")
    func deliveryFailures() throws {
        let producer = try KafkaProducer(properties: cluster.properties)
        defer { producer.close() }
        cluster.pushRequestErrors(.produce, [.messageTooLarge])
        try producer.send(KafkaOutputRecord(topic: "t", partition: 0, key: [7], value: [1]))
        let failures = try producer.flush(timeoutMilliseconds: 10_000)
        #expect(failures.map(\.partition) == [partition])
        #expect(failures.first?.key == [7])
        #expect(failures.first?.error.code == "MSG_SIZE_TOO_LARGE")
        try producer.send(record)
        #expect(try producer.flush(timeoutMilliseconds: 10_000) == [])
    }

    @Test("A full local queue waits for free space and loses nothing")
    func fullQueue() throws {
        let small: KafkaProperties = ["queue.buffering.max.messages": "100", "linger.ms": "50"]
        let producer = try makeProducer(small)
        defer { producer.close() }
        try producer.begin()
        try producer.send(Array(repeating: record, count: 2000))
        try producer.commit()
        let reader = try KafkaReader(properties: cluster.properties, topics: ["t"])
        defer { reader.close() }
        #expect(try reader.watermarks(partition).high == 2000)
    }
}
