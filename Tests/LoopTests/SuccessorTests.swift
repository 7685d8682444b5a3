import Events
import Operations
import PipelineTesting
import StreamRuntime
import StreamTesting
import Testing
import Vocabulary

/// Successors that fail too, and workers that were only suspended and wake up after their successors have taken over.
@Suite("Successors and zombies")
struct SuccessorTests {
    private static let policy = CommitPolicy(interval: 0, maximumRecords: 30, batchSize: 30)

    // MARK: - Loop

    private func loop(_ pipeline: Pipeline, _ plan: FaultPlan = FaultPlan(), _ instance: String = "w1") throws
        -> ProcessorRunner
    {
        try pipeline.makeLoop(plan, instance: instance, policy: Self.policy, now: { 0 })
    }

    private func decisions(_ pipeline: Pipeline, of recording: Recording) -> [WrittenDecision] {
        pipeline.decisions().filter { $0.topic == .deadLetters || $0.entryNumber <= recording.records.count }
    }

    @Test("A successor that fails at any effect, or at a read of its state, is replaced by one that does not")
    func successorFails() throws {
        let recording = try Recording(seed: 2, rounds: 7)
        let undisturbed = try recording.pipeline()
        let first = FaultPlan()
        try loop(undisturbed, first).settle()
        let expected = decisions(undisturbed, of: recording)
        let commits = first.effects.indices.filter { first.effects[$0] == .commit }
        let middle = commits[commits.count / 2]

        func run(_ step: FaultPlan.Step?) throws -> FaultPlan {
            let pipeline = try recording.pipeline()
            do { try loop(pipeline, FaultPlan(.init(middle, .crash, .after))).settle() } catch {}
            let plan = FaultPlan(step)
            do { try loop(pipeline, plan).settle() } catch {
                guard plan.hasStruck else { throw error }
                try settle([loop(pipeline), loop(pipeline, FaultPlan(), "w2")], on: pipeline)
            }
            let found = decisions(pipeline, of: recording)
            let isSame = found == expected
            #expect(isSame, "seed 2, \(step?.description ?? "undisturbed"): \(expected.count) became \(found.count)")
            let report = try Replay(transport: pipeline.cluster, topics: pipeline.topics)
                .verify(project: Scenario.project.rawValue, partition: Scenario.partition)
            #expect(report.isEqual, "seed 2, \(step?.description ?? ""): \(report.firstDifference ?? "")")
            return plan
        }
        let effects = try run(nil).effects
        #expect(effects.filter { $0 == .read }.count > 3, "nothing was restored")
        for step in FaultPlan.steps(effects) { #expect(try run(step).hasStruck, "\(step)") }
    }

    @Test(
        "A loop that is suspended before any effect and wakes after its successor's takeover writes nothing",
        arguments: [true, false]
    )
    func loopZombie(isSameName: Bool) throws {
        let recording = try Recording(seed: 1, rounds: 6)
        let undisturbed = try recording.pipeline()
        let baselinePlan = FaultPlan()
        try loop(undisturbed, baselinePlan).settle()
        let expected = decisions(undisturbed, of: recording)
        for number in baselinePlan.effects.indices {
            let pipeline = try recording.pipeline()
            var successor: ProcessorRunner?
            let plan = FaultPlan(suspendedAt: number) {
                if !isSameName { pipeline.cluster.expireMember("w1", of: "loop") }
                successor = try? loop(pipeline, FaultPlan(), isSameName ? "w1" : "w2")
                do { try successor?.settle() } catch { Issue.record("the successor failed: \(error)") }
            }
            try wake(
                try loop(pipeline, plan),
                successor: { successor },
                pipeline,
                "effect \(number) (\(baselinePlan.effects[number]))"
            )
            #expect(plan.hasStruck)
            let found = decisions(pipeline, of: recording)
            let isSame = found == expected
            #expect(
                isSame,
                "seed 1, suspended at \(number) (\(baselinePlan.effects[number])): \(expected.count) became \(found.count)"
            )
            let report = try Replay(transport: pipeline.cluster, topics: pipeline.topics)
                .verify(project: Scenario.project.rawValue, partition: Scenario.partition)
            #expect(report.isEqual, "suspended at \(number): \(report.firstDifference ?? "")")
        }
    }

    /// Runs the suspended worker for as long as it can continue; then its successor alone.
    private func wake(
        _ zombie: ProcessorRunner,
        successor: () -> ProcessorRunner?,
        _ pipeline: Pipeline,
        _ note: String
    ) throws {
        do {
            try zombie.settle()
            // A suspended worker may join again, and then both share the partitions.
            if let successor = successor() { try settle([zombie, successor], on: pipeline) }
            zombie.task.close()
            pipeline.cluster.expireMember("w1", of: "loop")
            pipeline.cluster.expireMember("w1", of: "intake")
        } catch { zombie.task.abandon() }
        pipeline.clock.advance(by: 10_001)
        try successor()?.settle()
        #expect(pipeline.cluster.openTransactions == 0, "\(note)")
    }

    // MARK: - Intake

    @Test(
        "An Intake that is suspended before any effect and wakes after its successor's takeover writes nothing",
        arguments: [true, false]
    )
    func intakeZombie(isSameName: Bool) throws {
        func makePipeline() throws -> Pipeline {
            let pipeline = try Pipeline(seed: 5)
            for number in 0..<90 {
                let value = Wire.prediction(pipeline.scenario.next(), [0.5, 0.3, 0.2], version: "v")
                try pipeline.send(.predictions, value, partition: Int32(number % 2))
                if number % 3 == 0 { try pipeline.send(.annotations, Wire.annotation("t\(number)", "a", .skip)) }
                if number % 10 == 0 { try pipeline.send(.feedback, [0x7B]) }
            }
            return pipeline
        }
        let undisturbed = try makePipeline()
        let baselinePlan = FaultPlan()
        try undisturbed.makeIntake(baselinePlan, policy: Self.policy).settle()
        for number in baselinePlan.effects.indices {
            let pipeline = try makePipeline()
            var successor: ProcessorRunner?
            let plan = FaultPlan(suspendedAt: number) {
                if !isSameName { pipeline.cluster.expireMember("w1", of: "intake") }
                successor = try? pipeline.makeIntake(instance: isSameName ? "w1" : "w2", policy: Self.policy)
                do { try successor?.settle() } catch { Issue.record("the successor failed: \(error)") }
            }
            let note = "seed 5, suspended at \(number) (\(baselinePlan.effects[number]))"
            try wake(try pipeline.makeIntake(plan, policy: Self.policy), successor: { successor }, pipeline, note)
            #expect(plan.hasStruck)
            let entries = pipeline.journal().filter { $0.text.contains(#""kind":"annotation""#) }.map(\.value)
            #expect(Set(entries).count == 30 && entries.count == 30, "\(note): \(entries.count) annotations")
            #expect(pipeline.cluster.committed(pipeline.topics[.deadLetters]).count == 9, "\(note)")
            let predictions = try pipeline.decoded(.tallies) { try Tally(json: $0) }.reduce(0) { $0 + $1.predictions }
            #expect(predictions == 90, "\(note)")
        }
    }
}
