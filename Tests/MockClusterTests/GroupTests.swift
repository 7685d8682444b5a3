import KafkaClient
import KafkaTesting
import Testing

@Suite("A consumer group on the mock cluster", .serialized)
struct GroupTests {
    @Test("Records are returned with partition, offset, key, value and headers")
    func roundTrip() throws {
        let cluster = try MockCluster()
        try cluster.createTopic("t")
        let producer = try KafkaProducer(properties: cluster.properties)
        try producer.send(
            KafkaOutputRecord(
                topic: "t",
                key: Array("k".utf8),
                value: Array("v".utf8),
                headers: [KafkaHeader("h", Array("1".utf8)), KafkaHeader("h", nil), KafkaHeader("e", [])]
            )
        )
        try producer.send(KafkaOutputRecord(topic: "t", key: nil, value: nil))
        try producer.send(KafkaOutputRecord(topic: "t", key: [], value: []))
        #expect(try producer.flush(timeoutMilliseconds: 10_000) == [])
        producer.close()

        let reader = try KafkaReader(properties: cluster.properties, topics: ["other", "t"])
        #expect(try reader.partitions(of: "t") == [0])
        try reader.start([KafkaTopicPartition("t", 0): 0])
        var count = 0
        while count < 3 {
            guard try reader.poll(maximum: 10, timeoutMilliseconds: 5000) == .records else { break }
            for (index, record) in reader.records.enumerated() {
                #expect(record.topic == 1)
                #expect(record.partition == 0)
                #expect(record.offset == Int64(count))
                #expect(record.timestamp > 0)
                switch count {
                case 0:
                    #expect(Array(record.key) == Array("k".utf8))
                    #expect(Array(record.value) == Array("v".utf8))
                    #expect(
                        reader.headers(at: index)
                            == [KafkaHeader("h", Array("1".utf8)), KafkaHeader("h", nil), KafkaHeader("e", [])]
                    )
                case 1: #expect(record.key.baseAddress == nil && record.value.baseAddress == nil)
                default:
                    #expect(record.key.baseAddress != nil && record.key.isEmpty)
                    #expect(record.value.baseAddress != nil && record.value.isEmpty)
                }
                count += 1
            }
        }
        #expect(count == 3)
        #expect(
            try reader.poll(maximum: 10, timeoutMilliseconds: 5000) == .endOfPartition(KafkaTopicPartition("t", 0), 3)
        )
        reader.close()
    }

    @Test("Every poll returns a rebalance until it is answered")
    func rebalanceIsRepeated() throws {
        let cluster = try MockCluster()
        try cluster.createTopic("t", partitions: 2)
        try write(0..<10, to: "t", partitions: 2, properties: cluster.properties)
        let consumer = try KafkaConsumer(properties: cluster.properties, group: "g", instance: "one", topics: ["t"])
        defer { consumer.close() }
        var outcome = KafkaPollOutcome.idle
        while outcome == .idle { outcome = try consumer.poll(maximum: 10, timeoutMilliseconds: 500) }
        let both = [KafkaTopicPartition("t", 0), KafkaTopicPartition("t", 1)]
        #expect(outcome == .assigned(both))
        #expect(try consumer.poll(maximum: 10, timeoutMilliseconds: 50) == .assigned(both))
        try consumer.assign([both[0]: 2, both[1]: 5])
        var driver = Driver(consumer)
        let seen = try driver.run { _, seen in seen.count >= 3 }
        #expect(seen.map(\.partition) == [both[0], both[0], both[0]])
        #expect(seen.map(\.offset) == [2, 3, 4])
        #expect(consumer.positions == [both[0]: 5, both[1]: 5])
    }

    @Test("A second member is assigned half of the partitions, which are returned when it leaves")
    func handOver() throws {
        let cluster = try MockCluster()
        try cluster.createTopic("t", partitions: 4)
        let properties = cluster.properties.merging(["heartbeat.interval.ms": "100"])
        let first = try KafkaConsumer(properties: properties, group: "g", instance: nil, topics: ["t"])
        var firstDriver = Driver(first)
        _ = try firstDriver.run { driver, _ in driver.assigned.count == 4 }
        let second = try KafkaConsumer(properties: properties, group: "g", instance: nil, topics: ["t"])
        var secondDriver = Driver(second)
        let end = ContinuousClock.now + .seconds(20)
        while firstDriver.assigned.count != 2 || secondDriver.assigned.count != 2, ContinuousClock.now < end {
            try step(&firstDriver)
            try step(&secondDriver)
        }
        #expect(firstDriver.assigned.count == 2)
        #expect(Set(firstDriver.assigned).isDisjoint(with: secondDriver.assigned))
        #expect(
            firstDriver.outcomes.contains {
                if case .revoked(let partitions) = $0 { partitions.count == 4 } else { false }
            }
        )
        second.close()
        _ = try firstDriver.run { driver, _ in driver.assigned.count == 4 }
        first.close()
    }

    private func step(_ driver: inout Driver) throws {
        var isFirst = true
        _ = try driver.run { _, _ in
            defer { isFirst = false }
            return !isFirst
        }
    }

    @Test("A rewind delivers again from exactly the position, and nothing that was fetched ahead")
    func rewind() throws {
        let cluster = try MockCluster()
        try cluster.createTopic("t")
        try write(0..<2000, to: "t", properties: cluster.properties)
        let consumer = try KafkaConsumer(properties: cluster.properties, group: "g", instance: nil, topics: ["t"])
        defer { consumer.close() }
        var driver = Driver(consumer)
        _ = try driver.run { _, seen in seen.count >= 100 }
        for round in 0..<20 {
            let target = Int64(17 * round)
            try consumer.seek([KafkaTopicPartition("t", 0): target])
            let delivered = try driver.run { _, seen in seen.count >= 1 + 80 * round }
            #expect(delivered.map(\.offset) == Array(target..<target + Int64(delivered.count)))
        }
        try consumer.seek([KafkaTopicPartition("t", 0): 1990])
        let lastRecords = try driver.run { _, seen in seen.count >= 10 }
        #expect(lastRecords.map(\.offset) == Array(1990..<2000))
    }

    @Test("A paused partition returns nothing, and continues at its offset when resumed")
    func pause() throws {
        let cluster = try MockCluster()
        try cluster.createTopic("t", partitions: 2)
        try write(0..<4000, to: "t", partitions: 2, properties: cluster.properties)
        let consumer = try KafkaConsumer(properties: cluster.properties, group: "g", instance: nil, topics: ["t"])
        defer { consumer.close() }
        let zero = KafkaTopicPartition("t", 0)
        let one = KafkaTopicPartition("t", 1)
        var driver = Driver(consumer)
        _ = try driver.run { driver, _ in !driver.assigned.isEmpty }
        for round in 0..<10 {
            try consumer.seek([zero: 0, one: 0])
            var seen = try driver.run { _, seen in seen.count > 200 * round }
            try consumer.pause([zero])
            let other = seen.count { $0.partition == one }
            let more = try driver.run { _, seen in other + seen.count >= 2000 }
            #expect(more.allSatisfy { $0.partition == one })
            try consumer.resume([zero])
            seen += more
            seen += try driver.run { [seen] _, later in seen.count + later.count >= 4000 }
            #expect(seen.filter { $0.partition == zero }.map(\.offset) == Array(0..<2000))
            #expect(seen.filter { $0.partition == one }.map(\.offset) == Array(0..<2000))
        }
    }
}
