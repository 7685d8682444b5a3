import Events
import StreamRuntime
import StreamTesting
import Synchronization
import Testing
import Vocabulary

/// Cost of cautious processing, and cases in which caution must not end too early.
@Suite("Going on with care")
struct CarefulTests {
    /// So many annotations in one partition.
    private func makePlant(annotations count: Int) throws -> Plant {
        let plant = try Plant(seed: 3)
        for number in 0..<count { try plant.send(.annotations, Wire.annotation("t\(number)", "a", .skip)) }
        return plant
    }

    private func lethal(_ plant: Plant, _ manner: Lethal.Manner, offset: Int64) -> Lethal {
        Lethal(topic: plant.topics[.annotations], partition: 0, offset: offset, manner: manner)
    }

    private func letters(_ plant: Plant) -> [String?] {
        plant.cluster.committed(plant.topics[.deadLetters]).map { $0.header("__connect.errors.offset") }
    }

    private func annotations(_ plant: Plant) -> Int {
        plant.journal().count { $0.text.contains(#""kind":"annotation""#) }
    }

    private func commits(_ plan: FaultPlan) -> Int { plan.effects.count { $0 == .commit } }

    @Test("A deadly record behind a gap in the offsets is isolated too", arguments: [350, 370])
    func gap(offset: Int64) throws {
        let plant = try makePlant(annotations: 400)
        let policy = CommitPolicy(interval: 0, maximumRecords: 50, batchSize: 50)
        let plan = FaultPlan(.init(12, .crash))
        do { try plant.makeIntake(plan, policy: policy).settle() } catch { #expect(plan.isCrashed) }
        let place = TopicPartition(plant.topics[.annotations], 0)
        let next = plant.cluster.offsets(of: "intake")[place] ?? 0
        #expect(next < 120)
        plant.cluster.delete(place, before: 350)
        let lethal = lethal(plant, .death, offset: offset)
        let (_, deaths) = try supervise { _ in try plant.makeIntake(policy: policy, lethal: lethal) }
        #expect((3...6).contains(deaths), "\(deaths) deaths")
        #expect(letters(plant) == ["\(offset)"])
        #expect(annotations(plant) == Int(next) + 49)
    }

    @Test("One refused record among thousands is found in a few transactions", arguments: [0, 1_234, 1_999])
    func refusal(offset: Int64) throws {
        let plant = try makePlant(annotations: 2_000)
        let plan = FaultPlan()
        let runner = try plant.makeIntake(plan, lethal: lethal(plant, .error, offset: offset))
        try runner.settle()
        #expect(letters(plant) == ["\(offset)"])
        #expect(annotations(plant) == 1_999)
        #expect(commits(plan) < 40, "\(commits(plan)) transactions")
        let refusals = runner.events.count { if case .refused = $0 { true } else { false } }
        #expect(refusals < 20, "\(refusals) refusals")
    }

    @Test("Several refused records are found each")
    func refusals() throws {
        let plant = try makePlant(annotations: 300)
        for number in 0..<300 { try plant.send(.feedback, [0x7B], partition: Int32(number % 2)) }
        let lethal = lethal(plant, .refusal, offset: 120)
        let other = Lethal(topic: plant.topics[.feedback], partition: 1, offset: 30, manner: .error)
        try plant.makeIntake(lethal: lethal, other: other).settle()
        let poisoned = plant.cluster.committed(plant.topics[.deadLetters]).filter {
            $0.header("flywheel.reason.code") == "poison"
        }
        #expect(Set(poisoned.map { $0.header("__connect.errors.offset") }) == ["120", "30"] && poisoned.count == 2)
        #expect(plant.cluster.committed(plant.topics[.deadLetters]).count == 301)
        #expect(annotations(plant) == 299)
    }

    @Test("A dead letter that is refused in its turn, for another reason, becomes a stub")
    func refusedLetter() throws {
        let plant = try Plant(seed: 3, letterLimit: 2_000)
        let header = [RecordHeader("trace", [UInt8](repeating: 0x78, count: 5_000))]
        for number in 0..<20 {
            try plant.send(.annotations, Wire.annotation("t\(number)", "a", .skip), headers: header)
        }
        let runner = try plant.makeIntake(lethal: lethal(plant, .error, offset: 7))
        try runner.settle(maximum: 200)
        #expect(letters(plant) == ["7"])
        #expect(annotations(plant) == 19)
    }

    @Test("Stopping in order in between neither forgets deaths nor adds any")
    func cleanStops() throws {
        let plant = try makePlant(annotations: 100)
        let lethal = lethal(plant, .death, offset: 57)
        let (_, deaths) = try supervise { number in
            for _ in 0..<(number > 0 ? 2 : 0) {
                let policy = CommitPolicy(interval: 0, maximumRecords: 5, batchSize: 5)
                let runner = try plant.makeIntake(policy: policy, lethal: lethal)
                // Predictions come first; what is suspicious stays where it is.
                for _ in 0..<5 { try plant.send(.predictions, [0x7B]) }
                for _ in 0..<2 { try runner.task.cycle() }
                runner.task.close()
            }
            return try plant.makeIntake(lethal: lethal)
        }
        #expect((4...7).contains(deaths), "\(deaths) deaths")
        let poisoned = plant.cluster.committed(plant.topics[.deadLetters]).filter {
            $0.header("flywheel.reason.code") == "poison"
        }
        #expect(poisoned.map { $0.header("__connect.errors.offset") } == ["57"])
        #expect(poisoned.first?.header("flywheel.reason.text")?.hasPrefix("3 workers died") ?? false)
    }

    @Test("Portions of one batch give way after a second, and what is left comes again, once")
    func giveWay() throws {
        let plant = try makePlant(annotations: 1_000)
        let plan = FaultPlan()
        let first = try plant.makeIntake(plan, policy: CommitPolicy(interval: 0, batchSize: 10))
        while commits(plan) < 2 { try first.task.cycle() }
        first.task.abandon()
        let ahead = Mutex(Int64(0))
        let heir = try plant.makeIntake(wallClock: {
            ahead.withLock { ahead in
                ahead += 200
                return plant.clock.now + ahead
            }
        })
        var cycles = 0
        while annotations(plant) < 1_000, cycles < 50 {
            let before = annotations(plant)
            try heir.task.cycle()
            let taken = annotations(plant) - before
            #expect(taken <= 500, "\(taken) records without a poll")
            cycles += 1
        }
        try heir.settle()
        let entries = plant.journal().filter { $0.text.contains(#""kind":"annotation""#) }
        let ids = counted(entries.map { $0.header("ce_id") ?? "" })
        #expect(annotations(plant) == 1_000 && ids.values.allSatisfy { $0 == 1 })
    }

    @Test("Where nothing comes any more care ends, and the partition is left clean")
    func silence() throws {
        let plant = try makePlant(annotations: 400)
        let plan = FaultPlan()
        let first = try plant.makeIntake(plan, policy: CommitPolicy(interval: 0, batchSize: 10))
        while commits(plan) < 2 { try first.task.cycle() }
        first.task.abandon()
        let place = TopicPartition(plant.topics[.annotations], 0)
        plant.cluster.delete(place, before: 400)
        for isLong in [false, true] {
            let heir = try plant.makeIntake()
            for _ in 0..<3 { try heir.task.cycle() }
            if isLong { plant.clock.advance(by: 31_000) }
            for _ in 0..<3 { try heir.task.cycle() }
            heir.task.close()
            #expect(plant.cluster.note(of: place, group: "intake") == (isLong ? "clean" : "open left=suspicious"))
        }
    }

    @Test("Care over many partitions costs no more transactions than over one")
    func partitions() throws {
        let plant = try Plant(seed: 3)
        for number in 0..<300 {
            for partition in 0..<2 as Range<Int32> {
                let value = Wire.prediction(plant.world.next(), [0.5, 0.3, 0.2], version: "v")
                try plant.send(.predictions, value, partition: partition)
                try plant.send(.annotations, Wire.annotation("t\(number)", "a", .skip), partition: partition)
                try plant.send(.feedback, [0x7B], partition: partition)
            }
        }
        let undisturbed = FaultPlan()
        let first = try plant.makeIntake(undisturbed)
        while commits(undisturbed) == 0 { try first.task.cycle() }
        #expect(commits(undisturbed) == 2, "the first said that it is at work, and took a turn")
        first.task.abandon()
        // Its turn took all there was; as much comes again.
        for number in 300..<600 {
            for partition in 0..<2 as Range<Int32> {
                try plant.send(.annotations, Wire.annotation("t\(number)", "a", .skip), partition: partition)
                try plant.send(.predictions, [0x7B], partition: partition)
                try plant.send(.feedback, [0x7B], partition: partition)
            }
        }
        let plan = FaultPlan()
        try plant.makeIntake(plan).settle()
        #expect(annotations(plant) == 1_200)
        #expect(commits(plan) <= 8, "\(commits(plan)) transactions")
    }
}
