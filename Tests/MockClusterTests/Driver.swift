import KafkaClient
import KafkaTesting
import Testing

/// The content of a record, kept after its batch is reused.
struct ReadRecord: Hashable {
    let partition: KafkaTopicPartition
    let offset: Int64
    let value: String?
}

/// Polls on behalf of a test, answers rebalances, and collects records.
struct Driver {
    let consumer: KafkaConsumer
    var assigned: [KafkaTopicPartition] = []
    var outcomes: [KafkaPollOutcome] = []

    init(_ consumer: KafkaConsumer) { self.consumer = consumer }

    /// Polls until `isDone` or a timeout; partitions start at their committed offset, or at 0.
    mutating func run(
        milliseconds: Int = 20_000,
        until isDone: (_ driver: Driver, _ seen: [ReadRecord]) -> Bool
    ) throws -> [ReadRecord] {
        let end = ContinuousClock.now + .milliseconds(milliseconds)
        var seen: [ReadRecord] = []
        while !isDone(self, seen) {
            guard ContinuousClock.now < end else {
                Issue.record("not done after \(milliseconds) ms: \(seen.count) records, \(assigned), \(outcomes)")
                break
            }
            let outcome = try consumer.poll(maximum: 500, timeoutMilliseconds: 50)
            if outcome != .idle, outcome != .records { outcomes.append(outcome) }
            switch outcome {
            case .idle: break
            case .records: seen += collect()
            case .assigned(let partitions):
                let committed = try consumer.committedOffsets(partitions)
                assigned = partitions
                try consumer.assign(
                    Dictionary(uniqueKeysWithValues: partitions.map { ($0, committed[$0] ?? 0) })
                )
            case .revoked, .lost:
                assigned = []
                try consumer.unassign()
            }
        }
        return seen
    }

    private func collect() -> [ReadRecord] {
        consumer.records.map { record in
            ReadRecord(
                partition: KafkaTopicPartition(consumer.topics[record.topic], record.partition),
                offset: record.offset,
                value: record.value.baseAddress == nil ? nil : String(decoding: record.value, as: UTF8.self)
            )
        }
    }
}

/// Writes numbered records, spread over partitions, and waits until they are delivered.
func write(_ range: Range<Int>, to topic: String, partitions: Int = 1, properties: KafkaProperties) throws {
    let producer = try KafkaProducer(properties: properties)
    defer { producer.close() }
    for number in range {
        let partition = Int32(number % partitions)
        try producer.send(KafkaOutputRecord(topic: topic, partition: partition, value: Array("\(number)".utf8)))
    }
    #expect(try producer.flush(timeoutMilliseconds: 20_000) == [])
}

/// The error that `body` throws; nil if it throws none, or one of another type.
func failure(_ body: () throws -> Void) -> KafkaError? {
    do {
        try body()
        return nil
    } catch {
        return error as? KafkaError
    }
}
