import Foundation
import KafkaClient
import KafkaTesting
import KafkaTransport
import StreamRuntime
import StreamTesting
import Testing

/// An implementation of the ports, to which the laws are applied.
enum Port: CustomStringConvertible, CaseIterable, Sendable {
    case memory, kafka

    /// The in-memory cluster, and Kafka if there is a broker.
    static let available: [Port] = {
        do {
            _ = try BrokerProcess.shared.get()
            return [.memory, .kafka]
        } catch {
            print("the laws of the ports are tested in memory only, there is no broker: \(error)")
            return [.memory]
        }
    }()

    /// Available ports with transactions as isolated as Kafka's; those of noida-db are not.
    static let isolating: [Port] = available.filter { $0 == .memory || !isNoida }

    /// Whether two headers of a record may have the same name.
    var keepsHeadersOfOneName: Bool { self == .memory || !Self.isNoida }

    private static var isNoida: Bool { (try? BrokerProcess.shared.get())?.isNoida ?? false }

    var description: String {
        switch self {
        case .memory: "memory"
        case .kafka: (try? BrokerProcess.shared.get())?.kind ?? "kafka"
        }
    }

    /// Opens a cluster whose transactions may stay open for at most `timeout` milliseconds.
    func open(transactionTimeout timeout: Int = 10_000) throws -> Cluster {
        switch self {
        case .memory: return Cluster(memory: InMemoryCluster(transactionTimeout: Int64(timeout)))
        case .kafka:
            let properties = try BrokerProcess.shared.get().properties
            return Cluster(properties: properties.merging(["transaction.timeout.ms": "\(timeout)"]))
        }
    }
}

/// A cluster under test.
final class Cluster {
    let transport: any StreamTransport
    private let memory: InMemoryCluster?
    private let properties: KafkaProperties?

    init(memory: InMemoryCluster) {
        transport = memory
        self.memory = memory
        properties = nil
    }

    init(properties: KafkaProperties) {
        transport = KafkaStreamTransport(properties: properties)
        memory = nil
        self.properties = properties
    }

    func name(_ prefix: String) -> String { "\(prefix)-\(UUID().uuidString.prefix(8))" }

    /// A topic that no other test uses.
    func makeTopic(partitions: Int = 1, maximumBytes: Int = 1_048_588) throws -> String {
        let topic = name("law")
        if let memory {
            memory.createTopic(topic, partitions: partitions, maximumBytes: maximumBytes)
        } else if let properties {
            let admin = try KafkaAdmin(properties: properties)
            defer { admin.close() }
            let settings = ["max.message.bytes": "\(maximumBytes)", "message.timestamp.type": "LogAppendTime"]
            _ = try admin.createTopics([
                KafkaTopicSpecification(name: topic, partitions: partitions, replication: 1, configuration: settings)
            ])
        }
        return topic
    }

    func producer(_ id: String) throws -> any TransactionalProducer {
        let producer = try transport.makeProducer(transactionalID: id)
        try producer.initializeTransactions()
        return producer
    }

    /// Writes records in one transaction, with a producer made for it.
    func write(_ records: [OutputRecord]) throws {
        let producer = try producer(name("writer"))
        defer { producer.close() }
        try producer.begin()
        try producer.send(records)
        try producer.commit()
    }

    func member(_ group: String, _ instance: String, _ topics: [String]) throws -> Member {
        Member(try transport.makeConsumer(group: group, instance: instance, topics: topics))
    }

    /// The records that a new reader delivers of a partition up to its current end, and the offset of that end.
    func scan(_ topicPartition: TopicPartition) throws -> (records: [ReadRecord], end: Int64) {
        let reader = try transport.makeReader(topics: [topicPartition.topic])
        defer { reader.close() }
        try reader.start([topicPartition: 0])
        let batch = RecordBatch()
        var kept: [ReadRecord] = []
        let deadline = ContinuousClock.now + .seconds(20)
        while ContinuousClock.now < deadline {
            switch try reader.poll(into: batch, maximum: 1_000, timeoutMilliseconds: 100) {
            case .idle: break
            case .records: kept += ReadRecord.all(batch)
            case .endOfPartition(_, let end): return (kept, end)
            }
        }
        Issue.record("no end of \(topicPartition) within 20 s")
        return (kept, -1)
    }
}

/// A record kept after its batch has been freed.
struct ReadRecord: Hashable {
    let partition: Int32
    let offset: Int64
    let timestamp: Int64
    let key: [UInt8]?
    let value: [UInt8]?
    let headers: [RecordHeader]

    var text: String { String(decoding: value ?? [], as: UTF8.self) }

    static func all(_ batch: RecordBatch) -> [ReadRecord] {
        batch.records.enumerated().map { index, record in
            ReadRecord(
                partition: record.partition,
                offset: record.offset,
                timestamp: record.timestamp,
                key: record.key.baseAddress == nil ? nil : Array(record.key),
                value: record.value.baseAddress == nil ? nil : Array(record.value),
                headers: batch.headers(at: index)
            )
        }
    }
}

/// A group member that answers rebalances with the committed offsets, and keeps the records that it reads.
final class Member {
    let consumer: any GroupConsumer
    private(set) var assigned: [TopicPartition] = []
    private(set) var outcomes: [PollOutcome] = []
    private(set) var seen: [ReadRecord] = []
    private let batch = RecordBatch()

    init(_ consumer: any GroupConsumer) { self.consumer = consumer }

    func poll() throws {
        let outcome: PollOutcome
        do throws(StreamError) {
            outcome = try consumer.poll(into: batch, maximum: 1_000, timeoutMilliseconds: 50)
        } catch {
            // As a worker, which polls again.
            guard error.disposition == .retry else { throw error }
            return
        }
        switch outcome {
        case .idle: return
        case .records: seen += ReadRecord.all(batch)
        case .assigned(let partitions):
            let committed = try consumer.committedOffsets(partitions)
            assigned = partitions.sorted()
            try consumer.assign(Dictionary(uniqueKeysWithValues: partitions.map { ($0, committed[$0] ?? 0) }))
        case .revoked(let partitions), .lost(let partitions):
            assigned = []
            try consumer.unassign(partitions)
        }
        if outcome != .records { outcomes.append(outcome) }
    }

    func forget() { seen = [] }
}

/// Polls the members in order until a condition holds, for at most 30 s.
func poll(_ members: [Member], until isDone: () -> Bool) throws {
    let deadline = ContinuousClock.now + .seconds(30)
    while !isDone() {
        guard ContinuousClock.now < deadline else {
            Issue.record("not done after 30 s: \(members.map(\.assigned)) \(members.map(\.outcomes))")
            return
        }
        for member in members { try member.poll() }
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

func record(_ topic: String, _ text: String, partition: Int32 = 0) -> OutputRecord {
    OutputRecord(topic: topic, partition: partition, value: Array(text.utf8))
}
