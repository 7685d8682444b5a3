import Acquisition
import Events
import Flywheel
import JSON
import Labeling
import Loop
import PipelineTesting
import StreamRuntime
import StreamTesting
import Tables
import Testing
import Vocabulary

@Suite("State and its changelog")
struct RestoreTests {
    private static let tight = Scenario.configuration(votes: 40, window: 8_000)

    @Test(
        "In every prefix of the journal, spent and reserved votes stay within the budget",
        arguments: [1, 2, 3] as [UInt64]
    )
    func budget(seed: UInt64) throws {
        let recording = try Recording(seed: seed, rounds: 30, configuration: Self.tight)
        var project = LoopProject(project: Scenario.project)
        var (highest, windows) = (0, Set<Int64>())
        for (number, (entry, time)) in try recording.entries().enumerated() {
            _ = project.apply(entry, appendedAt: time)
            let ledger = project.state.acquisition.accounts.ledger.value
            var reserved = 0
            for (_, task) in project.state.labeling.open.sortedRows {
                reserved += task.votesReserved - task.votes.count
            }
            #expect(ledger.spent >= 0 && ledger.reserved >= 0, "seed \(seed), entry \(number + 1)")
            #expect(ledger.spent + ledger.reserved <= 40, "seed \(seed), entry \(number + 1)")
            #expect(ledger.reserved == reserved, "seed \(seed), entry \(number + 1)")
            highest = max(highest, ledger.spent + ledger.reserved)
            windows.insert(ledger.windowStart.milliseconds)
        }
        #expect(highest > 36, "seed \(seed): the budget was never in danger")
        #expect(windows.count > 2, "seed \(seed)")
    }

    @Test(
        "After any prefix, restored state makes the remaining decisions as the undisturbed state does",
        arguments: [1, 2] as [UInt64]
    )
    func roundTrip(seed: UInt64) throws {
        let recording = try Recording(seed: seed, rounds: 10, configuration: Self.tight)
        let entries = try recording.entries()
        var undisturbed = LoopProject(project: Scenario.project)
        var decisions: [[EncodedDecision]] = []
        for (entry, time) in entries { decisions.append(undisturbed.apply(entry, appendedAt: time)) }

        let pipeline = try recording.pipeline()
        let policy = CommitPolicy(interval: 0, maximumRecords: 1, batchSize: 1)
        let loop = try pipeline.makeLoop(policy: policy, now: { 0 })
        var checked = 0
        for _ in 0..<entries.count {
            try loop.task.cycle()
            let store = try StateStore(transport: pipeline.cluster, topics: pipeline.topics)
            defer { store.close() }
            guard var project = try store.restore(Scenario.partition).projects[Scenario.project.rawValue] else {
                continue
            }
            let applied = Int(project.state.position.value.entryNumber)
            guard applied % 7 == Int(seed) % 7 || applied > entries.count - 3 else { continue }
            checked += 1
            for (number, (entry, time)) in entries.enumerated().dropFirst(applied) {
                let found = project.apply(entry, appendedAt: time)
                guard found != decisions[number] else { continue }
                Issue.record(
                    "seed \(seed): restored after \(applied), entry \(number + 1) (\(entry.body.kind)) is decided otherwise"
                )
                return
            }
            #expect(project.chain == undisturbed.chain, "seed \(seed): restored after \(applied)")
        }
        #expect(checked > 10)
    }

    // MARK: - Refusals

    /// A pipeline whose loop has decided a short journal.
    private func decided() throws -> Pipeline {
        let pipeline = try Recording(seed: 1, rounds: 3).pipeline()
        try pipeline.makeLoop(now: { 0 }).settle()
        return pipeline
    }

    private func refusal(_ pipeline: Pipeline) -> String {
        do {
            try pipeline.makeLoop().settle()
            return "none"
        } catch { return "\(error)" }
    }

    private var journal: TopicPartition { TopicPartition("t.journal", Scenario.partition) }

    @Test("State at an offset other than the group's is refused, with a remedy")
    func position() throws {
        for change in [-1, 1] as [Int64] {
            let pipeline = try decided()
            let offset = try #require(pipeline.cluster.offsets(of: "loop")[journal])
            pipeline.cluster.setOffset(offset + change, of: journal, group: "loop")
            let text = refusal(pipeline)
            #expect(text.contains("committed offset \(offset + change)") && text.contains("state stands at \(offset)"))
            #expect(text.contains("reset the group's offsets"))
        }
    }

    @Test("If the group's offset has expired, the stored position applies")
    func expiredOffset() throws {
        let pipeline = try decided()
        let decisions = pipeline.decisions()
        pipeline.cluster.setOffset(nil, of: journal, group: "loop")
        try pipeline.makeLoop(now: { 0 }).settle()
        #expect(pipeline.decisions() == decisions)
    }

    @Test("Offsets without any state are refused")
    func noState() throws {
        let pipeline = try decided()
        let state = TopicPartition(pipeline.topics[.state], Scenario.partition)
        let high = try pipeline.cluster.makeReader(topics: [state.topic]).watermarks(state).high
        pipeline.cluster.delete(state, before: high)
        #expect(refusal(pipeline).contains("there is no state"))
    }

    @Test("State whose first records were deleted is refused, because other losses are unknown")
    func truncatedState() throws {
        let pipeline = try decided()
        pipeline.cluster.delete(TopicPartition(pipeline.topics[.state], Scenario.partition), before: 3)
        #expect(refusal(pipeline).contains("before offset 3 were deleted"))
    }

    @Test("A recreated state topic is refused, until the group's offsets restart all decisions")
    func recreatedState() throws {
        let pipeline = try decided()
        let decisions = pipeline.decisions()
        pipeline.cluster.recreateTopic(pipeline.topics[.state])
        #expect(refusal(pipeline).contains("there is no state"))
        pipeline.cluster.setOffset(0, of: journal, group: "loop")
        try pipeline.makeLoop(now: { 0 }).settle()
        let isSame = Set(pipeline.decisions()) == Set(decisions)
        #expect(isSame)
    }

    @Test("State of a newer form is refused")
    func newerState() throws {
        let pipeline = try decided()
        let value = Array(#"{"v":2,"journal_offset":1,"cluster_id":"memory","build":"9"}"#.utf8)
        let record = OutputRecord(
            topic: pipeline.topics[.state],
            partition: Scenario.partition,
            key: Array("position".utf8),
            value: value
        )
        try pipeline.cluster.append(record)
        #expect(refusal(pipeline).contains("newer build"))
    }

    @Test("A row of an unknown table is refused, with the remedy to upgrade", arguments: ["{}", nil] as [String?])
    func newerTable(value: String?) throws {
        let pipeline = try decided()
        let record = OutputRecord(
            topic: pipeline.topics[.state],
            partition: Scenario.partition,
            key: Array("shapes/acquisition.duels/s-1".utf8),
            value: value.map { Array($0.utf8) }
        )
        try pipeline.cluster.append(record)
        let text = refusal(pipeline)
        #expect(text.contains("unknown table \"acquisition.duels\": a newer build wrote it"), "\(text)")
        #expect(text.contains("upgrade this worker"), "\(text)")
    }

    @Test(
        "An unreadable row of the changelog is refused with its location, and its content is not guessed",
        arguments: [
            ("shapes/loop.position/_", "{"), ("shapes/loop.position/_", #"{"entry_number":"one"}"#),
            ("shapes/loop.chain/_", #"{"chain":"0","ticks_written":1,"last_offset":1}"#), ("shapes", "{}"), ("", "{}"),
            ("shapes/acquisition.pool/x", "7"), ("shapes/loop.pause/_", "{}"), ("position", "[]"),
        ]
    )
    func unreadableRow(key: String, value: String) throws {
        let pipeline = try decided()
        let state = TopicPartition(pipeline.topics[.state], Scenario.partition)
        let high = try pipeline.cluster.makeReader(topics: [state.topic]).watermarks(state).high
        let record = OutputRecord(
            topic: state.topic,
            partition: Scenario.partition,
            key: Array(key.utf8),
            value: Array(value.utf8)
        )
        try pipeline.cluster.append(record)
        let before = pipeline.decisions()
        let text = refusal(pipeline)
        #expect(text.contains("offset \(high)") && text.contains("nothing is guessed"), "\(text)")
        #expect(pipeline.decisions() == before)
    }

    @Test("State with a table that this build does not know is refused")
    func unknownTable() throws {
        let pipeline = try decided()
        let key = Array("shapes/loop.future/x".utf8)
        try pipeline.cluster.append(
            OutputRecord(
                topic: pipeline.topics[.state],
                partition: Scenario.partition,
                key: key,
                value: Array("{}".utf8)
            )
        )
        #expect(refusal(pipeline).contains("loop.future"))
    }

    @Test("State of another cluster is refused, and both cluster ids are named")
    func otherCluster() throws {
        let pipeline = try decided()
        let other = try Pipeline(clusterID: "elsewhere")
        for record in pipeline.cluster.committed(pipeline.topics[.state], Scenario.partition) {
            let copy = OutputRecord(
                topic: other.topics[.state],
                partition: Scenario.partition,
                key: record.key,
                value: record.value
            )
            try other.cluster.append(copy)
        }
        let text = refusal(other)
        #expect(text.contains("cluster memory") && text.contains("elsewhere"))
    }
}
