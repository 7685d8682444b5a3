import EngineCore
import Events
import Flywheel
import Hashing
import JSON
import Loop
import Operations
import PipelineTesting
import StreamRuntime
import StreamTesting
import Testing
import Vocabulary

/// Two projects in one partition, one of which has an entry that kills Loop.
@Suite("Loop and a lethal entry")
struct LoopPoisonTests {
    private static let policy = CommitPolicy(interval: 0, maximumRecords: 400, batchSize: 400)
    private static let other = "stars"
    private let recording: Recording
    /// The decisions that follow from the same journal without faults, ordered by topic and id.
    private let expected: [WrittenDecision]

    init() throws {
        recording = try Recording(seed: 1, rounds: 6)
        let pipeline = try Self.pipeline(recording)
        try pipeline.makeLoop(policy: Self.policy, now: { 0 }).settle()
        expected = Self.decisions(pipeline)
        #expect(Set(expected.map { $0.id.hasPrefix(Self.other) }).count == 2)
        #expect(expected.count > 60)
    }

    /// The recorded journal, each entry followed by the same entry of another project.
    private static func pipeline(_ recording: Recording) throws -> Pipeline {
        let pipeline = try Pipeline(configuration: recording.configuration)
        let otherConfiguration = recording.configuration.named(other)
        for configuration in [recording.configuration, otherConfiguration] {
            let key = Array(configuration.project.rawValue.utf8)
            try pipeline.cluster.append(
                OutputRecord(topic: pipeline.topics[.projects], partition: 0, key: key, value: configuration.jsonBytes)
            )
        }
        for record in recording.records {
            let otherValue = Array(record.text.replacing(Scenario.project.rawValue, with: other).utf8)
            for (name, value) in [(Scenario.project.rawValue, record.value ?? []), (other, otherValue)] {
                let copy = OutputRecord(
                    topic: pipeline.topics[.journal],
                    partition: Scenario.partition,
                    key: Array(name.utf8),
                    value: value
                )
                try pipeline.cluster.append(copy, at: record.timestamp)
            }
        }
        pipeline.clock.set(to: recording.records.last?.timestamp ?? pipeline.clock.now)
        return pipeline
    }

    /// Decisions that follow from entries, in an order that does not depend on when a project was read.
    private static func decisions(_ pipeline: Pipeline, of name: String? = nil) -> [WrittenDecision] {
        pipeline.decisions().filter { written in
            !written.id.contains("-paused-") && !written.id.contains("-resumed-")
                && (name.map { written.id.hasPrefix($0 + "-") } ?? true)
        }.sorted { ($0.topic.rawValue, $0.id) < ($1.topic.rawValue, $1.id) }
    }

    private static func lethal(_ pipeline: Pipeline, _ manner: LethalRecord.Manner = .death, number: Int = 30) throws
        -> LethalRecord
    {
        let annotations = pipeline.journal().filter {
            $0.keyText == Scenario.project.rawValue && $0.text.contains(#""kind":"annotation""#)
        }
        let record = try #require(annotations.dropFirst(number).first)
        return LethalRecord(
            topic: pipeline.topics[.journal],
            partition: Scenario.partition,
            offset: record.offset,
            manner: manner
        )
    }

    private static func resume(_ pipeline: Pipeline, _ id: String = "r1") throws {
        let command = Command(id: id, action: .resume, by: "olga", reason: "mended")
        try pipeline.cluster.append(
            OutputRecord(
                topic: pipeline.topics[.journal],
                partition: Scenario.partition,
                key: Array(Scenario.project.rawValue.utf8),
                value: JournalEntry(project: Scenario.project, body: .command(command)).jsonBytes
            )
        )
    }

    private static func pause(_ pipeline: Pipeline) throws -> ProjectPause? {
        let view = try StatusView(transport: pipeline.cluster, topics: pipeline.topics)
        defer { view.close() }
        return try view.summaries().first { $0.project == Scenario.project.rawValue }?.pause
    }

    private static func verify(_ pipeline: Pipeline) throws -> Replay.Report {
        try Replay(transport: pipeline.cluster, topics: pipeline.topics)
            .verify(project: Scenario.project.rawValue, partition: Scenario.partition)
    }

    private func loop(_ pipeline: Pipeline, _ plan: FaultPlan = FaultPlan(), _ lethal: LethalRecord? = nil) throws
        -> ProcessorRunner
    {
        try pipeline.makeLoop(plan, policy: Self.policy, lethal: lethal, now: { 0 })
    }

    private func expectSameDecisions(_ pipeline: Pipeline, _ note: String) {
        let found = Self.decisions(pipeline)
        let isSame = found == expected
        #expect(isSame, "\(note): \(expected.count) decisions became \(found.count)")
    }

    @Test(
        "The project is paused at the entry, the other continues; resumed, it decides as if undisturbed",
        arguments: [(0, LethalRecord.Manner.death), (30, .death), (30, .error), (30, .refusal)]
    )
    func pauseAndResume(number: Int, manner: LethalRecord.Manner) throws {
        let pipeline = try Self.pipeline(recording)
        let lethal = try Self.lethal(pipeline, manner, number: number)
        let (_, deaths) = try supervise { _ in try loop(pipeline, FaultPlan(), lethal) }
        #expect(manner == .death ? (4...7).contains(deaths) : deaths == 0, "\(deaths) deaths")

        let pause = try #require(try Self.pause(pipeline))
        #expect(pause.next == lethal.offset && !pause.isResuming)
        #expect(pause.reason.hasPrefix("3 "))
        let notices = pipeline.cluster.committed(pipeline.topics[.notices]).filter {
            $0.text.contains("project_paused")
        }
        #expect(notices.count == 1 && notices.first?.keyText == "shapes")
        #expect(poisoned(pipeline).isEmpty)
        // The other project is up to date; this one has decided all entries before the lethal one.
        let others = Self.decisions(pipeline, of: Self.other)
        #expect(others.count > 30)
        #expect(others == expected.filter { $0.id.hasPrefix(Self.other) })
        let report = try Self.verify(pipeline)
        #expect(report.isEqual && report.pause == pause, "\(report.firstDifference ?? "")")
        #expect(Self.decisions(pipeline).count < expected.count)

        // The project stays paused without a command, whichever worker owns the partition.
        try loop(pipeline).settle()
        #expect(try Self.pause(pipeline) == pause)

        try Self.resume(pipeline)
        try loop(pipeline).settle()
        #expect(try Self.pause(pipeline) == nil)
        expectSameDecisions(pipeline, "resumed")
        let after = try Self.verify(pipeline)
        #expect(after.isEqual && after.ticksChecked > 0, "\(after.firstDifference ?? "")")
        #expect(pipeline.cluster.committed(pipeline.topics[.notices]).contains { $0.text.contains("project_resumed") })
    }

    @Test("Entries that arrive during the second reading are applied once, in order", arguments: [1, 3, 5])
    func liveEntries(step: Int) throws {
        let pipeline = try Self.pipeline(recording)
        let lethal = try Self.lethal(pipeline)
        _ = try supervise { _ in try loop(pipeline, FaultPlan(), lethal) }
        let late = try Recording(seed: 1, rounds: 8).records.dropFirst(recording.records.count)
        #expect(late.count > 20)
        try Self.resume(pipeline)
        let runner = try loop(pipeline)
        for (number, record) in late.enumerated() {
            let copy = OutputRecord(
                topic: pipeline.topics[.journal],
                partition: Scenario.partition,
                key: record.key,
                value: record.value
            )
            try pipeline.cluster.append(copy, at: record.timestamp)
            if number % step == 0 { try runner.task.cycle() }
        }
        try runner.settle()
        #expect(try Self.pause(pipeline) == nil)
        // The command is between the entries, so their numbers increase by one: replay accounts for that.
        let parser = JSONParser(maximumDepth: 64, maximumSize: 16 << 20)
        var undisturbed = LoopProject(project: Scenario.project)
        for record in pipeline.journal() where record.keyText == Scenario.project.rawValue {
            let entry = try parser.withDocument(of: record.value ?? []) { try JournalEntry(json: $0) }
            _ = undisturbed.apply(entry, appendedAt: StreamTime(milliseconds: record.timestamp))
        }
        let view = try StatusView(transport: pipeline.cluster, topics: pipeline.topics)
        defer { view.close() }
        #expect(try view.summaries().first { $0.project == "shapes" }?.chain == undisturbed.chain.digest.hex)
        let repeated = counted(pipeline.decisions().filter { $0.topic != .deadLetters }.map(\.id)).filter {
            $0.value > 1
        }
        #expect(repeated.isEmpty)
    }

    @Test(
        "A worker that fails at any effect of the second reading is replaced by one that continues",
        arguments: [FaultPlan.Fault.crash, .retry, .abortable, .fatal]
    )
    func failsReading(fault: FaultPlan.Fault) throws {
        func run(_ step: FaultPlan.Step?) throws -> FaultPlan {
            let pipeline = try Self.pipeline(recording)
            let lethal = try Self.lethal(pipeline)
            _ = try supervise { _ in try loop(pipeline, FaultPlan(), lethal) }
            try Self.resume(pipeline)
            let plan = FaultPlan(step)
            let make = { (number: Int) in try loop(pipeline, number == 0 ? plan : FaultPlan()) }
            if step == nil { try make(0).settle() } else { _ = try supervise(make) }
            #expect(try Self.pause(pipeline) == nil, "\(step?.description ?? "undisturbed")")
            expectSameDecisions(pipeline, step?.description ?? "undisturbed")
            return plan
        }
        let effects = try run(nil).effects
        for step in FaultPlan.steps(effects, [fault]) { #expect(try run(step).hasStruck, "\(step)") }
    }

    @Test("If the entry kills again, the project is paused again, and the others continue")
    func killsAgain() throws {
        let pipeline = try Self.pipeline(recording)
        let lethal = try Self.lethal(pipeline)
        _ = try supervise { _ in try loop(pipeline, FaultPlan(), lethal) }
        for number in 0..<2 {
            try Self.resume(pipeline, "r\(number)")
            let (_, deaths) = try supervise { _ in try loop(pipeline, FaultPlan(), lethal) }
            #expect((3...6).contains(deaths), "\(deaths) deaths")
            let pause = try #require(try Self.pause(pipeline))
            #expect(!pause.isResuming && pause.next <= lethal.offset)
            #expect(Self.decisions(pipeline, of: Self.other) == expected.filter { $0.id.hasPrefix(Self.other) })
        }
        try Self.resume(pipeline, "r9")
        try loop(pipeline).settle()
        expectSameDecisions(pipeline, "mended")
    }

    @Test(
        "If the entry fails again, the project is paused again, and the others continue",
        arguments: [LethalRecord.Manner.error, .refusal]
    )
    func refusedAgain(manner: LethalRecord.Manner) throws {
        let pipeline = try Self.pipeline(recording)
        let lethal = try Self.lethal(pipeline, manner)
        _ = try supervise { _ in try loop(pipeline, FaultPlan(), lethal) }
        for number in 0..<2 {
            try Self.resume(pipeline, "r\(number)")
            let runner = try loop(pipeline, FaultPlan(), lethal)
            try runner.settle(maximum: 1_000)
            let pause = try #require(try Self.pause(pipeline))
            #expect(!pause.isResuming && pause.next <= lethal.offset)
            #expect(pause.reason.hasPrefix("3 times in a row: "), "\(pause.reason)")
            #expect(Self.decisions(pipeline, of: Self.other) == expected.filter { $0.id.hasPrefix(Self.other) })
            let failures = runner.events.count {
                switch $0 {
                case .aborted, .refused: true
                default: false
                }
            }
            #expect(failures <= 5, "\(failures) failures")
        }
        try Self.resume(pipeline, "r9")
        try loop(pipeline).settle()
        expectSameDecisions(pipeline, "mended")
    }

    @Test("A project that is being read again is not paused for a lethal entry of another project")
    func innocent() throws {
        let pipeline = try Self.pipeline(recording)
        _ = try supervise { [lethal = try Self.lethal(pipeline)] _ in try loop(pipeline, FaultPlan(), lethal) }
        try Self.resume(pipeline)
        let offset = Int64(pipeline.journal().count)
        let other = JournalEntry(project: ProjectID(Self.other), body: .engine(build: Build.version))
        try pipeline.cluster.append(
            OutputRecord(
                topic: pipeline.topics[.journal],
                partition: Scenario.partition,
                key: Array(Self.other.utf8),
                value: other.jsonBytes
            )
        )
        #expect(pipeline.journal().last?.offset == offset)
        let lethal = LethalRecord(topic: pipeline.topics[.journal], partition: Scenario.partition, offset: offset)
        let (_, deaths) = try supervise { _ in try loop(pipeline, FaultPlan(), lethal) }
        #expect((4...7).contains(deaths), "\(deaths) deaths")
        #expect(try Self.pause(pipeline) == nil)
        let reported = pipeline.cluster.committed(pipeline.topics[.notices]).filter { $0.text.contains("paused again") }
        #expect(reported.isEmpty)
        let shapes = Self.decisions(pipeline, of: Scenario.project.rawValue)
        #expect(shapes == expected.filter { $0.id.hasPrefix(Scenario.project.rawValue) })
    }

    @Test("If the journal it needs is deleted, the project stays paused with a reason, and the others continue")
    func trimmed() throws {
        let pipeline = try Self.pipeline(recording)
        let lethal = try Self.lethal(pipeline)
        _ = try supervise { _ in try loop(pipeline, FaultPlan(), lethal) }
        let topicPartition = TopicPartition(pipeline.topics[.journal], Scenario.partition)
        pipeline.cluster.delete(topicPartition, before: lethal.offset + 2)
        try Self.resume(pipeline)
        try loop(pipeline).settle()
        let pause = try #require(try Self.pause(pipeline))
        #expect(!pause.isResuming && pause.next == lethal.offset)
        #expect(pause.reason.contains("\(lethal.offset + 2)"), "\(pause.reason)")
    }

    @Test("A temporary failure of a reader delays only its project")
    func outage() throws {
        let pipeline = try Self.pipeline(recording)
        let lethal = try Self.lethal(pipeline)
        _ = try supervise { _ in try loop(pipeline, FaultPlan(), lethal) }
        try Self.resume(pipeline)
        let unavailable = LethalRecord(
            topic: lethal.topic,
            partition: lethal.partition,
            offset: lethal.offset,
            manner: .outage
        )
        let runner = try loop(pipeline, FaultPlan(), unavailable)
        for _ in 0..<100 { try runner.task.cycle() }
        #expect(try Self.pause(pipeline) == nil)
        expectSameDecisions(pipeline, "after an outage")
    }

    @Test("An entry that belongs to no project is a dead letter")
    func noProject() throws {
        let pipeline = try Self.pipeline(recording)
        let end = Int64(pipeline.journal().count)
        try pipeline.cluster.append(
            OutputRecord(topic: pipeline.topics[.journal], partition: Scenario.partition, key: [0xFF], value: [1])
        )
        let lethal = LethalRecord(topic: pipeline.topics[.journal], partition: Scenario.partition, offset: end)
        _ = try supervise { _ in try loop(pipeline, FaultPlan(), lethal) }
        #expect(poisoned(pipeline).map(\.value) == [[1]])
        let isSame = Self.decisions(pipeline).filter { $0.id != "poison" } == expected
        #expect(isSame)
    }

    @Test("A lethal tally is skipped, and no decision is missing")
    func tally() throws {
        let pipeline = try Self.pipeline(recording)
        for number in 0..<20 {
            let value = Array(#"{"project":"shapes","predictions":\#(number)}"#.utf8)
            try pipeline.cluster.append(
                OutputRecord(topic: pipeline.topics[.tallies], partition: Scenario.partition, value: value)
            )
        }
        let lethal = LethalRecord(topic: pipeline.topics[.tallies], partition: Scenario.partition, offset: 11)
        let (_, deaths) = try supervise { _ in try loop(pipeline, FaultPlan(), lethal) }
        #expect((4...8).contains(deaths), "\(deaths) deaths")
        #expect(try Self.pause(pipeline) == nil)
        expectSameDecisions(pipeline, "after a deadly tally")
    }

    @Test("The operator's command finds the pause, and refuses a project that is not paused")
    func command() throws {
        let pipeline = try Self.pipeline(recording)
        let resume = ProjectResume(transport: pipeline.cluster, topics: pipeline.topics)
        #expect(throws: EngineError.self) { try resume.send("shapes", by: "o", reason: "") }
        #expect(throws: EngineError.self) { try resume.send("nowhere", by: "o", reason: "") }
        let lethal = try Self.lethal(pipeline)
        _ = try supervise { _ in try loop(pipeline, FaultPlan(), lethal) }
        let pause = try resume.send("shapes", by: "o", reason: "mended")
        #expect(pause.next == lethal.offset)
        // The recorded journal was written by an Intake whose offsets this cluster does not have.
        pipeline.cluster.setOffset(0, of: TopicPartition(pipeline.topics[.commands], 0), group: "intake")
        let (intake, runner) = (try pipeline.makeIntake(), try loop(pipeline))
        try intake.settle()
        try runner.settle()
        #expect(try Self.pause(pipeline) == nil)
        #expect(poisoned(pipeline).isEmpty)
        expectSameDecisions(pipeline, "resumed by command")
    }

    private func poisoned(_ pipeline: Pipeline) -> [StoredRecord] {
        pipeline.cluster.committed(pipeline.topics[.deadLetters]).filter {
            $0.header("flywheel.reason.code") == "poison"
        }
    }
}

extension ProjectConfiguration {
    /// Returns this configuration under another name.
    fileprivate func named(_ name: String) -> ProjectConfiguration {
        ProjectConfiguration(
            project: ProjectID(name),
            revision: revision,
            partition: partition,
            schema: schema,
            acquisition: acquisition,
            labeling: labeling,
            datasets: datasets,
            training: training,
            rollout: rollout
        )
    }
}
