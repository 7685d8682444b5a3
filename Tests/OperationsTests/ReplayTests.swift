import EngineCore
import Events
import Flywheel
import JSON
import Loop
import Operations
import PipelineTesting
import StreamRuntime
import StreamTesting
import Testing
import Vocabulary

@Suite("Replay")
struct ReplayTests {
    private func verify(_ pipeline: Pipeline) throws -> Replay.Report {
        try Replay(transport: pipeline.cluster, topics: pipeline.topics)
            .verify(project: Scenario.project.rawValue, partition: Scenario.partition)
    }

    /// A second cluster with all topics of the first, but with the given journal.
    private func copy(_ pipeline: Pipeline, journal: [StoredRecord]) throws -> Pipeline {
        let copy = try Pipeline(isApplied: false)
        for topic in Topic.allCases {
            for partition in 0..<Int32(pipeline.cluster.partitionCount(of: pipeline.topics[topic])) {
                let isJournal = topic == .journal && partition == Scenario.partition
                let records = isJournal ? journal : pipeline.cluster.committed(pipeline.topics[topic], partition)
                for record in records {
                    let output = OutputRecord(
                        topic: copy.topics[topic],
                        partition: partition,
                        key: record.key,
                        value: record.value,
                        headers: record.headers
                    )
                    try copy.cluster.append(output, at: record.timestamp)
                }
            }
        }
        return copy
    }

    @Test(
        "Replay of an unchanged journal finds every decision byte for byte, and the chain of every tick",
        arguments: [1, 2] as [UInt64]
    )
    func equal(seed: UInt64) throws {
        let pipeline = try Pipeline(seed: seed)
        for _ in 0..<15 { try pipeline.round() }
        let report = try verify(pipeline)
        #expect(report.isEqual, "\(report.firstDifference ?? "")")
        #expect(Int(report.entries) == pipeline.journal().count)
        #expect(report.compared == pipeline.decisions().filter { $0.topic != .deadLetters }.count)
        #expect(report.compared > 50)
        #expect(report.ticksChecked > 0)
        #expect(report.compacted == 0)
    }

    @Test("A changed vote in the journal is detected, and the first decision that differs is named", arguments: 0..<6)
    func flipped(position: Int) throws {
        let pipeline = try Pipeline(seed: 4)
        for _ in 0..<12 { try pipeline.round() }
        let journal = pipeline.journal()
        let parser = JSONParser(maximumDepth: 64, maximumSize: 16 << 20)
        var votes: [Int] = []
        for (index, record) in journal.enumerated() {
            let entry = try parser.withDocument(of: record.value ?? []) { try JournalEntry(json: $0) }
            if case .annotation(let annotation) = entry.body, case .answer = annotation.outcome { votes.append(index) }
        }
        let index = votes[position * votes.count / 6]
        var changed = journal
        let old = journal[index]
        let entry = try parser.withDocument(of: old.value ?? []) { try JournalEntry(json: $0) }
        guard case .annotation(let vote) = entry.body, case .answer(let answer) = vote.outcome,
            let label = answer.classIndex
        else { return }
        let flipped = Annotation(
            task: vote.task,
            annotator: vote.annotator,
            outcome: .answer(.choice(ClassIndex((label.rawValue + 1) % 3)))
        )
        let value = JournalEntry(project: entry.project, body: .annotation(flipped), origin: entry.origin).jsonBytes
        changed[index] = StoredRecord(replacing: value, in: old)

        let report = try verify(try copy(pipeline, journal: changed))
        let first = try firstDifference(journal, changed)
        guard let first else {
            // A duplicate or late vote that changes nothing.
            #expect(report.isEqual)
            return
        }
        let text = try #require(report.firstDifference, "vote at \(index)")
        #expect(text.contains("decision \(first) "), "vote at \(index): expected \(first), told \(text)")
    }

    /// Id of the first decision in which two journals differ; nil if there is none.
    private func firstDifference(_ a: [StoredRecord], _ b: [StoredRecord]) throws -> String? {
        let parser = JSONParser(maximumDepth: 64, maximumSize: 16 << 20)
        var projects = [LoopProject(project: Scenario.project), LoopProject(project: Scenario.project)]
        for (x, y) in zip(a, b) {
            var decisions: [[EncodedDecision]] = []
            for (side, record) in [x, y].enumerated() {
                let entry = try parser.withDocument(of: record.value ?? []) { try JournalEntry(json: $0) }
                let time = StreamTime(milliseconds: record.timestamp)
                decisions.append(projects[side].apply(entry, appendedAt: time).filter { $0.topic != nil })
            }
            for (p, q) in zip(decisions[0], decisions[1]) where p != q { return p.id }
            if decisions[0].count != decisions[1].count {
                let longer = decisions[0].count > decisions[1].count ? decisions[0] : decisions[1]
                return longer[min(decisions[0].count, decisions[1].count)].id
            }
        }
        return nil
    }

    @Test("The build that decided from each entry on is reported, and named if one of its decisions differs")
    func builds() throws {
        let pipeline = try Pipeline(seed: 6)
        for _ in 0..<6 { try pipeline.round() }
        let original = try verify(pipeline)
        #expect(original.builds.map(\.build) == [Build.version])
        let journal = pipeline.journal()
        let start = try #require(original.builds.first).entryNumber
        let records = journal.enumerated().map { index, record in
            guard UInt64(index + 1) == start else { return record }
            let value = JournalEntry(project: Scenario.project, body: .engine(build: "0.0.9")).jsonBytes
            return StoredRecord(replacing: value, in: record)
        }
        let copy = try copy(pipeline, journal: records)
        let other = try verify(copy)
        #expect(other.isEqual)
        #expect(other.builds.map(\.build) == ["0.0.9"] && other.builds.map(\.entryNumber) == [start])
        let topicPartition = TopicPartition(copy.topics[.datasetLog], Scenario.partition)
        let first = try #require(copy.cluster.committed(topicPartition.topic, Scenario.partition).first)
        copy.cluster.delete(topicPartition, before: first.offset + 1)
        let difference = try verify(copy).firstDifference ?? "none"
        #expect(difference.hasSuffix("; build 0.0.9 decided there, and this is \(Build.version)"), "\(difference)")
    }

    @Test("A missing decision, and one that follows from no entry, are named")
    func missingAndForged() throws {
        let pipeline = try Pipeline(seed: 6)
        for _ in 0..<6 { try pipeline.round() }
        let topicPartition = TopicPartition(pipeline.topics[.datasetLog], Scenario.partition)
        let first = try #require(pipeline.cluster.committed(topicPartition.topic, Scenario.partition).first)
        let id = try #require(first.header("ce_id"))
        pipeline.cluster.delete(topicPartition, before: first.offset + 1)
        let missing = try verify(pipeline)
        #expect(missing.firstDifference?.contains("decision \(id) ") == true)
        #expect(missing.firstDifference?.contains("missing") == true)

        let other = try Pipeline(seed: 6)
        for _ in 0..<6 { try other.round() }
        let forged = OutputRecord(
            topic: other.topics[.datasetLog],
            partition: Scenario.partition,
            value: first.value,
            headers: [RecordHeader("ce_id", "shapes-1-77")]
        )
        try other.cluster.append(forged)
        #expect(try verify(other).firstDifference?.contains("shapes-1-77 on dataset-log does not follow") == true)
    }

    @Test("An id in another spelling, and a decision on another topic, are named", arguments: [true, false])
    func misplaced(isSpelledOtherwise: Bool) throws {
        let pipeline = try Pipeline(seed: 6)
        for _ in 0..<6 { try pipeline.round() }
        let topicPartition = TopicPartition(pipeline.topics[.datasetLog], Scenario.partition)
        let first = try #require(pipeline.cluster.committed(topicPartition.topic, Scenario.partition).first)
        let id = try #require(first.header("ce_id"))
        let parts = id.split(separator: "-")
        let spelled = isSpelledOtherwise ? "\(Scenario.project)-0\(parts[1])-\(parts[2])" : id
        let record = OutputRecord(
            topic: pipeline.topics[isSpelledOtherwise ? .datasetLog : .notices],
            partition: Scenario.partition,
            value: first.value,
            headers: [RecordHeader("ce_id", spelled)]
        )
        try pipeline.cluster.append(record)
        let report = try verify(pipeline)
        let text = try #require(report.firstDifference)
        let expected =
            isSpelledOtherwise
            ? "decision \(spelled) on dataset-log does not follow"
            : "decision \(id) (entry \(parts[1])) on notices differs, which belongs on dataset-log"
        #expect(text.contains(expected), "\(text)")
    }

    @Test("If the loop lags, the unread entries are omitted and reported")
    func lagging() throws {
        let pipeline = try Pipeline(seed: 6)
        for _ in 0..<6 { try pipeline.round() }
        let applied = try verify(pipeline).entries
        try pipeline.send(.predictions, Wire.prediction(pipeline.scenario.next(), [0.4, 0.3, 0.3]))
        for _ in 0..<40 { try pipeline.send(.predictions, Wire.prediction(pipeline.scenario.next(), [0.4, 0.3, 0.3])) }
        try pipeline.makeIntake().settle()
        let waiting = pipeline.journal().count - Int(applied)
        #expect(waiting > 0)
        let report = try verify(pipeline)
        #expect(report.isEqual && report.entries == applied && Int(report.waiting) == waiting)
    }

    @Test("A tick with the number of a future entry is a difference")
    func tickAhead() throws {
        let pipeline = try Pipeline(seed: 6)
        for _ in 0..<6 { try pipeline.round() }
        var journal = pipeline.journal()
        let parser = JSONParser(maximumDepth: 64, maximumSize: 16 << 20)
        let index = try #require(
            try journal.firstIndex { record in
                let entry = try parser.withDocument(of: record.value ?? []) { try JournalEntry(json: $0) }
                if case .tick = entry.body { return true }
                return false
            }
        )
        let entry = try parser.withDocument(of: journal[index].value ?? []) { try JournalEntry(json: $0) }
        guard case .tick(let mark) = entry.body else { return }
        let ahead = JournalEntry(
            project: entry.project,
            body: .tick(ChainMark(entryNumber: 1_000_000, digest: mark.digest)),
            origin: entry.origin
        )
        journal[index] = StoredRecord(replacing: ahead.jsonBytes, in: journal[index])
        let report = try verify(try copy(pipeline, journal: journal))
        #expect(report.firstDifference?.contains("up to entry 1000000 differ") == true)
    }
}
