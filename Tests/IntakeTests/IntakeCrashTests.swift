import Events
import Flywheel
import JSON
import PipelineTesting
import StreamRuntime
import StreamTesting
import Testing
import Vocabulary

@Suite("Intake fails at every effect")
struct IntakeCrashTests {
    private static let policy = CommitPolicy(interval: 0, maximumRecords: 20, batchSize: 20)

    /// The part of Intake's output that does not depend on its order or its division into transactions.
    private struct Outcome: Hashable {
        var audit: [String: Int] = [:]
        var entries: [[UInt8]: Int] = [:]
        var dead: [[UInt8]: Int] = [:]
        var tallies: [String: [Int64]] = [:]
        var read: Int = 0
    }

    private func makePipeline(seed: UInt64) throws -> Pipeline {
        let pipeline = try Pipeline(seed: seed)
        for number in 0..<60 {
            let sample = pipeline.scenario.next()
            let value = Wire.prediction(sample, [0.5, 0.3, 0.2], version: "v\(number % 2)")
            try pipeline.send(.predictions, value, partition: Int32(number % 2))
            let id = sample.id.rawValue
            if number % 3 == 0 {
                try pipeline.send(
                    .feedback,
                    Wire.feedback("f\(number)", on: id, by: "v0", user: "u\(number % 4)", .rejection)
                )
            }
            if number % 4 == 0 {
                let value = Wire.annotation("task-\(number)", "ann", .answer(.choice(ClassIndex(number % 3))))
                try pipeline.send(.annotations, value, partition: Int32(number % 2))
            }
            if number % 7 == 0 { try pipeline.send(.predictions, Array("bad \(number)".utf8)) }
        }
        try pipeline.send(.commands, Wire.command("c1", .hold))
        return pipeline
    }

    private func outcome(_ pipeline: Pipeline) throws -> Outcome {
        var outcome = Outcome()
        let parser = JSONParser(maximumDepth: 64, maximumSize: 16 << 20)
        for record in pipeline.journal() {
            try parser.withDocument(of: record.value ?? []) { json in
                let entry = try JournalEntry(json: json)
                switch entry.body {
                case .candidate(let candidate):
                    // The set of candidates above the adaptive threshold may differ; that of the audit sample never
                    // does.
                    guard candidate.auditProbability != nil else { return }
                    outcome.audit["\(candidate.sample.id)/\(candidate.model?.version.rawValue ?? "")", default: 0] += 1
                case .configured: break
                default: outcome.entries[record.value ?? [], default: 0] += 1
                }
            }
        }
        for record in pipeline.cluster.committed(pipeline.topics[.deadLetters]) {
            outcome.dead[
                (record.value ?? []) + Array((record.header("flywheel.reason.code") ?? "").utf8),
                default: 0
            ] += 1
        }
        for tally in try pipeline.decoded(.tallies, { try Tally(json: $0) }) {
            let key = "\(tally.modelVersion?.rawValue ?? "")/\(tally.role?.rawValue ?? "")"
            let sums = outcome.tallies[key] ?? [0, 0, 0]
            outcome.tallies[key] = [sums[0] + tally.predictions, sums[1] + tally.feedback, sums[2] + tally.negative]
        }
        return outcome
    }

    @Test(
        "Audit sample, entries, dead letters and sums of tallies are the same, wherever Intake fails",
        arguments: [1, 2] as [UInt64]
    )
    func everyEffect(seed: UInt64) throws {
        let undisturbed = try makePipeline(seed: seed)
        let baselinePlan = try settle(undisturbed, group: "intake", nil) { plan, instance in
            try undisturbed.makeIntake(plan, instance: instance, policy: Self.policy)
        }
        let expected = try outcome(undisturbed)
        #expect(!expected.audit.isEmpty && !expected.dead.isEmpty)
        #expect(expected.tallies == ["v0/champion": [30, 20, 20], "v1/champion": [30, 0, 0]])
        for step in FaultPlan.steps(baselinePlan.effects, seed == 1 ? FaultPlan.Fault.allCases : [.crash]) {
            let pipeline = try makePipeline(seed: seed)
            let plan = try settle(pipeline, group: "intake", step, successor: .of(step)) { plan, instance in
                try pipeline.makeIntake(plan, instance: instance, policy: Self.policy)
            }
            #expect(plan.hasStruck, "seed \(seed), \(step)")
            let found = try outcome(pipeline)
            let isSame = found == expected
            #expect(isSame, "seed \(seed), \(step) (\(baselinePlan.effects[step.number]))")
            #expect(found.tallies == expected.tallies, "seed \(seed), \(step)")
        }
    }

    @Test("The uncommitted output of a zombie is never visible")
    func zombie() throws {
        let undisturbed = try makePipeline(seed: 1)
        try undisturbed.makeIntake(policy: Self.policy).settle()
        let expected = try outcome(undisturbed)
        let pipeline = try makePipeline(seed: 1)
        let patient = CommitPolicy(interval: 5_000, maximumRecords: 1_000_000, batchSize: 20)
        let zombie = try pipeline.makeIntake(policy: patient)
        for _ in 0..<4 { try zombie.task.cycle() }
        let successor = try pipeline.makeIntake(policy: Self.policy)
        try successor.settle()
        pipeline.clock.advance(by: 5_000)
        var isFenced = false
        for _ in 0..<20 where !isFenced {
            do { try zombie.task.cycle() } catch { isFenced = true }
        }
        #expect(isFenced)
        try successor.settle()
        let isSame = try outcome(pipeline) == expected
        #expect(isSame)
    }

    @Test("Two workers share the partitions, and a rebalance in between loses and repeats nothing")
    func rebalance() throws {
        let undisturbed = try makePipeline(seed: 1)
        try undisturbed.makeIntake(policy: Self.policy).settle()
        let expected = try outcome(undisturbed)
        for cycles in 1...8 {
            let pipeline = try makePipeline(seed: 1)
            let first = try pipeline.makeIntake(instance: "w1", policy: Self.policy)
            for _ in 0..<cycles { try first.task.cycle() }
            let second = try pipeline.makeIntake(instance: "w2", policy: Self.policy)
            for _ in 0..<40 {
                try second.task.cycle()
                try first.task.cycle()
            }
            #expect(!first.task.assignment.isEmpty && !second.task.assignment.isEmpty)
            let isSame = try outcome(pipeline) == expected
            #expect(isSame, "a second worker after \(cycles) cycles")
        }
    }
}
