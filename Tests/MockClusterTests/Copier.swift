import Foundation
import KafkaClient
import KafkaTesting
import KafkaTransport
import StreamRuntime
import Testing

/// Copies `in` to `out`, and remembers the committed values.
final class CopyProcessor: Processor {
    private let output: String
    private var inTransaction: [String] = []
    private(set) var copied: Set<String> = []

    init(output: String) { self.output = output }

    func assigned(_ partitions: [TopicPartition], committed: [TopicPartition: Int64]) throws -> [TopicPartition: Int64]
    {
        committed
    }
    func unassigned(_ partitions: [TopicPartition]) { inTransaction.removeAll() }
    func process(_ batch: RecordBatch, topics: [String], into transaction: inout PendingTransaction) throws {
        for record in batch.records {
            transaction.write(OutputRecord(topic: output, partition: 0, value: Array(record.value)))
            transaction.advance(TopicPartition(topics[record.topic], record.partition), to: record.offset + 1)
            inTransaction.append(String(decoding: record.value, as: UTF8.self))
        }
    }
    func punctuate(now: Int64, into transaction: inout PendingTransaction) throws {}
    func willCommit(into transaction: inout PendingTransaction) throws {}
    func committed() {
        copied.formUnion(inTransaction)
        inTransaction.removeAll()
    }
    func aborted() { inTransaction.removeAll() }
}

/// A stream task over a mock cluster, whose cycles the test runs, with its events.
final class Copier {
    let cluster: MockCluster
    let processor = CopyProcessor(output: "out")
    private(set) var events: [StreamTaskEvent] = []
    private(set) var task: StreamTask?
    private var written = 0
    private let log = EventLog()
    private let writer: KafkaProducer

    private final class EventLog { var events: [StreamTaskEvent] = [] }

    private var runCount = 0

    init(brokers: Int = 1) throws {
        cluster = try MockCluster(brokers: brokers)
        try cluster.createTopic("in")
        try cluster.createTopic("out")
        writer = try KafkaProducer(properties: cluster.properties)
    }

    deinit {
        task?.abandon()
        writer.close()
    }

    /// Begins a new run of the task, as a worker does, in a group of its own: the mock cluster keeps no offsets
    /// that were sent in a transaction, and would wait for the old member's session.
    func begin() throws {
        runCount += 1
        let properties = cluster.properties.merging([
            "session.timeout.ms": "6000", "heartbeat.interval.ms": "200", "fetch.wait.max.ms": "50",
            "topic.metadata.refresh.interval.ms": "300",
        ])
        task = try StreamTask(
            transport: KafkaStreamTransport(properties: properties),
            processor: processor,
            group: "g\(runCount)",
            instance: "w",
            transactionalID: "w",
            topics: ["in"],
            policy: CommitPolicy(interval: 10),
            environment: StreamTaskEnvironment(
                now: { Int64(Date().timeIntervalSince1970 * 1_000) },
                pause: { Thread.sleep(forTimeInterval: Double($0) / 1_000) },
                jitter: { Double.random(in: 0..<1) },
                observe: { [log] in log.events.append($0) }
            )
        )
    }

    func end() {
        task?.abandon()
        task = nil
    }

    /// Removes and returns the events that the task reported since the last call.
    func takeEvents() -> [StreamTaskEvent] {
        defer { log.events.removeAll() }
        return log.events
    }

    /// Writes `count` records to `in` and returns their values.
    func write(_ count: Int = 5) throws -> Set<String> {
        let values = (written..<written + count).map { "\($0)" }
        written += count
        for value in values { try writer.send(KafkaOutputRecord(topic: "in", partition: 0, value: Array(value.utf8))) }
        #expect(try writer.flush(timeoutMilliseconds: 20_000) == [])
        return Set(values)
    }

    /// Cycles until `isDone`, and returns false if `seconds` pass before. Rethrows errors of the task.
    func run(seconds: Double = 25, until isDone: () -> Bool) throws -> Bool {
        let end = Date() + seconds
        while !isDone() {
            guard Date() < end, let task else { return false }
            try task.cycle()
        }
        return true
    }

    /// All committed values of `out`.
    func output() throws -> [String] {
        let reader = try KafkaReader(properties: cluster.properties, topics: ["out"])
        defer { reader.close() }
        let topicPartition = KafkaTopicPartition("out", 0)
        let high = try reader.watermarks(topicPartition).high
        try reader.start([topicPartition: 0])
        var values: [String] = []
        let end = Date() + 20
        while values.count < Int(high), Date() < end {
            guard case .records = try reader.poll(maximum: 10_000, timeoutMilliseconds: 100) else { continue }
            values += reader.records.map { String(decoding: $0.value, as: UTF8.self) }
        }
        return values
    }
}
