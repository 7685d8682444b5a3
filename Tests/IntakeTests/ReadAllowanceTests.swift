import EngineCore
import Events
import Intake
import PipelineTesting
import StreamRuntime
import StreamTesting
import Synchronization
import Testing
import Vocabulary

/// A transport whose readers take some time to find the end of `projects`.
private struct SlowTransport: StreamTransport {
    let transport: any StreamTransport
    let topic: String
    let clock: SimulatedClock
    let delay: Int64
    let scans: ScanCounter

    final class ScanCounter: Sendable {
        let count = Mutex(0)
    }

    func makeConsumer(group: String, instance: String, topics: [String]) throws(StreamError) -> any GroupConsumer {
        try transport.makeConsumer(group: group, instance: instance, topics: topics)
    }
    func makeProducer(transactionalID: String) throws(StreamError) -> any TransactionalProducer {
        try transport.makeProducer(transactionalID: transactionalID)
    }
    func makeReader(topics: [String]) throws(StreamError) -> any LogReader {
        SlowReader(reader: try transport.makeReader(topics: topics), slow: self)
    }
    func clusterID() throws(StreamError) -> String { try transport.clusterID() }
    func groupOffsets(
        _ group: String,
        _ partitions: [TopicPartition]
    ) throws(StreamError) -> [TopicPartition: GroupOffset] { try transport.groupOffsets(group, partitions) }
}

private final class SlowReader: LogReader {
    private let reader: any LogReader
    private let slow: SlowTransport

    init(reader: any LogReader, slow: SlowTransport) {
        self.reader = reader
        self.slow = slow
    }

    var topics: [String] { reader.topics }
    func partitions(of topic: String) throws(StreamError) -> [Int32] { try reader.partitions(of: topic) }
    func start(_ positions: [TopicPartition: Int64]) throws(StreamError) { try reader.start(positions) }
    func poll(into batch: RecordBatch, maximum: Int, timeoutMilliseconds: Int) throws(StreamError) -> ReadOutcome {
        try reader.poll(into: batch, maximum: maximum, timeoutMilliseconds: timeoutMilliseconds)
    }
    func watermarks(_ partition: TopicPartition) throws(StreamError) -> (low: Int64, high: Int64) {
        try reader.watermarks(partition)
    }
    func ends(of partitions: [TopicPartition], stable: Bool) throws(StreamError) -> [TopicPartition: Int64] {
        if partitions.contains(where: { $0.topic == slow.topic }) {
            slow.scans.count.withLock { $0 += 1 }
            slow.clock.advance(by: slow.delay)
        }
        return try reader.ends(of: partitions, stable: stable)
    }
    func close() { reader.close() }
}

@Suite("Reads of `projects` for a project that is not known")
struct ReadAllowanceTests {
    private func intake(_ pipeline: Pipeline, delay: Int64) throws -> (runner: ProcessorRunner, scans: () -> Int) {
        let scans = SlowTransport.ScanCounter()
        let (topics, clock) = (pipeline.topics, pipeline.clock)
        let runner = try ProcessorRunner(
            cluster: pipeline.cluster,
            group: "intake",
            instance: "w1",
            topics: IntakeProcessor.inputs.map { topics[$0] }
        ) { transport in
            let slow = SlowTransport(
                transport: transport,
                topic: topics[.projects],
                clock: clock,
                delay: delay,
                scans: scans
            )
            return IntakeProcessor(
                topics: topics,
                directory: try ProjectDirectory(transport: slow, topics: topics, now: { clock.now }),
                salt: [1, 2, 3],
                tokens: .pipeline,
                worker: "w1",
                partitionCount: 2,
                now: { clock.now }
            )
        }
        return (runner, { scans.count.withLock { $0 } })
    }

    /// Before: each unknown project waited for a scan, 400 s in all.
    @Test("An endless series of unknown projects uses at most a fifth of the time, and known ones continue")
    func flood() throws {
        let pipeline = try Pipeline()
        let (runner, scans) = try intake(pipeline, delay: 1_000)
        try pipeline.send(.annotations, Wire.annotation("t", "a", .skip))
        try runner.settle()
        let (began, before) = (pipeline.clock.now, scans())
        for number in 0..<400 {
            try pipeline.send(.annotations, Array(#"{"project":"nowhere-\#(number)"}"#.utf8))
            try pipeline.send(.annotations, Wire.annotation("t\(number)", "a", .skip))
            try runner.settle()
            pipeline.clock.advance(by: 100)
        }
        let (passed, spent) = (pipeline.clock.now - began, Int64(scans() - before) * 1_000)
        print("\(scans() - before) scans of 1 s in \(passed / 1_000) s")
        #expect(spent <= 6_000 + passed / 5, "\(spent) of \(passed) ms")
        #expect(scans() - before >= 5)
        let counts = try #require(runner.processor as? IntakeProcessor).counts
        #expect(counts.accepted == 401 && counts.dead["unknown_project"] == 400)
    }

    @Test("Several unknown projects at one time share a scan, and a project that was just applied is found")
    func shared() throws {
        let pipeline = try Pipeline()
        let (runner, scans) = try intake(pipeline, delay: 500)
        try runner.settle()
        let before = scans()
        for number in 0..<50 { try pipeline.send(.annotations, Array(#"{"project":"nowhere-\#(number)"}"#.utf8)) }
        try runner.settle()
        // Two partitions: their records are read in two batches at most.
        #expect((1...2).contains(scans() - before), "\(scans() - before)")
    }
}
