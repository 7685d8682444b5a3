import Events
import Flywheel
import JSON
import PipelineTesting
import StreamRuntime
import StreamTesting
import Testing
import Vocabulary

@testable import DeadLetters
@testable import EngineCore
@testable import Operations

/// An open transaction of another producer hides the records after it, but does not block a command that only reads.
@Suite("Reading past an open transaction")
struct OpenTransactionLookTests {
    /// Begins a transaction in the project's partition of topics, and neither commits nor aborts it.
    private func leaveOpen(_ pipeline: Pipeline, _ topics: [Topic], partition: Int32 = Scenario.partition) throws {
        let otherProducer = try pipeline.cluster.makeProducer(transactionalID: "forgotten")
        try otherProducer.initializeTransactions()
        try otherProducer.begin()
        try otherProducer.send(
            topics.map { OutputRecord(topic: pipeline.topics[$0], partition: partition, key: [0x6B], value: [0x7B]) }
        )
    }

    private func verify(_ pipeline: Pipeline) throws -> Replay.Report {
        try Replay(transport: pipeline.cluster, topics: pipeline.topics)
            .verify(project: Scenario.project.rawValue, partition: Scenario.partition)
    }

    private func pipeline(rounds: Int = 8) throws -> Pipeline {
        let pipeline = try Pipeline(transactionTimeout: 100_000_000)
        for _ in 0..<rounds { try pipeline.round() }
        return pipeline
    }

    // MARK: - Replay

    /// Before: each topic was waited for, 15 s at a time, and the replay then gave up.
    @Test("Replay verifies all committed records, and names every topic with an open transaction")
    func replay() throws {
        let pipeline = try pipeline()
        let undisturbed = try verify(pipeline)
        #expect(
            undisturbed.isEqual && undisturbed.heldBack.isEmpty && undisturbed.unseen == 0 && undisturbed.compared > 20
        )
        let topics: [Topic] = [.journal] + Replay.decisionTopics
        try leaveOpen(pipeline, topics)
        let began = ContinuousClock.now
        let report = try verify(pipeline)
        #expect(began.duration(to: .now) < .seconds(12), "one wait for all topics, and no more")
        #expect(report.isEqual, "\(report.firstDifference ?? "")")
        #expect(report.heldBack == topics.map { pipeline.topics[$0] })
        #expect(report.unseen == 0 && report.compared == undisturbed.compared && report.chain == undisturbed.chain)
    }

    @Test("A record that may follow an open transaction is no difference, but one missing before it is")
    func unseen() throws {
        let pipeline = try pipeline(rounds: 4)
        try leaveOpen(pipeline, [.labelingTasks])
        let before = pipeline.cluster.committed(pipeline.topics[.labelingTasks], Scenario.partition).count
        for _ in 0..<4 { try pipeline.round() }
        try #require(pipeline.cluster.committed(pipeline.topics[.labelingTasks], Scenario.partition).count == before)
        let report = try verify(pipeline)
        #expect(report.isEqual, "\(report.firstDifference ?? "")")
        #expect(report.unseen > 0 && report.heldBack == [pipeline.topics[.labelingTasks]])
        // A record of a later entry shows that the topic contains all records up to that entry, so no missing record
        // before it is excused.
        let decisions = (1...3).map {
            EncodedDecision(
                Decision(id: "p-\($0)-0", body: .notice(Notice(kind: .nobodyShadows, text: "\($0)"))),
                project: ProjectID("p"),
                question: .choice(LabelSchema(question: "?", classes: ["a", "b"])),
                time: StreamTime(milliseconds: 0),
                entryNumber: $0
            )
        }
        var decided = DecidedTable()
        decided.append(decisions, of: "p")
        for (seen, missing) in [([1], nil), ([1, 2], nil), ([], nil), ([1, 3], "p-2-0"), ([3], "p-1-0")] {
            var comparison = DecisionComparison(decided: decided, appliedUpTo: 3)
            comparison.markHeldBack(.notices)
            for number in seen {
                decisions[number - 1].value.withUnsafeBytes {
                    comparison.compare("p-\(number)-0", of: "p", on: .notices, key: $0, $0)
                }
            }
            comparison.finish()
            #expect(comparison.first.map { $0.id.text(of: "p") } == missing, "\(seen)")
            #expect(comparison.unseen == (missing == nil ? 3 - seen.count : 0), "\(seen)")
        }
    }

    @Test("If a position may follow an open transaction, the entries after the last known one are not replayed yet")
    func state() throws {
        let pipeline = try pipeline(rounds: 4)
        let first = try verify(pipeline)
        try leaveOpen(pipeline, [.state])
        for _ in 0..<4 { try pipeline.round() }
        let report = try verify(pipeline)
        #expect(report.isEqual && report.heldBack == [pipeline.topics[.state]])
        #expect(report.entries >= first.entries && report.waiting > 0)
        // If no position is visible, nothing is verified.
        let hidden = try Pipeline.prepared([.journal, .labelingTasks, .datasetLog], from: pipeline)
        try leaveOpen(hidden, [.state])
        let nothing = try verify(hidden)
        #expect(nothing.isEqual && nothing.entries == 0 && nothing.waiting > 0)
        #expect(nothing.heldBack == [hidden.topics[.state]])
    }

    // MARK: - Explain

    /// Before: as replay, and 30 s for `state`.
    @Test("Explain reports the committed facts, and the topics that may contain more")
    func explain() throws {
        let pipeline = try pipeline()
        let explain = Explain(transport: pipeline.cluster, topics: pipeline.topics, salt: [1, 2, 3])
        let task = try #require(try pipeline.tasks().last)
        let known = try explain.explain(task.sample.id, of: pipeline.configuration, since: 0)
        #expect(known.heldBack.isEmpty && known.isFound)
        try leaveOpen(pipeline, [.journal, .labelingTasks, .datasetLog, .state, .tallies])
        let began = ContinuousClock.now
        let found = try explain.explain(task.sample.id, of: pipeline.configuration, since: 0)
        #expect(began.duration(to: .now) < .seconds(15))
        #expect(found.outcome == known.outcome && found.appearances == known.appearances)
        #expect(found.heldBack == [.journal, .labelingTasks, .datasetLog, .tallies])
        // For a sample that was not queried, `state` and `predictions` are read, too.
        let other = try Pipeline(transactionTimeout: 100_000_000)
        try other.settle()
        try leaveOpen(other, [.state, .predictions])
        let nothing = try Explain(transport: other.cluster, topics: other.topics)
            .explain(SampleID("nobody"), of: other.configuration, since: 0)
        #expect(!nothing.isFound && nothing.heldBack == [.state, .predictions])
    }

    // MARK: - Dead letters

    @Test("Dead letters are listed as far as they are committed, but a redrive must read every mark")
    func deadLetters() throws {
        let pipeline = try pipeline(rounds: 1)
        for number in 0..<4 { try pipeline.send(.annotations, Wire.annotation("shapes-9-\(number)", "a", .skip)) }
        try pipeline.settle()
        func read(readsSettled: Bool) throws -> (count: Int, marks: Int, isHeldBack: Bool) {
            let scan = try DeadLetterScan(
                transport: pipeline.cluster,
                topics: pipeline.topics,
                readsSettled: readsSettled
            )
            defer { scan.close() }
            var count = 0
            let marks = try scan.marks().marks.count
            try scan.forEachDeadLetter { _ in count += 1 }
            return (count, marks, scan.isHeldBack)
        }
        let before = try read(readsSettled: true)
        #expect(before.count >= 4 && !before.isHeldBack)
        for partition in 0..<2 as Range<Int32> {
            let otherProducer = try pipeline.cluster.makeProducer(transactionalID: "forgotten-\(partition)")
            try otherProducer.initializeTransactions()
            try otherProducer.begin()
            try otherProducer.send([
                OutputRecord(topic: pipeline.topics[.deadLetters], partition: partition, key: [], value: [0x7B])
            ])
        }
        let began = ContinuousClock.now
        let after = try read(readsSettled: true)
        #expect(began.duration(to: .now) < .seconds(4), "one wait for all partitions")
        #expect(after.count == before.count && after.isHeldBack)
        #expect(throws: EngineError.self) { try read(readsSettled: false) }
    }

    // MARK: - The ends

    @Test("A settled end states whether an open transaction hides records after it")
    func settles() throws {
        let pipeline = try pipeline(rounds: 1)
        let reader = try pipeline.cluster.makeReader(topics: [pipeline.topics[.notices]])
        defer { reader.close() }
        let topicPartition = TopicPartition(pipeline.topics[.notices], 1)
        let start = try reader.ends(of: [topicPartition], stable: false)[topicPartition] ?? 0
        #expect(
            try reader.settledEnds(of: [topicPartition])[topicPartition] == SettledEnd(offset: start, isHeldBack: false)
        )
        try leaveOpen(pipeline, [.notices], partition: 1)
        #expect(
            try reader.settledEnds(of: [topicPartition])[topicPartition] == SettledEnd(offset: start, isHeldBack: true)
        )
        #expect(try reader.settledEnds(of: []).isEmpty)
    }
}
