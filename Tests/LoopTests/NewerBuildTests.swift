import EngineCore
import Events
import Flywheel
import Loop
import Operations
import PipelineTesting
import StreamRuntime
import StreamTesting
import Tables
import Testing
import Vocabulary

/// Two partitions with a project each; the journal of the first receives an entry that only a newer build can read.
@Suite("Entries of a newer build")
struct NewerBuildTests {
    private static let other = "stars"
    static let entries = [
        #"{"v":2,"kind":"tick","project":"shapes","entry":{"entry_number":1,"chain":""}}"#,
        #"{"v":2,"kind":"gold","project":"shapes","entry":{}}"#,
        // These do not state a newer form, or resemble no known entry.
        #"{"v":1,"kind":"gold","project":"shapes","entry":{}}"#,
        #"{"v":7,"kind":"gold","for":["shapes"]}"#,
    ]
    private let recording: Recording
    private let topicPartition = TopicPartition("t.journal", Scenario.partition)
    private var otherPartition: Int32 { 1 - Scenario.partition }

    init() throws { recording = try Recording(seed: 2, rounds: 6) }

    private func append(_ pipeline: Pipeline, _ value: some Sequence<UInt8>, at time: Int64? = nil) throws {
        let key = Array(Scenario.project.rawValue.utf8)
        let record = OutputRecord(
            topic: topicPartition.topic,
            partition: topicPartition.partition,
            key: key,
            value: Array(value)
        )
        try pipeline.cluster.append(record, at: time ?? pipeline.clock.now)
    }

    /// The journal of a project with `count` entries, then `entry` unless it is nil, then the remaining entries, and
    /// the journal of another project in the other partition.
    private func pipeline(_ entry: String?, after count: Int) throws -> Pipeline {
        let pipeline = try Pipeline(configuration: recording.configuration)
        for (number, record) in recording.records.enumerated() {
            if number == count, let entry { try append(pipeline, entry.utf8, at: record.timestamp) }
            try append(pipeline, record.value ?? [], at: record.timestamp)
            let twin = record.text.replacing(Scenario.project.rawValue, with: Self.other)
            let copy = OutputRecord(
                topic: topicPartition.topic,
                partition: otherPartition,
                key: Array(Self.other.utf8),
                value: Array(twin.utf8)
            )
            try pipeline.cluster.append(copy, at: record.timestamp)
        }
        pipeline.clock.set(to: recording.records.last?.timestamp ?? pipeline.clock.now)
        return pipeline
    }

    private func decisions(_ pipeline: Pipeline, of name: String) -> [WrittenDecision] {
        pipeline.decisions().filter { $0.id.hasPrefix(name + "-") && !$0.id.contains("-paused-") }
    }

    private func entryNumbers(_ processor: any Processor) -> [String: UInt64] {
        var numbers: [String: UInt64] = [:]
        (processor as? LoopProcessor)?.forEachProject {
            numbers[$0.state.project.rawValue] = $0.state.position.value.entryNumber
        }
        return numbers
    }

    @Test(
        "An entry of a newer build stops its partition without a dead letter, and the other partitions continue",
        arguments: entries,
        [0, 40]
    )
    func stops(entry: String, count: Int) throws {
        let undisturbed = try pipeline(nil, after: 0)
        try undisturbed.makeLoop(now: { 0 }).settle()
        let pipeline = try pipeline(entry, after: count)
        var reported: [PartitionStop] = []
        for _ in 0..<2 {
            let runner = try pipeline.makeLoop(policy: CommitPolicy(interval: 0, batchSize: 30), now: { 0 })
            (runner.processor as? LoopProcessor)?.stopped = { reported.append($0) }
            try runner.settle()
            let stop = try #require((runner.processor as? LoopProcessor)?.stops.first)
            #expect(stop.partition == Scenario.partition && stop.offset == Int64(count))
            #expect(stop.text.contains("newer build") && stop.text.contains("upgrade this worker"))
            #expect(entryNumbers(runner.processor)[Scenario.project.rawValue] ?? 0 == UInt64(count))
            // The next owner of the partition stops at the same offset.
            runner.task.close()
        }
        #expect(reported.count == 2, "told once by each")
        let offsets = pipeline.cluster.offsets(of: "loop")
        #expect(offsets[topicPartition] ?? 0 == Int64(count))
        // After the recorded entries, the loop of the other partition has appended the build that decides from here on.
        #expect(offsets[TopicPartition(topicPartition.topic, otherPartition)] == Int64(recording.records.count + 1))
        #expect(pipeline.cluster.committed(pipeline.topics[.deadLetters]).isEmpty)
        #expect(decisions(pipeline, of: Self.other) == decisions(undisturbed, of: Self.other))
        let found = decisions(pipeline, of: Scenario.project.rawValue)
        let expected = decisions(undisturbed, of: Scenario.project.rawValue)
        #expect(found == expected.filter { $0.entryNumber <= count })
        #expect(count == 0 || !found.isEmpty && found.count < expected.count)
    }

    @Test("A stopped partition writes no ticks, and new entries of it are left for the newer build")
    func quiet() throws {
        let pipeline = try pipeline(Self.entries[1], after: 40)
        let runner = try pipeline.makeLoop()
        try runner.settle()
        let written = pipeline.cluster.committed(topicPartition.topic, topicPartition.partition).count
        for record in recording.records.suffix(10) {
            pipeline.clock.advance(by: 3_600_000)
            try append(pipeline, record.value ?? [])
            try runner.settle()
        }
        #expect(pipeline.cluster.committed(topicPartition.topic, topicPartition.partition).count == written + 10)
        #expect(pipeline.cluster.offsets(of: "loop")[topicPartition] == 40)
        #expect(
            pipeline.cluster.committed(topicPartition.topic, otherPartition).count > recording.records.count,
            "it ticks"
        )
    }

    @Test("Wherever the loop fails, it stops at the same entry and has decided all earlier ones", arguments: [40])
    func faults(count: Int) throws {
        func perform(_ step: FaultPlan.Step?) throws -> (Pipeline, FaultPlan) {
            let pipeline = try pipeline(Self.entries[1], after: count)
            let policy = CommitPolicy(interval: 0, batchSize: 30)
            let plan = try settle(pipeline, group: "loop", step, successor: .itself) { plan, instance in
                try pipeline.makeLoop(plan, instance: instance, policy: policy, now: { 0 })
            }
            return (pipeline, plan)
        }
        let (undisturbed, plan) = try perform(nil)
        let expected = Set(undisturbed.decisions())
        for step in FaultPlan.steps(plan.effects, [.crash, .abortable, .fatal]) {
            let (pipeline, plan) = try perform(step)
            let isSame = Set(pipeline.decisions()) == expected && pipeline.decisions().count == expected.count
            #expect(plan.hasStruck && isSame, "\(step)")
            #expect(pipeline.cluster.offsets(of: "loop")[topicPartition] == Int64(count), "\(step)")
        }
    }

    @Test("Replay and explain refuse a journal that they cannot read; entries after the loop's offset are only pending")
    func commands() throws {
        let pipeline = try pipeline(Self.entries[1], after: 40)
        try pipeline.makeLoop(now: { 0 }).settle()
        let replay = Replay(transport: pipeline.cluster, topics: pipeline.topics)
        let report = try replay.verify(project: Scenario.project.rawValue, partition: Scenario.partition)
        #expect(report.isEqual, "\(report.firstDifference ?? "")")
        #expect(report.entries == 40)
        #expect(report.waiting == UInt64(recording.records.count - 40 + 1))
        let explain = Explain(transport: pipeline.cluster, topics: pipeline.topics, salt: [1, 2, 3])
        let refused = #expect(throws: EngineError.self) {
            try explain.explain(SampleID("s"), of: pipeline.configuration, since: 0)
        }
        #expect(refused?.description.contains("offset 40") ?? false)
        #expect(refused?.description.contains("newer build") ?? false)

        // A newer build has continued, and this command belongs to the old build.
        pipeline.cluster.setOffset(60, of: topicPartition, group: "loop")
        let position = PartitionPosition(journalOffset: 60, clusterID: "memory", build: "9")
        let key = Array(PartitionPosition.key.utf8)
        try pipeline.cluster.append(
            OutputRecord(
                topic: pipeline.topics[.state],
                partition: Scenario.partition,
                key: key,
                value: position.jsonBytes
            )
        )
        #expect(throws: EngineError.self) {
            try replay.verify(project: Scenario.project.rawValue, partition: Scenario.partition)
        }
    }

    @Test("A paused project that is read again is paused at an entry of a newer build, with a reason")
    func reread() throws {
        // No worker has stopped at the entry, which arrived while the project was paused.
        let pipeline = try pipeline(Self.entries[1], after: 40)
        let lethal = LethalRecord(
            topic: topicPartition.topic,
            partition: topicPartition.partition,
            offset: 20,
            manner: .error
        )
        _ = try supervise { _ in try pipeline.makeLoop(lethal: lethal, now: { 0 }) }
        let offsets = pipeline.cluster.offsets(of: "loop")
        #expect(offsets[topicPartition] == Int64(recording.records.count + 1))
        let command = Command(id: "r1", action: .resume, by: "olga", reason: "mended")
        try append(pipeline, JournalEntry(project: Scenario.project, body: .command(command)).jsonBytes)
        let runner = try pipeline.makeLoop(now: { 0 })
        try runner.settle()
        var pause: ProjectPause?
        (runner.processor as? LoopProcessor)?.forEachProject { pause = $0.pause ?? pause }
        #expect(pause?.next == 40 && pause?.isResuming == false)
        #expect(pause?.reason.contains("newer build") ?? false, "\(pause?.reason ?? "")")
        #expect(entryNumbers(runner.processor)[Scenario.project.rawValue] == 40)
        #expect((runner.processor as? LoopProcessor)?.stops.isEmpty ?? false)
        #expect(pipeline.cluster.committed(pipeline.topics[.deadLetters]).isEmpty)
    }
}
