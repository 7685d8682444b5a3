import Events
import PipelineTesting
import StreamRuntime
import StreamTesting
import Synchronization
import Testing
import Vocabulary

/// Cost of careful processing, and cases in which it must not end too early.
@Suite("Careful processing")
struct CarefulTests {
    /// Makes a pipeline with `count` annotations in one partition.
    private func makePipeline(annotations count: Int) throws -> Pipeline {
        let pipeline = try Pipeline(seed: 3)
        for number in 0..<count { try pipeline.send(.annotations, Wire.annotation("t\(number)", "a", .skip)) }
        return pipeline
    }

    private func lethal(_ pipeline: Pipeline, _ manner: LethalRecord.Manner, offset: Int64) -> LethalRecord {
        LethalRecord(topic: pipeline.topics[.annotations], partition: 0, offset: offset, manner: manner)
    }

    private func deadLetters(_ pipeline: Pipeline) -> [String?] {
        pipeline.cluster.committed(pipeline.topics[.deadLetters]).map { $0.header("__connect.errors.offset") }
    }

    private func annotations(_ pipeline: Pipeline) -> Int {
        pipeline.journal().count { $0.text.contains(#""kind":"annotation""#) }
    }

    private func commits(_ plan: FaultPlan) -> Int { plan.effects.count { $0 == .commit } }

    @Test("A lethal record after a gap in the offsets is isolated too", arguments: [350, 370])
    func gap(offset: Int64) throws {
        let pipeline = try makePipeline(annotations: 400)
        let policy = CommitPolicy(interval: 0, maximumRecords: 50, batchSize: 50)
        let plan = FaultPlan(.init(12, .crash))
        do { try pipeline.makeIntake(plan, policy: policy).settle() } catch { #expect(plan.isCrashed) }
        let topicPartition = TopicPartition(pipeline.topics[.annotations], 0)
        let next = pipeline.cluster.offsets(of: "intake")[topicPartition] ?? 0
        #expect(next < 120)
        pipeline.cluster.delete(topicPartition, before: 350)
        let lethal = lethal(pipeline, .death, offset: offset)
        let (_, deaths) = try supervise { _ in try pipeline.makeIntake(policy: policy, lethal: lethal) }
        #expect((3...6).contains(deaths), "\(deaths) deaths")
        #expect(deadLetters(pipeline) == ["\(offset)"])
        #expect(annotations(pipeline) == Int(next) + 49)
    }

    @Test("One refused record among thousands is found in a few transactions", arguments: [0, 1_234, 1_999])
    func refusal(offset: Int64) throws {
        let pipeline = try makePipeline(annotations: 2_000)
        let plan = FaultPlan()
        let runner = try pipeline.makeIntake(plan, lethal: lethal(pipeline, .error, offset: offset))
        try runner.settle()
        #expect(deadLetters(pipeline) == ["\(offset)"])
        #expect(annotations(pipeline) == 1_999)
        #expect(commits(plan) < 40, "\(commits(plan)) transactions")
        let refusals = runner.events.count { if case .refused = $0 { true } else { false } }
        #expect(refusals < 20, "\(refusals) refusals")
    }

    @Test("Several refused records are each found")
    func refusals() throws {
        let pipeline = try makePipeline(annotations: 300)
        for number in 0..<300 { try pipeline.send(.feedback, [0x7B], partition: Int32(number % 2)) }
        let lethal = lethal(pipeline, .refusal, offset: 120)
        let other = LethalRecord(topic: pipeline.topics[.feedback], partition: 1, offset: 30, manner: .error)
        try pipeline.makeIntake(lethal: lethal, other: other).settle()
        let poisoned = pipeline.cluster.committed(pipeline.topics[.deadLetters]).filter {
            $0.header("flywheel.reason.code") == "poison"
        }
        #expect(Set(poisoned.map { $0.header("__connect.errors.offset") }) == ["120", "30"] && poisoned.count == 2)
        #expect(pipeline.cluster.committed(pipeline.topics[.deadLetters]).count == 301)
        #expect(annotations(pipeline) == 299)
    }

    @Test("A dead letter that is itself refused, for another reason, becomes a stub")
    func refusedDeadLetter() throws {
        let pipeline = try Pipeline(seed: 3, deadLetterLimit: 2_000)
        let header = [RecordHeader("trace", [UInt8](repeating: 0x78, count: 5_000))]
        for number in 0..<20 {
            try pipeline.send(.annotations, Wire.annotation("t\(number)", "a", .skip), headers: header)
        }
        let runner = try pipeline.makeIntake(lethal: lethal(pipeline, .error, offset: 7))
        try runner.settle(maximum: 200)
        #expect(deadLetters(pipeline) == ["7"])
        #expect(annotations(pipeline) == 19)
    }

    @Test("Orderly stops in between neither forget deaths nor add any")
    func cleanStops() throws {
        let pipeline = try makePipeline(annotations: 100)
        let lethal = lethal(pipeline, .death, offset: 57)
        let (_, deaths) = try supervise { number in
            for _ in 0..<(number > 0 ? 2 : 0) {
                let policy = CommitPolicy(interval: 0, maximumRecords: 5, batchSize: 5)
                let runner = try pipeline.makeIntake(policy: policy, lethal: lethal)
                // Predictions are read first; suspicious records are not read.
                for _ in 0..<5 { try pipeline.send(.predictions, [0x7B]) }
                for _ in 0..<2 { try runner.task.cycle() }
                runner.task.close()
            }
            return try pipeline.makeIntake(lethal: lethal)
        }
        #expect((4...7).contains(deaths), "\(deaths) deaths")
        let poisoned = pipeline.cluster.committed(pipeline.topics[.deadLetters]).filter {
            $0.header("flywheel.reason.code") == "poison"
        }
        #expect(poisoned.map { $0.header("__connect.errors.offset") } == ["57"])
        #expect(poisoned.first?.header("flywheel.reason.text")?.hasPrefix("3 workers died") ?? false)
    }

    @Test("Slices of one batch stop after a second, and the rest is read again, once")
    func slicesStop() throws {
        let pipeline = try makePipeline(annotations: 1_000)
        let plan = FaultPlan()
        let first = try pipeline.makeIntake(plan, policy: CommitPolicy(interval: 0, batchSize: 10))
        while commits(plan) < 2 { try first.task.cycle() }
        first.task.abandon()
        let ahead = Mutex(Int64(0))
        let successor = try pipeline.makeIntake(wallClock: {
            ahead.withLock { ahead in
                ahead += 200
                return pipeline.clock.now + ahead
            }
        })
        var cycles = 0
        while annotations(pipeline) < 1_000, cycles < 50 {
            let before = annotations(pipeline)
            try successor.task.cycle()
            let processed = annotations(pipeline) - before
            #expect(processed <= 500, "\(processed) records without a poll")
            cycles += 1
        }
        try successor.settle()
        let entries = pipeline.journal().filter { $0.text.contains(#""kind":"annotation""#) }
        let ids = counted(entries.map { $0.header("ce_id") ?? "" })
        #expect(annotations(pipeline) == 1_000 && ids.values.allSatisfy { $0 == 1 })
    }

    @Test("Without further records careful processing ends, and the partition is marked clean")
    func silence() throws {
        let pipeline = try makePipeline(annotations: 400)
        let plan = FaultPlan()
        let first = try pipeline.makeIntake(plan, policy: CommitPolicy(interval: 0, batchSize: 10))
        while commits(plan) < 2 { try first.task.cycle() }
        first.task.abandon()
        let topicPartition = TopicPartition(pipeline.topics[.annotations], 0)
        pipeline.cluster.delete(topicPartition, before: 400)
        for isLong in [false, true] {
            let successor = try pipeline.makeIntake()
            for _ in 0..<3 { try successor.task.cycle() }
            if isLong { pipeline.clock.advance(by: 31_000) }
            for _ in 0..<3 { try successor.task.cycle() }
            successor.task.close()
            #expect(
                pipeline.cluster.note(of: topicPartition, group: "intake")
                    == (isLong ? "clean" : "open left=suspicious")
            )
        }
    }

    @Test("Careful processing of many partitions costs no more transactions than of one")
    func partitions() throws {
        let pipeline = try Pipeline(seed: 3)
        for number in 0..<300 {
            for partition in 0..<2 as Range<Int32> {
                let value = Wire.prediction(pipeline.scenario.next(), [0.5, 0.3, 0.2], version: "v")
                try pipeline.send(.predictions, value, partition: partition)
                try pipeline.send(.annotations, Wire.annotation("t\(number)", "a", .skip), partition: partition)
                try pipeline.send(.feedback, [0x7B], partition: partition)
            }
        }
        let undisturbed = FaultPlan()
        let first = try pipeline.makeIntake(undisturbed)
        while commits(undisturbed) == 0 { try first.task.cycle() }
        #expect(commits(undisturbed) == 2, "the first said that it is at work, and took a turn")
        first.task.abandon()
        // The first worker's cycle read everything that was pending, so the same amount is sent again.
        for number in 300..<600 {
            for partition in 0..<2 as Range<Int32> {
                try pipeline.send(.annotations, Wire.annotation("t\(number)", "a", .skip), partition: partition)
                try pipeline.send(.predictions, [0x7B], partition: partition)
                try pipeline.send(.feedback, [0x7B], partition: partition)
            }
        }
        let plan = FaultPlan()
        try pipeline.makeIntake(plan).settle()
        #expect(annotations(pipeline) == 1_200)
        #expect(commits(plan) <= 8, "\(commits(plan)) transactions")
    }
}
