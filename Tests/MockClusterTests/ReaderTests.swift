import KafkaClient
import KafkaTesting
import Testing

@Suite("Readers on the mock cluster", .serialized)
struct ReaderTests {
    @Test("A reader that has been connected for long reads another topic as soon as it is started on it")
    func startsAtOnce() throws {
        let cluster = try MockCluster()
        let producer = try KafkaProducer(properties: cluster.properties)
        let topics = (0..<5).map { "t\($0)" }
        for topic in topics {
            try cluster.createTopic(topic)
            try producer.send(KafkaOutputRecord(topic: topic, partition: 0, key: nil, value: [1]))
        }
        #expect(try producer.flush(timeoutMilliseconds: 10_000) == [])
        producer.close()

        let reader = try KafkaReader(properties: cluster.properties, topics: topics)
        defer { reader.close() }
        let clock = ContinuousClock()
        var longest = Duration.zero
        for topic in topics {
            let began = clock.now
            try reader.start([KafkaTopicPartition(topic, 0): 0])
            #expect(try reader.poll(maximum: 1, timeoutMilliseconds: 10_000) == .records)
            longest = max(longest, clock.now - began)
            #expect(
                try reader.poll(maximum: 1, timeoutMilliseconds: 10_000)
                    == .endOfPartition(KafkaTopicPartition(topic, 0), 1)
            )
        }
        // By itself, librdkafka scans its topics once a second.
        #expect(longest < .milliseconds(700), "\(longest)")
    }
}
