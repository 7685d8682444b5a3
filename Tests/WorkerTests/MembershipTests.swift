import Events
import Loop
import PipelineTesting
import StreamRuntime
import StreamTesting
import Testing
import Worker

/// A member whose group never answers. Used on the test's thread.
private final class SilentConsumer: GroupConsumer, @unchecked Sendable {
    let topics: [String]
    private let clock: SimulatedClock
    var connectivityError: StreamError?

    init(_ topics: [String], _ clock: SimulatedClock) {
        self.topics = topics
        self.clock = clock
    }

    func poll(into batch: RecordBatch, maximum: Int, timeoutMilliseconds: Int) throws(StreamError) -> PollOutcome {
        clock.advance(by: Int64(max(1, timeoutMilliseconds)))
        return .idle
    }
    func assign(_ positions: [TopicPartition: Int64]) throws(StreamError) {}
    func unassign(_ partitions: [TopicPartition]) throws(StreamError) {}
    func committed(_ partitions: [TopicPartition]) throws(StreamError) -> [TopicPartition: GroupOffset] { [:] }
    func watermarks(_ partition: TopicPartition) throws(StreamError) -> (low: Int64, high: Int64) { (0, 0) }
    func seek(_ positions: [TopicPartition: Int64]) throws(StreamError) {}
    func pause(_ partitions: [TopicPartition]) throws(StreamError) {}
    func resume(_ partitions: [TopicPartition]) throws(StreamError) {}
    func close() {}
}

private struct SilentTransport: StreamTransport {
    let cluster: InMemoryCluster
    let consumer: SilentConsumer

    func makeConsumer(group: String, instance: String, topics: [String]) throws(StreamError) -> any GroupConsumer {
        consumer
    }
    func makeProducer(transactionalID: String) throws(StreamError) -> any TransactionalProducer {
        try cluster.makeProducer(transactionalID: transactionalID)
    }
    func makeReader(topics: [String]) throws(StreamError) -> any LogReader { try cluster.makeReader(topics: topics) }
    func clusterID() throws(StreamError) -> String { try cluster.clusterID() }
    func groupOffsets(
        _ group: String,
        _ partitions: [TopicPartition]
    ) throws(StreamError) -> [TopicPartition: GroupOffset] { try cluster.groupOffsets(group, partitions) }
}

@Suite("A member of a group that has not answered")
struct MembershipTests {
    private func task(_ pipeline: Pipeline, _ consumer: SilentConsumer) throws -> StreamTask {
        let clock = pipeline.clock
        return try StreamTask(
            transport: SilentTransport(cluster: pipeline.cluster, consumer: consumer),
            processor: try LoopProcessor(
                topics: pipeline.topics,
                transport: pipeline.cluster,
                worker: "w",
                tokens: .pipeline,
                now: { clock.now }
            ),
            group: "loop",
            instance: "w",
            transactionalID: "loop.w",
            topics: consumer.topics,
            policy: CommitPolicy(interval: 50),
            environment: StreamTaskEnvironment(
                now: { clock.now },
                pause: { clock.advance(by: $0) },
                jitter: { 0 }
            )
        )
    }

    private func attempt(_ task: StreamTask) -> StreamError? {
        do { try task.cycle() } catch { return error as? StreamError }
        return nil
    }

    /// Before: the member waited for ever, and was ready.
    @Test("A member without an answer joins again after two minutes, and is not ready meanwhile")
    func silent() throws {
        let pipeline = try Pipeline()
        let consumer = SilentConsumer([pipeline.topics[.journal]], pipeline.clock)
        let task = try task(pipeline, consumer)
        let began = pipeline.clock.now
        var error: StreamError?
        while error == nil, pipeline.clock.now - began < 1_000_000 {
            let waiting = WorkerHealth.waiting(since: task.waitsSince, hasJoined: false, at: pipeline.clock.now)
            #expect(waiting?.hasPrefix("waits") == true)
            error = attempt(task)
        }
        let waited = pipeline.clock.now - began
        #expect((120_000..<121_000).contains(waited), "\(waited) ms")
        #expect(error?.operation == "join the group" && error?.disposition == .retry)
    }

    @Test("While no broker answers no group can answer, and the wait begins when a broker does")
    func brokersDown() throws {
        let pipeline = try Pipeline()
        let consumer = SilentConsumer([pipeline.topics[.journal]], pipeline.clock)
        let task = try task(pipeline, consumer)
        consumer.connectivityError = StreamError(
            .retry,
            operation: "reach a broker",
            code: "_ALL_BROKERS_DOWN",
            reason: "down"
        )
        let began = pipeline.clock.now
        while pipeline.clock.now - began < 600_000 { try task.cycle() }
        consumer.connectivityError = nil
        let recoveredAt = pipeline.clock.now
        #expect(throws: StreamError.self) { while pipeline.clock.now - recoveredAt < 1_000_000 { try task.cycle() } }
        #expect(pipeline.clock.now - recoveredAt >= 120_000)
    }

    @Test("A member without a partition is ready to take over, and does not count as waiting")
    func standby() throws {
        let pipeline = try Pipeline()
        var runners: [ProcessorRunner] = []
        for number in 1...3 { runners.append(try pipeline.makeLoop(instance: "w\(number)")) }
        for _ in 0..<20 { for runner in runners { try runner.task.cycle() } }
        #expect(runners.map(\.task.assignment.isEmpty).filter { $0 }.count == 1, "two partitions, three members")
        #expect(runners.allSatisfy { $0.task.waitsSince == nil })
    }

    @Test("A worker stays ready during a rebalance of seconds, not during a longer one or before the first assignment")
    func readiness() {
        #expect(WorkerHealth.waiting(since: nil, hasJoined: false, at: 5) == nil)
        #expect(WorkerHealth.waiting(since: 0, hasJoined: false, at: 5) != nil)
        #expect(WorkerHealth.waiting(since: 0, hasJoined: true, at: 9_999) == nil)
        #expect(WorkerHealth.waiting(since: 0, hasJoined: true, at: 30_000)?.contains("30 s") == true)
    }
}
