import Acquisition
import Events
import Flywheel
import JSON
import Labeling
import Loop
import StreamRuntime
import StreamTesting
import Tables
import Testing
import Vocabulary

@Suite("State and its changelog")
struct RestoreTests {
    private static let tight = World.configuration(votes: 40, window: 8_000)

    @Test(
        "In every prefix of the journal spent and reserved votes keep to the budget",
        arguments: [1, 2, 3] as [UInt64]
    )
    func budget(seed: UInt64) throws {
        let recording = try Recording(seed: seed, rounds: 30, configuration: Self.tight)
        var project = LoopProject(project: World.project)
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
        "After any prefix, what is restored decides the rest as the undisturbed state does",
        arguments: [1, 2] as [UInt64]
    )
    func roundTrip(seed: UInt64) throws {
        let recording = try Recording(seed: seed, rounds: 10, configuration: Self.tight)
        let entries = try recording.entries()
        var undisturbed = LoopProject(project: World.project)
        var decisions: [[EncodedDecision]] = []
        for (entry, time) in entries { decisions.append(undisturbed.apply(entry, appendedAt: time)) }

        let plant = try recording.plant()
        let policy = CommitPolicy(interval: 0, maximumRecords: 1, batchSize: 1)
        let loop = try plant.makeLoop(policy: policy, now: { 0 })
        var checked = 0
        for _ in 0..<entries.count {
            try loop.task.cycle()
            let store = try StateStore(transport: plant.cluster, topics: plant.topics)
            defer { store.close() }
            guard var project = try store.restore(World.partition).projects[World.project.rawValue] else { continue }
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

    /// A plant whose loop has decided a short journal.
    private func decided() throws -> Plant {
        let plant = try Recording(seed: 1, rounds: 3).plant()
        try plant.makeLoop(now: { 0 }).settle()
        return plant
    }

    private func refusal(_ plant: Plant) -> String {
        do {
            try plant.makeLoop().settle()
            return "none"
        } catch { return "\(error)" }
    }

    private var journal: TopicPartition { TopicPartition("t.journal", World.partition) }

    @Test("State that does not stand where the group does is refused, and says what to do")
    func position() throws {
        for change in [-1, 1] as [Int64] {
            let plant = try decided()
            let offset = try #require(plant.cluster.offsets(of: "loop")[journal])
            plant.cluster.setOffset(offset + change, of: journal, group: "loop")
            let text = refusal(plant)
            #expect(text.contains("committed offset \(offset + change)") && text.contains("state stands at \(offset)"))
            #expect(text.contains("reset the group's offsets"))
        }
    }

    @Test("Where the group's offset has expired the stored position stands")
    func expiredOffset() throws {
        let plant = try decided()
        let decisions = plant.decisions()
        plant.cluster.setOffset(nil, of: journal, group: "loop")
        try plant.makeLoop(now: { 0 }).settle()
        #expect(plant.decisions() == decisions)
    }

    @Test("Offsets without any state are refused")
    func noState() throws {
        let plant = try decided()
        let state = TopicPartition(plant.topics[.state], World.partition)
        let high = try plant.cluster.makeReader(topics: [state.topic]).watermarks(state).high
        plant.cluster.delete(state, before: high)
        #expect(refusal(plant).contains("there is no state"))
    }

    @Test("State whose first records were deleted is refused: what else is missing nobody knows")
    func truncatedState() throws {
        let plant = try decided()
        plant.cluster.delete(TopicPartition(plant.topics[.state], World.partition), before: 3)
        #expect(refusal(plant).contains("before offset 3 were deleted"))
    }

    @Test("A state topic made anew is refused, until the group's offsets say that everything is to be decided anew")
    func recreatedState() throws {
        let plant = try decided()
        let decisions = plant.decisions()
        plant.cluster.recreateTopic(plant.topics[.state])
        #expect(refusal(plant).contains("there is no state"))
        plant.cluster.setOffset(0, of: journal, group: "loop")
        try plant.makeLoop(now: { 0 }).settle()
        let isSame = Set(plant.decisions()) == Set(decisions)
        #expect(isSame)
    }

    @Test("State of a newer form is refused")
    func newerState() throws {
        let plant = try decided()
        let value = Array(#"{"v":2,"journal_offset":1,"cluster_id":"memory","build":"9"}"#.utf8)
        let record = OutputRecord(
            topic: plant.topics[.state],
            partition: World.partition,
            key: Array("position".utf8),
            value: value
        )
        try plant.cluster.append(record)
        #expect(refusal(plant).contains("newer build"))
    }

    @Test("A row of a table that is not known is refused, and says to upgrade", arguments: ["{}", nil] as [String?])
    func newerTable(value: String?) throws {
        let plant = try decided()
        let record = OutputRecord(
            topic: plant.topics[.state],
            partition: World.partition,
            key: Array("shapes/acquisition.duels/s-1".utf8),
            value: value.map { Array($0.utf8) }
        )
        try plant.cluster.append(record)
        let text = refusal(plant)
        #expect(text.contains("unknown table \"acquisition.duels\": a newer build wrote it"), "\(text)")
        #expect(text.contains("upgrade this worker"), "\(text)")
    }

    @Test(
        "A row of the changelog that cannot be read is refused by its place, and nothing is guessed",
        arguments: [
            ("shapes/loop.position/_", "{"), ("shapes/loop.position/_", #"{"entry_number":"one"}"#),
            ("shapes/loop.chain/_", #"{"chain":"0","ticks_written":1,"last_offset":1}"#), ("shapes", "{}"), ("", "{}"),
            ("shapes/acquisition.pool/x", "7"), ("shapes/loop.pause/_", "{}"), ("position", "[]"),
        ]
    )
    func unreadableRow(key: String, value: String) throws {
        let plant = try decided()
        let state = TopicPartition(plant.topics[.state], World.partition)
        let high = try plant.cluster.makeReader(topics: [state.topic]).watermarks(state).high
        let record = OutputRecord(
            topic: state.topic,
            partition: World.partition,
            key: Array(key.utf8),
            value: Array(value.utf8)
        )
        try plant.cluster.append(record)
        let before = plant.decisions()
        let text = refusal(plant)
        #expect(text.contains("offset \(high)") && text.contains("nothing is guessed"), "\(text)")
        #expect(plant.decisions() == before)
    }

    @Test("State with a table that this build does not know is refused")
    func unknownTable() throws {
        let plant = try decided()
        let key = Array("shapes/loop.future/x".utf8)
        try plant.cluster.append(
            OutputRecord(topic: plant.topics[.state], partition: World.partition, key: key, value: Array("{}".utf8))
        )
        #expect(refusal(plant).contains("loop.future"))
    }

    @Test("State of another cluster is refused by both ids")
    func otherCluster() throws {
        let plant = try decided()
        let other = try Plant(clusterID: "elsewhere")
        for record in plant.cluster.committed(plant.topics[.state], World.partition) {
            let copy = OutputRecord(
                topic: other.topics[.state],
                partition: World.partition,
                key: record.key,
                value: record.value
            )
            try other.cluster.append(copy)
        }
        let text = refusal(other)
        #expect(text.contains("cluster memory") && text.contains("elsewhere"))
    }
}
