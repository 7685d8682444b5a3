import KafkaClient
import KafkaTesting
import StreamRuntime
import Testing

@Suite("Administration of a broker", .serialized)
struct AdminTests {
    @Test("Topics are created once, described and deleted")
    func topics() throws {
        let admin = try KafkaAdmin(properties: Broker.get().properties)
        defer { admin.close() }
        let name = Broker.makeName("compacted")
        let specification = KafkaTopicSpecification(
            name: name,
            partitions: 3,
            replication: 1,
            configuration: ["cleanup.policy": "compact", "max.message.bytes": "2000000"]
        )
        #expect(try admin.createTopics([specification]) == [name])
        #expect(try admin.createTopics([specification]) == [])
        #expect(try admin.listTopics().contains(name))
        let described = try #require(try admin.describeTopics([name, "nowhere"]).first)
        #expect(described.name == name && described.partitions == 3 && described.replication == 1)
        #expect(described.configuration["cleanup.policy"] == "compact")
        #expect(described.configuration["max.message.bytes"] == "2000000")
        #expect(try admin.deleteTopics([name, "nowhere"]) == [name])
        let end = ContinuousClock.now + .seconds(10)
        while try admin.listTopics().contains(name), ContinuousClock.now < end {}
        #expect(try !admin.listTopics().contains(name))
    }

    /// Behaviour of brokers that `TopicCatalogue` relies on. Before: 32 KB of a packed record were a gigabyte in
    /// every reader.
    @Test(
        "A topic that stores records uncompressed refuses one that is small only while it is compressed",
        .disabled(if: Broker.isNoida, Broker.noidaLacks)
    )
    func unpacked() throws {
        let admin = try KafkaAdmin(properties: Broker.get().properties)
        defer { admin.close() }
        let names = ["producer", "uncompressed"].map { ($0, Broker.makeName($0)) }
        for (compression, name) in names {
            _ = try admin.createTopics([
                KafkaTopicSpecification(name: name, partitions: 1, configuration: ["compression.type": compression])
            ])
        }
        let producerProperties: KafkaProperties = ["compression.type": "zstd", "message.max.bytes": "40000000"]
        let producer = try KafkaProducer(properties: Broker.get().properties.merging(producerProperties))
        defer { producer.close() }
        for (compression, name) in names {
            try producer.send(
                KafkaOutputRecord(topic: name, partition: 0, value: [UInt8](repeating: 0x30, count: 1_000))
            )
            #expect(try producer.flush(timeoutMilliseconds: 60_000) == [])
            let bomb = [UInt8](repeating: 0x30, count: 20_000_000)
            try producer.send(KafkaOutputRecord(topic: name, partition: 0, value: bomb))
            let failures = try producer.flush(timeoutMilliseconds: 60_000)
            #expect(failures.isEmpty == (compression == "producer"), "\(compression): \(failures)")
        }
    }

    @Test("A topic with a bad setting is refused by name")
    func badTopic() throws {
        let admin = try KafkaAdmin(properties: Broker.get().properties)
        defer { admin.close() }
        let name = Broker.makeName("bad")
        do {
            _ = try admin.createTopics([
                KafkaTopicSpecification(name: name, partitions: 1, configuration: ["no.such.setting": "1"])
            ])
            Issue.record("it was created")
        } catch { #expect(error.reason.contains(name) || error.reason.contains("no.such.setting")) }
    }

    @Test("The cluster has an id, and lists its brokers")
    func cluster() throws {
        let admin = try KafkaAdmin(properties: Broker.get().properties)
        defer { admin.close() }
        #expect(try !admin.clusterID().isEmpty)
        #expect(try admin.clusterID() == Broker.transport().clusterID())
        #expect(try admin.brokers().map(\.description).isEmpty == false)
    }

    @Test("Committed offsets of a group and watermarks of a partition can be read, as lag requires")
    func lag() throws {
        let topic = try Broker.makeTopics(1)[0]
        let partition = KafkaTopicPartition(topic, 0)
        try Broker.write(0..<10, to: topic)
        let group = Broker.makeName("g")
        let member = Member(try Broker.transport().makeConsumer(group: group, instance: "", topics: [topic]))
        _ = try member.run { $0.count == 10 }
        let producer = try Broker.producer(Broker.makeName("id"))
        try producer.begin()
        try producer.sendOffsets([TopicPartition(topic, 0): 6], of: member.consumer)
        try producer.commit()
        producer.close()
        member.consumer.close()
        let admin = try KafkaAdmin(properties: Broker.get().properties)
        defer { admin.close() }
        #expect(try admin.committedOffsets(group: group, [partition]) == [partition: 6])
        #expect(try admin.watermarks([partition]) == [partition: KafkaWatermarks(low: 0, high: 10)])
    }
}
