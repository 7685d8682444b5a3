import StreamRuntime
import StreamTesting
import Testing

/// Copies each record of `in` to `out`, or writes only from timers; may start before the group's offset.
private final class CopyProcessor: Processor {
    private let start: Int64?
    private let writesOnTimer: Bool
    private var waiting = true

    init(start: Int64? = nil, writesOnTimer: Bool = false) {
        self.start = start
        self.writesOnTimer = writesOnTimer
    }

    func assigned(_ partitions: [TopicPartition], committed: [TopicPartition: Int64]) throws -> [TopicPartition: Int64]
    {
        partitions.reduce(into: [:]) { $0[$1] = start ?? committed[$1] ?? 0 }
    }

    func unassigned(_ partitions: [TopicPartition]) {}

    func process(_ batch: RecordBatch, topics: [String], into transaction: inout PendingTransaction) throws {
        for record in batch.records {
            transaction.write(OutputRecord(topic: "out", partition: 0, value: Array(record.value)))
            transaction.advance(TopicPartition(topics[record.topic], record.partition), to: record.offset + 1)
        }
    }

    func punctuate(now: Int64, into transaction: inout PendingTransaction) throws {
        guard writesOnTimer, waiting else { return }
        transaction.write(OutputRecord(topic: "out", partition: 0, value: Array("timer".utf8)))
    }

    func willCommit(into transaction: inout PendingTransaction) throws {}
    func committed() { waiting = false }
    func aborted() {}
}

@Suite("The commit cycle of a task")
struct StreamTaskTests {
    private func cluster(records count: Int) throws -> InMemoryCluster {
        let cluster = InMemoryCluster(clock: SimulatedClock())
        cluster.createTopic("in")
        cluster.createTopic("out")
        for number in 0..<count {
            try cluster.append(OutputRecord(topic: "in", partition: 0, value: Array("\(number)".utf8)))
        }
        return cluster
    }

    private func runner(
        _ cluster: InMemoryCluster,
        _ plan: FaultPlan = FaultPlan(),
        instance: String = "w1",
        start: Int64? = nil,
        writesOnTimer: Bool = false
    ) throws -> ProcessorRunner {
        try ProcessorRunner(cluster: cluster, plan: plan, group: "g", instance: instance, topics: ["in"]) { _ in
            CopyProcessor(start: start, writesOnTimer: writesOnTimer)
        }
    }

    /// Index of the first effect of the kind `operation` among the effects of `plan`.
    private func effect(_ operation: FaultPlan.Operation, of plan: FaultPlan) throws -> Int {
        try #require(plan.effects.firstIndex(of: operation))
    }

    private func copied(_ cluster: InMemoryCluster) -> [String] { cluster.committed("out").map(\.text) }

    @Test("After an abort a task seeks to where its processor started, not to the group's offset")
    func base() throws {
        let undisturbed = try cluster(records: 5)
        undisturbed.setOffset(3, of: TopicPartition("in", 0), group: "g")
        let counting = FaultPlan()
        try runner(undisturbed, counting, start: 0).settle()
        #expect(copied(undisturbed) == ["0", "1", "2", "3", "4"])
        for operation in [FaultPlan.Operation.send, .sendOffsets, .commit] {
            let cluster = try cluster(records: 5)
            cluster.setOffset(3, of: TopicPartition("in", 0), group: "g")
            let plan = FaultPlan(.init(try effect(operation, of: counting), .abortable))
            try runner(cluster, plan, start: 0).settle()
            #expect(plan.hasStruck)
            #expect(copied(cluster) == ["0", "1", "2", "3", "4"], "aborted at \(operation)")
        }
    }

    @Test("A transaction of timers alone sends offsets, so that a worker that has lost its partitions writes nothing")
    func timersAlone() throws {
        let cluster = try cluster(records: 0)
        cluster.setOffset(0, of: TopicPartition("in", 0), group: "g")
        let plan = FaultPlan()
        try runner(cluster, plan, writesOnTimer: true).settle()
        #expect(copied(cluster) == ["timer"])
        let ended = plan.effects.filter { $0 == .sendOffsets || $0 == .commit }
        #expect(ended == [.sendOffsets, .commit])
        // The first worker is suspended before it sends its timer's output; meanwhile its membership expires and
        // another worker is assigned the partition.
        let other = try self.cluster(records: 0)
        other.setOffset(0, of: TopicPartition("in", 0), group: "g")
        let number = try effect(.send, of: plan)
        let suspended = FaultPlan(suspendedAt: number) {
            other.expireMember("w1", of: "g")
            _ = try? self.runner(other, instance: "w2", writesOnTimer: true).settle()
        }
        let fenced = try runner(other, suspended, writesOnTimer: true)
        var refused = 0
        for _ in 0..<50 where refused == 0 {
            do { try fenced.task.cycle() } catch { refused += 1 }
            if fenced.events.contains(where: { if case .aborted = $0 { true } else { false } }) { refused += 1 }
        }
        #expect(refused > 0)
        #expect(copied(other) == ["timer"], "only the second worker's output is committed")
    }
}
