import KafkaClient
import KafkaTesting
import StreamRuntime
import Testing

@Suite("Readers on a broker", .serialized)
struct ReaderTests {
    private func readToEnd(
        _ reader: any LogReader,
        _ batch: RecordBatch
    ) throws -> (values: [String], partition: TopicPartition, offset: Int64)? {
        var values: [String] = []
        for _ in 0..<200 {
            switch try reader.poll(into: batch, maximum: 100, timeoutMilliseconds: 100) {
            case .idle: continue
            case .records: values += batch.records.map { Broker.text($0.value) }
            case .endOfPartition(let partition, let offset): return (values, partition, offset)
            }
        }
        return nil
    }

    @Test("The end of a partition is found past transaction markers, and equals the broker's high watermark")
    func endPastMarkers() throws {
        let topic = try Broker.makeTopics(1)[0]
        let partition = TopicPartition(topic, 0)
        let producer = try Broker.producer(Broker.makeName("id"))
        defer { producer.close() }
        for value in ["a", "b"] {
            try producer.begin()
            try producer.send([OutputRecord(topic: topic, partition: 0, value: Array(value.utf8))])
            try producer.commit()
        }
        let reader = try Broker.transport().makeReader(topics: [topic])
        defer { reader.close() }
        let batch = RecordBatch()
        try reader.start([partition: 0])
        let end = try #require(try readToEnd(reader, batch))
        #expect(end.values == ["a", "b"])
        #expect(end.offset == 4)
        let watermarks = try reader.watermarks(partition)
        #expect(watermarks.low == 0 && watermarks.high == 4)
        // The reader starts at the end, between markers, and before a record again.
        try reader.start([partition: 4])
        #expect(try #require(try readToEnd(reader, batch)).offset == 4)
        try reader.start([partition: 3])
        #expect(try #require(try readToEnd(reader, batch)).values == [])
        try reader.start([partition: 1])
        #expect(try #require(try readToEnd(reader, batch)).values == ["b"])
    }

    @Test("The high watermark includes records of an open transaction, which the reader does not deliver")
    func openTransaction() throws {
        let topic = try Broker.makeTopics(1)[0]
        let partition = TopicPartition(topic, 0)
        let producer = try Broker.producer(Broker.makeName("id"))
        defer { producer.close() }
        try producer.begin()
        try producer.send([OutputRecord(topic: topic, partition: 0, value: [0x61])])
        let reader = try Broker.transport().makeReader(topics: [topic])
        defer { reader.close() }
        let end = ContinuousClock.now + .seconds(10)
        while try reader.watermarks(partition).high < 1, ContinuousClock.now < end {}
        try reader.start([partition: 0])
        let batch = RecordBatch()
        let found = try #require(try readToEnd(reader, batch))
        #expect(found.values == [] && found.offset == 0)
        try producer.commit()
        #expect(try #require(try readToEnd(reader, batch)).values == ["a"])
    }

    @Test("A record keeps the time given to it; without one it has the time at which it was sent")
    func times() throws {
        let topic = try Broker.makeTopics(1)[0]
        let given: Int64 = 1_700_000_000_000
        let producer = try KafkaProducer(properties: Broker.get().properties)
        defer { producer.close() }
        for time in [given, nil] {
            try producer.send(KafkaOutputRecord(topic: topic, partition: 0, value: [0x61], timestamp: time))
        }
        #expect(try producer.flush(timeoutMilliseconds: 60_000) == [])
        let reader = try Broker.transport().makeReader(topics: [topic])
        defer { reader.close() }
        let batch = RecordBatch()
        try reader.start([TopicPartition(topic, 0): 0])
        var times: [Int64] = []
        for _ in 0..<200 where times.count < 2 {
            guard case .records = try reader.poll(into: batch, maximum: 100, timeoutMilliseconds: 100) else { continue }
            times += batch.records.map(\.timestamp)
        }
        #expect(times.first == given)
        #expect(times.last.map { $0 > given } == true)
    }

    @Test("A restarted reader delivers from the new position, and no records of before")
    func startedAgain() throws {
        let topic = try Broker.makeTopics(1)[0]
        try Broker.write(0..<20_000, to: topic, size: 100)
        let reader = try Broker.transport().makeReader(topics: [topic])
        defer { reader.close() }
        let batch = RecordBatch()
        for round in 0..<20 {
            let start = Int64((round * 7919) % 19_000)
            try reader.start([TopicPartition(topic, 0): start])
            var next = start
            while next < start + 500 {
                guard try reader.poll(into: batch, maximum: 300, timeoutMilliseconds: 2000) == .records else { break }
                for record in batch.records {
                    #expect(record.offset == next)
                    next = record.offset + 1
                }
            }
            #expect(next >= start + 500)
        }
    }

    @Test("Headers and nulls arrive as they were sent")
    func headers() throws {
        let topic = try Broker.makeTopics(1)[0]
        let producer = try Broker.producer(Broker.makeName("id"))
        defer { producer.close() }
        let headers = [RecordHeader("a", "1"), RecordHeader("a", nil), RecordHeader("b", [])]
        try producer.begin()
        try producer.send([
            OutputRecord(topic: topic, partition: 0, key: [1], value: nil, headers: headers),
            OutputRecord(topic: topic, partition: 0, key: nil, value: []),
        ])
        try producer.commit()
        let reader = try Broker.transport().makeReader(topics: ["unused", topic])
        defer { reader.close() }
        try reader.start([TopicPartition(topic, 0): 0])
        let batch = RecordBatch()
        #expect(try reader.poll(into: batch, maximum: 10, timeoutMilliseconds: 5000) == .records)
        let first = try #require(batch.records.first)
        #expect(first.topic == 1 && first.value.baseAddress == nil && Array(first.key) == [1])
        #expect(batch.headers(at: 0) == headers)
        #expect(batch.records.count == 2)
        #expect(batch.records[1].value.baseAddress != nil && batch.records[1].key.baseAddress == nil)
    }
}
