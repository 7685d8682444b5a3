import KafkaClient
import KafkaTesting
import KafkaTransport
import StreamRuntime
import Testing

@Suite("A broker that is killed and restarted", .serialized)
struct RestartTests {
    @Test(
        "Clients wait, and continue without losing a record",
        .enabled(if: !Broker.isNoida && Broker.isOurs, Broker.noidaLacks)
    )
    func killed() throws {
        // The test needs a broker of its own, because it would disturb the other tests.
        let broker = try BrokerProcess()
        defer { broker.remove() }
        let transport = KafkaStreamTransport(properties: broker.properties)
        let admin = try KafkaAdmin(properties: broker.properties)
        defer { admin.close() }
        _ = try admin.createTopics([
            KafkaTopicSpecification(name: "in", partitions: 2), KafkaTopicSpecification(name: "out", partitions: 1),
        ])
        let producer = try transport.makeProducer(transactionalID: "id")
        defer { producer.close() }
        try producer.initializeTransactions()
        func commit(_ numbers: Range<Int>) throws {
            try producer.begin()
            try producer.send(
                numbers.map { OutputRecord(topic: "in", partition: Int32($0 % 2), value: Array("\($0)".utf8)) }
            )
            try producer.commit()
        }
        try commit(0..<100)
        var member = Member(try transport.makeConsumer(group: "g", instance: "one", topics: ["in"]))
        defer { member.consumer.close() }
        var seen = try member.run { $0.count >= 100 }
        try broker.kill()
        #expect(try member.poll(milliseconds: 200) == [])
        try broker.restart()
        try commit(100..<200)
        // The group may have rebalanced in the meantime; nothing was committed, so it then reads from the beginning.
        do {
            seen += try member.run { [seen] later in Set((seen + later).map(\.value)).count == 200 }
        } catch let error as StreamError where error.code == "FENCED_INSTANCE_ID" {
            // A static member may be fenced by its own second attempt to join, if the answer to the first was lost with
            // the broker. The error is fatal to the client, not to the worker, which makes a new client, as here.
            #expect(error.disposition == .fatal)
            member.consumer.close()
            member = Member(try transport.makeConsumer(group: "g", instance: "one", topics: ["in"]))
            seen += try member.run { [seen] later in Set((seen + later).map(\.value)).count == 200 }
        }
        #expect(Set(seen.map(\.value)) == Set((0..<200).map(String.init)))
    }
}
