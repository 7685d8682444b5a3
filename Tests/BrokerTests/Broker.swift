import Foundation
import KafkaClient
import KafkaTesting
import KafkaTransport
import StreamRuntime
import Testing

/// The broker that all tests of this process share.
enum Broker {
    static var isNoida: Bool { (try? BrokerProcess.shared.get())?.isNoida ?? false }

    /// Whether this process started the broker, and may stop it.
    static var isOurs: Bool { (try? BrokerProcess.shared.get())?.directory != nil }

    static let noidaLacks: Comment = "noida-db does not carry this; Apache Kafka does"

    static func get() throws -> BrokerProcess { try BrokerProcess.shared.get() }

    /// Creates topics under names that no other test uses, and returns the names.
    static func makeTopics(_ count: Int, partitions: Int = 1) throws -> [String] {
        let admin = try KafkaAdmin(properties: get().properties)
        defer { admin.close() }
        let names = (0..<count).map { "t\($0)-\(UUID().uuidString.prefix(8))" }
        let created = try admin.createTopics(names.map { KafkaTopicSpecification(name: $0, partitions: partitions) })
        #expect(Set(created) == Set(names))
        return names
    }

    static func makeName(_ prefix: String) -> String { "\(prefix)-\(UUID().uuidString.prefix(8))" }

    static func transport(_ extra: KafkaProperties = [:]) throws -> any StreamTransport {
        KafkaStreamTransport(properties: try get().properties.merging(extra))
    }

    static func producer(_ id: String, _ extra: KafkaProperties = [:]) throws -> any TransactionalProducer {
        let producer = try transport(extra).makeProducer(transactionalID: id)
        try producer.initializeTransactions()
        return producer
    }

    /// Writes numbers into partition `number % partitions` without transactions.
    static func write(_ range: Range<Int>, to topic: String, partitions: Int = 1, size: Int = 0) throws {
        let producer = try KafkaProducer(properties: get().properties)
        defer { producer.close() }
        let padding = [UInt8](repeating: 0x20, count: size)
        for number in range {
            let value = Array("\(number)".utf8) + padding
            try producer.send(
                KafkaOutputRecord(topic: topic, partition: Int32(number % partitions), value: value)
            )
        }
        #expect(try producer.flush(timeoutMilliseconds: 60_000) == [])
    }

    /// The values of all committed records of a topic, read from the beginning to the end.
    static func committed(_ topic: String) throws -> [String] {
        let reader = try transport().makeReader(topics: [topic])
        defer { reader.close() }
        let partitions = try reader.partitions(of: topic).map { TopicPartition(topic, $0) }
        try reader.start(Dictionary(uniqueKeysWithValues: partitions.map { ($0, 0) }))
        let batch = RecordBatch()
        var values: [String] = []
        var ended: Set<TopicPartition> = []
        let end = ContinuousClock.now + .seconds(30)
        while ended.count < partitions.count {
            guard ContinuousClock.now < end else {
                Issue.record("no end of \(topic) within 30 s")
                break
            }
            switch try reader.poll(into: batch, maximum: 10_000, timeoutMilliseconds: 500) {
            case .idle: break
            case .records: values += batch.records.map { text($0.value) }
            case .endOfPartition(let partition, _): ended.insert(partition)
            }
        }
        return values
    }

    static func text(_ bytes: UnsafeRawBufferPointer) -> String {
        String(String(decoding: bytes, as: UTF8.self).prefix { $0 != " " })
    }
}

/// The error that `body` throws.
func failure(_ body: () throws -> Void) -> StreamError? {
    do {
        try body()
        return nil
    } catch {
        return error as? StreamError
    }
}

/// A record that was read, kept after the batch has been freed.
struct ReadRecord: Hashable {
    let partition: TopicPartition
    let offset: Int64
    let value: String
}

/// A group member that answers rebalances with the committed offsets, and records the outcomes of polls.
final class Member {
    let consumer: any GroupConsumer
    private(set) var assigned: [TopicPartition] = []
    private(set) var outcomes: [PollOutcome] = []
    let batch = RecordBatch()

    init(_ consumer: any GroupConsumer) { self.consumer = consumer }

    /// Polls once and returns the records that it read; a failure that may be retried is left to the next poll, as by a
    /// worker.
    func poll(maximum: Int = 1000, milliseconds: Int = 50) throws -> [ReadRecord] {
        let outcome: PollOutcome
        do throws(StreamError) {
            outcome = try consumer.poll(into: batch, maximum: maximum, timeoutMilliseconds: milliseconds)
        } catch {
            guard error.disposition == .retry else { throw error }
            return []
        }
        switch outcome {
        case .idle: return []
        case .records:
            return batch.records.map {
                ReadRecord(
                    partition: TopicPartition(consumer.topics[$0.topic], $0.partition),
                    offset: $0.offset,
                    value: Broker.text($0.value)
                )
            }
        case .assigned(let partitions):
            outcomes.append(outcome)
            let committed = try consumer.committedOffsets(partitions)
            assigned = partitions
            try consumer.assign(Dictionary(uniqueKeysWithValues: partitions.map { ($0, committed[$0] ?? 0) }))
        case .revoked(let partitions), .lost(let partitions):
            outcomes.append(outcome)
            assigned = []
            try consumer.unassign(partitions)
        }
        return []
    }

    /// Polls until `isDone` holds for the records that were read, for at most 30 s.
    func run(maximum: Int = 1000, until isDone: ([ReadRecord]) -> Bool) throws -> [ReadRecord] {
        let end = ContinuousClock.now + .seconds(30)
        var seen: [ReadRecord] = []
        while !isDone(seen) {
            guard ContinuousClock.now < end else {
                Issue.record("not done after 30 s: \(seen.count) records, \(assigned), \(outcomes)")
                break
            }
            seen += try poll(maximum: maximum)
        }
        return seen
    }
}
