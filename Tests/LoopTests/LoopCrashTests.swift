import Events
import Flywheel
import JSON
import Operations
import PipelineTesting
import StreamRuntime
import StreamTesting
import Tables
import Testing
import Vocabulary

@Suite("Loop fails at every effect")
struct LoopCrashTests {
    private static let policy = CommitPolicy(interval: 0, maximumRecords: 40, batchSize: 40)

    private func run(
        _ recording: Recording,
        _ step: FaultPlan.Step?,
        successor: Successor = .itself
    ) throws -> (pipeline: Pipeline, plan: FaultPlan) {
        let pipeline = try recording.pipeline()
        let plan = try settle(pipeline, group: "loop", step, successor: successor) { plan, instance in
            // The clock of the loop does not advance: the journal contains the ticks of the run that it was recorded
            // from.
            try pipeline.makeLoop(plan, instance: instance, policy: Self.policy, now: { 0 })
        }
        return (pipeline, plan)
    }

    @Test("The same journal gives the same committed decisions, wherever Loop fails", arguments: [1, 2] as [UInt64])
    func everyEffect(seed: UInt64) throws {
        let recording = try Recording(seed: seed, rounds: 9)
        let (undisturbed, baselinePlan) = try run(recording, nil)
        let expected = Self.decisions(of: recording, in: undisturbed)
        #expect(
            expected.contains { $0.topic == .modelReleases },
            "seed \(seed): the script is too short to mean anything"
        )
        let effects = baselinePlan.effects
        #expect(Set(effects).isSuperset(of: [.initialize, .begin, .send, .sendOffsets, .commit, .committedOffsets]))
        // With the second seed workers only die: how clients fail does not depend on the seed.
        for step in FaultPlan.steps(effects, seed == 1 ? FaultPlan.Fault.allCases : [.crash]) {
            let (pipeline, plan) = try run(recording, step, successor: .of(step))
            #expect(plan.hasStruck, "seed \(seed), \(step)")
            let found = Self.decisions(of: recording, in: pipeline)
            let isSame = found == expected
            #expect(isSame, "seed \(seed), \(step) (\(effects[step.number])): \(Self.difference(expected, found))")
        }
    }

    /// Decisions that follow from the recorded entries; a worker may append an entry with its build after them at any
    /// time.
    private static func decisions(of recording: Recording, in pipeline: Pipeline) -> [WrittenDecision] {
        pipeline.decisions().filter { $0.topic == .deadLetters || $0.entryNumber <= recording.records.count }
    }

    private static func difference(_ expected: [WrittenDecision], _ found: [WrittenDecision]) -> String {
        for (a, b) in zip(expected, found) where a != b { return "\(a.topic) \(a.id) became \(b.topic) \(b.id)" }
        return "\(expected.count) decisions became \(found.count)"
    }

    @Test("With running timers every entry is applied once and every decision written once, wherever Loop fails")
    func timers() throws {
        let recording = try Recording(seed: 3, rounds: 10)
        let parser = JSONParser(maximumDepth: 64, maximumSize: 16 << 20)
        let inputs = try recording.records.filter { record in
            let entry = try parser.withDocument(of: record.value ?? []) { try JournalEntry(json: $0) }
            return ![.tick, .engine, .tally].contains(entry.body.kind)
        }
        let effects = try perform(inputs, nil).plan.effects
        #expect(effects.count > 30)
        var isReported = false
        var most = 0
        for step in FaultPlan.steps(effects, [.crash, .fatal]) where step.fault == .crash || step.number % 4 == 0 {
            let (pipeline, plan) = try perform(inputs, step)
            #expect(plan.hasStruck, "\(step)")
            let report = try Replay(transport: pipeline.cluster, topics: pipeline.topics)
                .verify(project: Scenario.project.rawValue, partition: Scenario.partition)
            #expect(report.isEqual, "\(step): \(report.firstDifference ?? "")")
            #expect(report.ticksChecked > 0)
            isReported = isReported || report.compared >= 6
            most = max(most, report.compared)
            let repeated = counted(pipeline.decisions().filter { $0.topic != .deadLetters }.map(\.id)).filter {
                $0.value > 1
            }
            #expect(repeated.isEmpty, "\(step): \(repeated)")
            #expect(Int(report.entries) == pipeline.journal().count, "\(step)")
        }
        #expect(isReported, "at most \(most) decisions were compared: less than one batch")
    }

    /// Appends the inputs in groups of 20, each 1.2 seconds after the last, with the timers running.
    private func perform(_ inputs: [StoredRecord], _ step: FaultPlan.Step?) throws -> (
        pipeline: Pipeline, plan: FaultPlan
    ) {
        let pipeline = try Pipeline()
        let plan = FaultPlan(step)
        var runner: ProcessorRunner? = try pipeline.makeLoop(plan)
        func settle() throws {
            do { try runner?.settle() } catch {
                guard plan.hasStruck else { throw error }
                runner?.task.abandon()
                runner = try pipeline.makeLoop()
                try runner?.settle()
            }
        }
        for start in stride(from: 0, to: inputs.count, by: 20) {
            for input in inputs[start..<min(start + 20, inputs.count)] {
                let copy = OutputRecord(
                    topic: pipeline.topics[.journal],
                    partition: Scenario.partition,
                    key: input.key,
                    value: input.value
                )
                try pipeline.cluster.append(copy)
            }
            try settle()
            pipeline.clock.advance(by: 1_200)
            try settle()
        }
        for _ in 0..<3 { try settle() }
        return (pipeline, plan)
    }

    @Test("Uncommitted output of a zombie is never visible, and its successor continues")
    func zombie() throws {
        let recording = try Recording(seed: 1, rounds: 8)
        let expected = Self.decisions(of: recording, in: try run(recording, nil).pipeline)
        for cycles in 1...6 {
            let pipeline = try recording.pipeline()
            let patient = CommitPolicy(interval: 60_000, maximumRecords: 1_000_000, batchSize: 25)
            let zombie = try pipeline.makeLoop(policy: patient, now: { 0 })
            for _ in 0..<cycles { try zombie.task.cycle() }
            let successor = try pipeline.makeLoop(policy: Self.policy, now: { 0 })
            try successor.settle()
            pipeline.clock.advance(by: 60_000)
            var isFenced = false
            for _ in 0..<20 where !isFenced {
                do { try zombie.task.cycle() } catch { isFenced = true }
            }
            #expect(isFenced, "a fenced worker gives up")
            zombie.task.abandon()
            pipeline.clock.set(to: recording.records.last?.timestamp ?? 0)
            try successor.settle()
            let found = Self.decisions(of: recording, in: pipeline)
            let isSame = found == expected
            #expect(isSame, "zombie after \(cycles) cycles: \(Self.difference(expected, found))")
        }
    }

    @Test("A transaction that a dead worker left open is aborted by its successor")
    func openTransaction() throws {
        let recording = try Recording(seed: 1, rounds: 8)
        let (undisturbed, baselinePlan) = try run(recording, nil)
        let number = try #require(baselinePlan.effects.lastIndex(of: .sendOffsets))
        let pipeline = try recording.pipeline()
        let plan = FaultPlan(.init(number, .crash, .after))
        #expect(throws: (any Error).self) { try pipeline.makeLoop(plan, policy: Self.policy, now: { 0 }).settle() }
        #expect(pipeline.cluster.openTransactions == 1)
        try pipeline.makeLoop(policy: Self.policy, now: { 0 }).settle()
        #expect(pipeline.cluster.openTransactions == 0)
        let isSame = pipeline.decisions() == undisturbed.decisions()
        #expect(isSame)
    }

    @Test("A worker that dies again while it restores is replaced by one that finishes")
    func diesRestoring() throws {
        let recording = try Recording(seed: 1, rounds: 8)
        let (undisturbed, first) = try run(recording, nil)
        let expected = Self.decisions(of: recording, in: undisturbed)
        let commits = first.effects.indices.filter { first.effects[$0] == .commit }
        let middle = try #require(commits.dropFirst(commits.count / 2).first)
        var reads = 0
        for number in 0..<60 {
            let pipeline = try recording.pipeline()
            let policy = Self.policy
            for plan in [FaultPlan(.init(middle, .crash, .after)), FaultPlan(.init(number, .crash, .after))] {
                do { try pipeline.makeLoop(plan, policy: policy, now: { 0 }).settle() } catch {
                    #expect(plan.isCrashed)
                }
                if plan.isCrashed, plan.effects.last == .read { reads += 1 }
            }
            try pipeline.makeLoop(policy: policy, now: { 0 }).settle()
            let isSame = Self.decisions(of: recording, in: pipeline) == expected
            #expect(isSame, "the second worker died after effect \(number)")
        }
        #expect(reads > 1)
    }

    @Test("A partition that moves to another worker and back is decided as if it had stayed", arguments: 1...8)
    func moves(cycles: Int) throws {
        let recording = try Recording(seed: 1, rounds: 8)
        let expected = Self.decisions(of: recording, in: try run(recording, nil).pipeline)
        let pipeline = try recording.pipeline()
        let first = try pipeline.makeLoop(instance: "w1", policy: Self.policy, now: { 0 })
        for _ in 0..<cycles { try first.task.cycle() }
        let second = try pipeline.makeLoop(instance: "w2", policy: Self.policy, now: { 0 })
        for _ in 0..<cycles + 4 {
            try second.task.cycle()
            try first.task.cycle()
        }
        #expect(second.task.assignment.contains(TopicPartition(pipeline.topics[.journal], Scenario.partition)))
        second.task.close()
        pipeline.cluster.expireMember("w2", of: "loop")
        try first.settle()
        #expect(first.task.assignment.count == 4)
        let isSame = Self.decisions(of: recording, in: pipeline) == expected
        #expect(isSame, "moved after \(cycles) cycles")
    }
}
