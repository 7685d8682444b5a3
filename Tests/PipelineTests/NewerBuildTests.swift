import EngineCore
import Events
import Flywheel
import Loop
import Operations
import StreamRuntime
import StreamTesting
import Tables
import Testing
import Vocabulary

/// Two partitions with a project each; into the journal of the first comes what only a newer build can read.
@Suite("Entries of a newer build")
struct NewerBuildTests {
    private static let other = "stars"
    static let entries = [
        #"{"v":2,"kind":"tick","project":"shapes","entry":{"entry_number":1,"chain":""}}"#,
        #"{"v":2,"kind":"gold","project":"shapes","entry":{}}"#,
        // Also where it does not say that its form is newer, or looks like nothing that is known.
        #"{"v":1,"kind":"gold","project":"shapes","entry":{}}"#,
        #"{"v":7,"kind":"gold","for":["shapes"]}"#,
    ]
    private let recording: Recording
    private let place = TopicPartition("t.journal", World.partition)
    private var otherPartition: Int32 { 1 - World.partition }

    init() throws { recording = try Recording(seed: 2, rounds: 6) }

    private func append(_ plant: Plant, _ value: some Sequence<UInt8>, at time: Int64? = nil) throws {
        let key = Array(World.project.rawValue.utf8)
        let record = OutputRecord(topic: place.topic, partition: place.partition, key: key, value: Array(value))
        try plant.cluster.append(record, at: time ?? plant.clock.now)
    }

    /// The journal of a project up to `count` entries, then `entry` unless it is nil, then the rest, and beside it that of
    /// another project in the other partition.
    private func plant(_ entry: String?, behind count: Int) throws -> Plant {
        let plant = try Plant(configuration: recording.configuration)
        for (number, record) in recording.records.enumerated() {
            if number == count, let entry { try append(plant, entry.utf8, at: record.timestamp) }
            try append(plant, record.value ?? [], at: record.timestamp)
            let twin = record.text.replacing(World.project.rawValue, with: Self.other)
            let copy = OutputRecord(
                topic: place.topic,
                partition: otherPartition,
                key: Array(Self.other.utf8),
                value: Array(twin.utf8)
            )
            try plant.cluster.append(copy, at: record.timestamp)
        }
        plant.clock.set(to: recording.records.last?.timestamp ?? plant.clock.now)
        return plant
    }

    private func decisions(_ plant: Plant, of name: String) -> [Written] {
        plant.decisions().filter { $0.id.hasPrefix(name + "-") && !$0.id.contains("-paused-") }
    }

    private func entryNumbers(_ stage: any StreamStage) -> [String: UInt64] {
        var numbers: [String: UInt64] = [:]
        (stage as? LoopStage)?.forEachProject {
            numbers[$0.state.project.rawValue] = $0.state.position.value.entryNumber
        }
        return numbers
    }

    @Test(
        "One stops its partition where it stands, without a dead letter, and the other partitions go on",
        arguments: entries,
        [0, 40]
    )
    func stops(entry: String, count: Int) throws {
        let undisturbed = try plant(nil, behind: 0)
        try undisturbed.makeLoop(now: { 0 }).settle()
        let plant = try plant(entry, behind: count)
        var told: [PartitionStop] = []
        for _ in 0..<2 {
            let runner = try plant.makeLoop(policy: CommitPolicy(interval: 0, batchSize: 30), now: { 0 })
            (runner.stage as? LoopStage)?.stopped = { told.append($0) }
            try runner.settle()
            let stop = try #require((runner.stage as? LoopStage)?.stops.first)
            #expect(stop.partition == World.partition && stop.offset == Int64(count))
            #expect(stop.text.contains("newer build") && stop.text.contains("upgrade this worker"))
            #expect(entryNumbers(runner.stage)[World.project.rawValue] ?? 0 == UInt64(count))
            // Whoever takes it over stops at the same place.
            runner.task.close()
        }
        #expect(told.count == 2, "told once by each")
        let offsets = plant.cluster.offsets(of: "loop")
        #expect(offsets[place] ?? 0 == Int64(count))
        // Behind them its loop has written which build decides from here on.
        #expect(offsets[TopicPartition(place.topic, otherPartition)] == Int64(recording.records.count + 1))
        #expect(plant.cluster.committed(plant.topics[.deadLetters]).isEmpty)
        #expect(decisions(plant, of: Self.other) == decisions(undisturbed, of: Self.other))
        let own = decisions(plant, of: World.project.rawValue)
        let expected = decisions(undisturbed, of: World.project.rawValue)
        #expect(own == expected.filter { $0.entryNumber <= count })
        #expect(count == 0 || !own.isEmpty && own.count < expected.count)
    }

    @Test("A stopped partition writes no ticks, and new entries of it are left for the newer build")
    func quiet() throws {
        let plant = try plant(Self.entries[1], behind: 40)
        let runner = try plant.makeLoop()
        try runner.settle()
        let written = plant.cluster.committed(place.topic, place.partition).count
        for record in recording.records.suffix(10) {
            plant.clock.advance(by: 3_600_000)
            try append(plant, record.value ?? [])
            try runner.settle()
        }
        #expect(plant.cluster.committed(place.topic, place.partition).count == written + 10)
        #expect(plant.cluster.offsets(of: "loop")[place] == 40)
        #expect(plant.cluster.committed(place.topic, otherPartition).count > recording.records.count, "it ticks")
    }

    @Test("Wherever the loop fails, it stops at the same entry and has decided what stands before", arguments: [40])
    func faults(count: Int) throws {
        func perform(_ step: FaultPlan.Step?) throws -> (Plant, FaultPlan) {
            let plant = try plant(Self.entries[1], behind: count)
            let policy = CommitPolicy(interval: 0, batchSize: 30)
            let plan = try settle(plant, group: "loop", step, heir: .itself) { plan, instance in
                try plant.makeLoop(plan, instance: instance, policy: policy, now: { 0 })
            }
            return (plant, plan)
        }
        let (undisturbed, plan) = try perform(nil)
        let expected = Set(undisturbed.decisions())
        for step in FaultPlan.steps(plan.effects, [.crash, .abortable, .fatal]) {
            let (plant, plan) = try perform(step)
            let isSame = Set(plant.decisions()) == expected && plant.decisions().count == expected.count
            #expect(plan.hasStruck && isSame, "\(step)")
            #expect(plant.cluster.offsets(of: "loop")[place] == Int64(count), "\(step)")
        }
    }

    @Test("Replay and explain refuse a journal that they cannot read; what the loop has not come to only waits")
    func commands() throws {
        let plant = try plant(Self.entries[1], behind: 40)
        try plant.makeLoop(now: { 0 }).settle()
        let replay = Replay(transport: plant.cluster, topics: plant.topics)
        let report = try replay.verify(project: World.project.rawValue, partition: World.partition)
        #expect(report.isEqual, "\(report.firstDifference ?? "")")
        #expect(report.entries == 40)
        #expect(report.waiting == UInt64(recording.records.count - 40 + 1))
        let explain = Explain(transport: plant.cluster, topics: plant.topics, salt: [1, 2, 3])
        let refused = #expect(throws: EngineError.self) {
            try explain.explain(SampleID("s"), of: plant.configuration, since: 0)
        }
        #expect(refused?.description.contains("offset 40") ?? false)
        #expect(refused?.description.contains("newer build") ?? false)

        // A newer build has gone on, and this command is the old one's.
        plant.cluster.setOffset(60, of: place, group: "loop")
        let position = PartitionPosition(journalOffset: 60, clusterID: "memory", build: "9")
        let key = Array(PartitionPosition.key.utf8)
        try plant.cluster.append(
            OutputRecord(
                topic: plant.topics[.state],
                partition: World.partition,
                key: key,
                value: position.jsonBytes
            )
        )
        #expect(throws: EngineError.self) {
            try replay.verify(project: World.project.rawValue, partition: World.partition)
        }
    }

    @Test("A paused project that is read again is paused again where one stands, and says why")
    func reread() throws {
        // Nobody has stopped there: it came while the project was paused.
        let plant = try plant(Self.entries[1], behind: 40)
        let lethal = Lethal(topic: place.topic, partition: place.partition, offset: 20, manner: .error)
        _ = try supervise { _ in try plant.makeLoop(lethal: lethal, now: { 0 }) }
        let offsets = plant.cluster.offsets(of: "loop")
        #expect(offsets[place] == Int64(recording.records.count + 1))
        let command = Command(id: "r1", action: .resume, by: "olga", reason: "mended")
        try append(plant, JournalEntry(project: World.project, body: .command(command)).jsonBytes)
        let runner = try plant.makeLoop(now: { 0 })
        try runner.settle()
        var pause: ProjectPause?
        (runner.stage as? LoopStage)?.forEachProject { pause = $0.pause ?? pause }
        #expect(pause?.next == 40 && pause?.isResuming == false)
        #expect(pause?.reason.contains("newer build") ?? false, "\(pause?.reason ?? "")")
        #expect(entryNumbers(runner.stage)[World.project.rawValue] == 40)
        #expect((runner.stage as? LoopStage)?.stops.isEmpty ?? false)
        #expect(plant.cluster.committed(plant.topics[.deadLetters]).isEmpty)
    }
}
