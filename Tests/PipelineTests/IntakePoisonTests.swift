import EngineCore
import Events
import Intake
import JSON
import Statistics
import StreamRuntime
import StreamTesting
import Testing
import Vocabulary

/// A record that Intake does not survive.
@Suite("Intake and the record that kills it")
struct IntakePoisonTests {
    /// A plant with annotations among predictions.
    private func makePlant(_ count: Int = 400) throws -> Plant {
        let plant = try Plant(seed: 7)
        for number in 0..<count {
            let value = Wire.prediction(plant.world.next(), [0.5, 0.3, 0.2], version: "v")
            try plant.send(.predictions, value, partition: Int32(number % 2))
            if number % 4 == 0 { try plant.send(.annotations, Wire.annotation("t\(number)", "a", .skip)) }
        }
        return plant
    }

    private func lethal(_ plant: Plant, _ manner: Lethal.Manner = .death, offset: Int64 = 57) -> Lethal {
        Lethal(topic: plant.topics[.annotations], partition: 0, offset: offset, manner: manner)
    }

    private func tasks(_ plant: Plant) -> [String: Int] {
        counted(plant.journal().filter { $0.text.contains(#""kind":"annotation""#) }.map { $0.header("ce_id") ?? "" })
    }

    private func predictions(_ plant: Plant) throws -> Int64 {
        try plant.decoded(.tallies) { try Tally(json: $0) }.reduce(0) { $0 + $1.predictions }
    }

    /// Everything but the deadly record went its way, once, and that one is a dead letter.
    private func expectIsolated(_ plant: Plant, of count: Int = 400, offset: Int64 = 57, _ note: String) throws {
        let letters = plant.cluster.committed(plant.topics[.deadLetters])
        #expect(letters.map { $0.header("flywheel.reason.code") } == ["poison"], "\(note)")
        #expect(letters.first?.header("__connect.errors.offset") == "\(offset)", "\(note)")
        #expect(
            letters.first?.value == plant.cluster.committed(plant.topics[.annotations])[Int(offset)].value,
            "\(note)"
        )
        let found = tasks(plant)
        #expect(found.count == count / 4 - 1 && found.values.allSatisfy { $0 == 1 }, "\(note)")
        #expect(try predictions(plant) == Int64(count), "\(note)")
    }

    @Test(
        "A record that kills is a dead letter after a few deaths, and every other goes its way once",
        arguments: [0, 1, 57, 99]
    )
    func death(offset: Int64) throws {
        let plant = try makePlant()
        let lethal = lethal(plant, offset: offset)
        let (_, deaths) = try supervise { _ in try plant.makeIntake(lethal: lethal) }
        #expect((4...7).contains(deaths), "\(deaths) deaths")
        try expectIsolated(plant, offset: offset, "offset \(offset)")
        let text = plant.cluster.committed(plant.topics[.deadLetters]).first?.header("flywheel.reason.text") ?? ""
        #expect(text.contains("3 workers died"))
        // The stream goes on, in order.
        try plant.send(.annotations, Wire.annotation("later", "a", .skip))
        let (_, more) = try supervise { _ in try plant.makeIntake(lethal: lethal) }
        #expect(more == 0)
        #expect(tasks(plant).count == 100)
    }

    @Test("Workers of other names count the same deaths")
    func otherWorkers() throws {
        let plant = try makePlant()
        let lethal = lethal(plant)
        let (_, deaths) = try supervise { number in
            if number > 0 { plant.cluster.expireMember("w\(number - 1)", of: "intake") }
            return try plant.makeIntake(instance: "w\(number)", lethal: lethal)
        }
        #expect((4...7).contains(deaths), "\(deaths) deaths")
        // What the dead ones left open ends by its timeout.
        plant.clock.advance(by: 10_001)
        try expectIsolated(plant, "other names")
    }

    @Test(
        "A record that is refused three times equally is a dead letter, and the worker lives",
        arguments: [Lethal.Manner.error, .refusal]
    )
    func refusal(manner: Lethal.Manner) throws {
        let plant = try makePlant()
        let runner = try plant.makeIntake(lethal: lethal(plant, manner))
        try runner.settle()
        try expectIsolated(plant, "\(manner)")
        let text = plant.cluster.committed(plant.topics[.deadLetters]).first?.header("flywheel.reason.text") ?? ""
        #expect(text.hasPrefix("3 times in a row: "))
    }

    @Test(
        "Poison and a crash at every effect of those who deal with it: still one dead letter, and nothing else is lost"
    )
    func deathAndCrash() throws {
        func run(_ life: Int, _ step: FaultPlan.Step?) throws -> (plant: Plant, plan: FaultPlan) {
            let plant = try makePlant(80)
            let lethal = lethal(plant, offset: 7)
            let plan = FaultPlan(step)
            _ = try supervise { try plant.makeIntake($0 == life ? plan : FaultPlan(), lethal: lethal) }
            return (plant, plan)
        }
        for life in 0..<6 {
            let effects = try run(life, nil).plan.effects
            for step in FaultPlan.steps(effects, [.crash])
            where step.moment == (step.number % 2 == 0 ? .before : .after) {
                let (plant, plan) = try run(life, step)
                #expect(plan.hasStruck, "life \(life), \(step)")
                try expectIsolated(plant, of: 80, offset: 7, "life \(life), \(step) (\(effects[step.number]))")
            }
        }
    }

    // MARK: - What it costs, and what it does not do

    @Test("While all is well a transaction is a batch: one more at the beginning, one at the end")
    func cost() throws {
        let plant = try makePlant()
        let plan = FaultPlan()
        let policy = CommitPolicy(interval: 0, maximumRecords: 50, batchSize: 50)
        let runner = try plant.makeIntake(plan, policy: policy)
        try runner.settle()
        #expect(plan.effects.filter { $0 == .commit }.count == 500 / 50 + 1)
        runner.task.close()
        #expect(plan.effects.filter { $0 == .commit }.count == 500 / 50 + 2)
        let place = TopicPartition(plant.topics[.annotations], 0)
        #expect(plant.cluster.note(of: place, group: "intake") == "clean")
        // The next finds it in order.
        let next = try plant.makeIntake(policy: policy)
        try plant.send(.annotations, Wire.annotation("later", "a", .skip))
        try next.settle()
        #expect(!next.events.contains { if case .foundUnclean = $0 { true } else { false } })
        #expect(plant.cluster.note(of: place, group: "intake") == "open")
    }

    @Test(
        "Workers that are killed without a record's doing lose nothing to the dead letters, however often",
        arguments: 0..<6 as Range<UInt64>
    )
    func innocent(seed: UInt64) throws {
        let plant = try makePlant()
        var generator = SplitMix64(seed: seed)
        for number in 0..<40 {
            // Some die before they have done anything.
            let plan = FaultPlan(.init(generator.next(below: 60), .crash, number % 2 == 0 ? .before : .after))
            do { try plant.makeIntake(plan).settle() } catch { #expect(plan.isCrashed) }
            try plant.send(.annotations, Wire.annotation("n\(number)", "a", .skip))
        }
        try plant.makeIntake().settle()
        #expect(plant.cluster.committed(plant.topics[.deadLetters]).isEmpty, "seed \(seed)")
        #expect(tasks(plant).count == 140 && tasks(plant).values.allSatisfy { $0 == 1 }, "seed \(seed)")
        #expect(try predictions(plant) == 400, "seed \(seed)")
    }

    @Test("Workers that stop in order, however often and at one position, are no deaths")
    func cleanStops() throws {
        let plant = try makePlant()
        let lethal = lethal(plant)
        for _ in 0..<10 {
            let runner = try plant.makeIntake(lethal: lethal)
            // Assigned, but stopped before anything is taken.
            try runner.task.cycle()
            runner.task.close()
        }
        let place = TopicPartition(plant.topics[.annotations], 0)
        #expect(plant.cluster.note(of: place, group: "intake") == nil)
        let (_, deaths) = try supervise { _ in try plant.makeIntake(lethal: lethal) }
        #expect(deaths >= 4)
    }

    @Test("A worker that clients bring down again and again blames no record")
    func explained() throws {
        let plant = try makePlant()
        let place = TopicPartition(plant.topics[.annotations], 0)
        for number in 0..<8 {
            // As `Worker` does: the partitions of the life before are given on as explained.
            let stage = { (transport: any StreamTransport) throws -> any StreamStage in
                IntakeStage(
                    topics: plant.topics,
                    directory: try ProjectDirectory(transport: transport, topics: plant.topics),
                    salt: [],
                    tokens: TokenKeys(salt: []),
                    worker: "w1",
                    partitionCount: 2,
                    now: { plant.clock.now }
                )
            }
            let runner = try StageRunner(
                cluster: plant.cluster,
                plan: FaultPlan(number < 7 ? .init(5, .crash) : nil),
                group: "intake",
                instance: "w1",
                topics: IntakeStage.inputs.map { plant.topics[$0] },
                explained: number == 0 ? [] : [place],
                makeStage: stage
            )
            do { try runner.settle() } catch { #expect(number < 7) }
            let note = plant.cluster.note(of: place, group: "intake") ?? ""
            #expect(!note.hasPrefix("one"), "life \(number): \(note)")
        }
        #expect(plant.cluster.committed(plant.topics[.deadLetters]).isEmpty)
    }
}
