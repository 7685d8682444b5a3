import EngineCore
import Events
import Intake
import JSON
import PipelineTesting
import Statistics
import StreamRuntime
import StreamTesting
import Testing
import Vocabulary

/// Handling of a record that kills Intake.
@Suite("Intake and a lethal record")
struct IntakePoisonTests {
    /// A pipeline with annotations among predictions.
    private func makePipeline(_ count: Int = 400) throws -> Pipeline {
        let pipeline = try Pipeline(seed: 7)
        for number in 0..<count {
            let value = Wire.prediction(pipeline.scenario.next(), [0.5, 0.3, 0.2], version: "v")
            try pipeline.send(.predictions, value, partition: Int32(number % 2))
            if number % 4 == 0 { try pipeline.send(.annotations, Wire.annotation("t\(number)", "a", .skip)) }
        }
        return pipeline
    }

    private func lethal(_ pipeline: Pipeline, _ manner: LethalRecord.Manner = .death, offset: Int64 = 57)
        -> LethalRecord
    {
        LethalRecord(topic: pipeline.topics[.annotations], partition: 0, offset: offset, manner: manner)
    }

    private func annotationCounts(_ pipeline: Pipeline) -> [String: Int] {
        counted(
            pipeline.journal().filter { $0.text.contains(#""kind":"annotation""#) }.map { $0.header("ce_id") ?? "" }
        )
    }

    private func predictions(_ pipeline: Pipeline) throws -> Int64 {
        try pipeline.decoded(.tallies) { try Tally(json: $0) }.reduce(0) { $0 + $1.predictions }
    }

    /// Every record except the lethal one was processed, once, and the lethal one is a dead letter.
    private func expectQuarantined(_ pipeline: Pipeline, of count: Int = 400, offset: Int64 = 57, _ note: String) throws
    {
        let deadLetters = pipeline.cluster.committed(pipeline.topics[.deadLetters])
        #expect(deadLetters.map { $0.header("flywheel.reason.code") } == ["poison"], "\(note)")
        #expect(deadLetters.first?.header("__connect.errors.offset") == "\(offset)", "\(note)")
        #expect(
            deadLetters.first?.value == pipeline.cluster.committed(pipeline.topics[.annotations])[Int(offset)].value,
            "\(note)"
        )
        let found = annotationCounts(pipeline)
        #expect(found.count == count / 4 - 1 && found.values.allSatisfy { $0 == 1 }, "\(note)")
        #expect(try predictions(pipeline) == Int64(count), "\(note)")
    }

    @Test(
        "A lethal record is a dead letter after a few deaths, and every other record is processed once",
        arguments: [0, 1, 57, 99]
    )
    func death(offset: Int64) throws {
        let pipeline = try makePipeline()
        let lethal = lethal(pipeline, offset: offset)
        let (_, deaths) = try supervise { _ in try pipeline.makeIntake(lethal: lethal) }
        #expect((4...7).contains(deaths), "\(deaths) deaths")
        try expectQuarantined(pipeline, offset: offset, "offset \(offset)")
        let text = pipeline.cluster.committed(pipeline.topics[.deadLetters]).first?.header("flywheel.reason.text") ?? ""
        #expect(text.contains("3 workers died"))
        // The stream continues, in order.
        try pipeline.send(.annotations, Wire.annotation("later", "a", .skip))
        let (_, moreDeaths) = try supervise { _ in try pipeline.makeIntake(lethal: lethal) }
        #expect(moreDeaths == 0)
        #expect(annotationCounts(pipeline).count == 100)
    }

    @Test("Workers with different names count the same deaths")
    func otherWorkers() throws {
        let pipeline = try makePipeline()
        let lethal = lethal(pipeline)
        let (_, deaths) = try supervise { number in
            if number > 0 { pipeline.cluster.expireMember("w\(number - 1)", of: "intake") }
            return try pipeline.makeIntake(instance: "w\(number)", lethal: lethal)
        }
        #expect((4...7).contains(deaths), "\(deaths) deaths")
        // The transaction that the dead worker left open ends by its timeout.
        pipeline.clock.advance(by: 10_001)
        try expectQuarantined(pipeline, "other names")
    }

    @Test(
        "A record refused three times for the same reason is a dead letter, and the worker continues",
        arguments: [LethalRecord.Manner.error, .refusal]
    )
    func refusal(manner: LethalRecord.Manner) throws {
        let pipeline = try makePipeline()
        let runner = try pipeline.makeIntake(lethal: lethal(pipeline, manner))
        try runner.settle()
        try expectQuarantined(pipeline, "\(manner)")
        let text = pipeline.cluster.committed(pipeline.topics[.deadLetters]).first?.header("flywheel.reason.text") ?? ""
        #expect(text.hasPrefix("3 times in a row: "))
    }

    @Test(
        "Poison and a crash at every effect of its handling: one dead letter, and nothing else is lost"
    )
    func deathAndCrash() throws {
        func run(_ incarnation: Int, _ step: FaultPlan.Step?) throws -> (pipeline: Pipeline, plan: FaultPlan) {
            let pipeline = try makePipeline(80)
            let lethal = lethal(pipeline, offset: 7)
            let plan = FaultPlan(step)
            _ = try supervise { try pipeline.makeIntake($0 == incarnation ? plan : FaultPlan(), lethal: lethal) }
            return (pipeline, plan)
        }
        for incarnation in 0..<6 {
            let effects = try run(incarnation, nil).plan.effects
            for step in FaultPlan.steps(effects, [.crash])
            where step.moment == (step.number % 2 == 0 ? .before : .after) {
                let (pipeline, plan) = try run(incarnation, step)
                #expect(plan.hasStruck, "life \(incarnation), \(step)")
                try expectQuarantined(
                    pipeline,
                    of: 80,
                    offset: 7,
                    "life \(incarnation), \(step) (\(effects[step.number]))"
                )
            }
        }
    }

    // MARK: - What it costs, and what it does not do

    @Test("Without faults each batch is one transaction, with one more at the beginning and one at the end")
    func cost() throws {
        let pipeline = try makePipeline()
        let plan = FaultPlan()
        let policy = CommitPolicy(interval: 0, maximumRecords: 50, batchSize: 50)
        let runner = try pipeline.makeIntake(plan, policy: policy)
        try runner.settle()
        #expect(plan.effects.filter { $0 == .commit }.count == 500 / 50 + 1)
        runner.task.close()
        #expect(plan.effects.filter { $0 == .commit }.count == 500 / 50 + 2)
        let topicPartition = TopicPartition(pipeline.topics[.annotations], 0)
        #expect(pipeline.cluster.note(of: topicPartition, group: "intake") == "clean")
        // The next worker finds the metadata `clean`.
        let next = try pipeline.makeIntake(policy: policy)
        try pipeline.send(.annotations, Wire.annotation("later", "a", .skip))
        try next.settle()
        #expect(!next.events.contains { if case .foundUnclean = $0 { true } else { false } })
        #expect(pipeline.cluster.note(of: topicPartition, group: "intake") == "open")
    }

    @Test(
        "Worker deaths that no record causes make no dead letters, however often they occur",
        arguments: 0..<6 as Range<UInt64>
    )
    func innocent(seed: UInt64) throws {
        let pipeline = try makePipeline()
        var generator = SplitMix64(seed: seed)
        for number in 0..<40 {
            // Some workers die before they have done anything.
            let plan = FaultPlan(.init(generator.next(below: 60), .crash, number % 2 == 0 ? .before : .after))
            do { try pipeline.makeIntake(plan).settle() } catch { #expect(plan.isCrashed) }
            try pipeline.send(.annotations, Wire.annotation("n\(number)", "a", .skip))
        }
        try pipeline.makeIntake().settle()
        #expect(pipeline.cluster.committed(pipeline.topics[.deadLetters]).isEmpty, "seed \(seed)")
        #expect(
            annotationCounts(pipeline).count == 140 && annotationCounts(pipeline).values.allSatisfy { $0 == 1 },
            "seed \(seed)"
        )
        #expect(try predictions(pipeline) == 400, "seed \(seed)")
    }

    @Test("Workers that stop in an orderly way, however often and at one position, do not count as deaths")
    func cleanStops() throws {
        let pipeline = try makePipeline()
        let lethal = lethal(pipeline)
        for _ in 0..<10 {
            let runner = try pipeline.makeIntake(lethal: lethal)
            // Partitions are assigned, but the worker stops before any record is read.
            try runner.task.cycle()
            runner.task.close()
        }
        let topicPartition = TopicPartition(pipeline.topics[.annotations], 0)
        #expect(pipeline.cluster.note(of: topicPartition, group: "intake") == nil)
        let (_, deaths) = try supervise { _ in try pipeline.makeIntake(lethal: lethal) }
        #expect(deaths >= 4)
    }

    @Test("A worker that clients repeatedly bring down blames no record")
    func explained() throws {
        let pipeline = try makePipeline()
        let topicPartition = TopicPartition(pipeline.topics[.annotations], 0)
        for number in 0..<8 {
            // As in `Worker`: the partitions of the previous run are passed on as explained.
            let processor = { (transport: any StreamTransport) throws -> any Processor in
                IntakeProcessor(
                    topics: pipeline.topics,
                    directory: try ProjectDirectory(transport: transport, topics: pipeline.topics),
                    salt: [],
                    tokens: TokenKeys(salt: []),
                    worker: "w1",
                    partitionCount: 2,
                    now: { pipeline.clock.now }
                )
            }
            let runner = try ProcessorRunner(
                cluster: pipeline.cluster,
                plan: FaultPlan(number < 7 ? .init(5, .crash) : nil),
                group: "intake",
                instance: "w1",
                topics: IntakeProcessor.inputs.map { pipeline.topics[$0] },
                explained: number == 0 ? [] : [topicPartition],
                makeProcessor: processor
            )
            do { try runner.settle() } catch { #expect(number < 7) }
            let note = pipeline.cluster.note(of: topicPartition, group: "intake") ?? ""
            #expect(!note.hasPrefix("one"), "life \(number): \(note)")
        }
        #expect(pipeline.cluster.committed(pipeline.topics[.deadLetters]).isEmpty)
    }
}
