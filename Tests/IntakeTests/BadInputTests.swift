import Events
import Flywheel
import Hashing
import Intake
import Loop
import PipelineTesting
import StreamRuntime
import StreamTesting
import Tables
import Testing
import Vocabulary

@Suite("Bad input")
struct BadInputTests {
    private static let headers = [
        RecordHeader("trace", [0, 0xFF]), RecordHeader("none", nil), RecordHeader("trace", "2"),
    ]

    private func makeWorkers(_ pipeline: Pipeline) throws -> (intake: ProcessorRunner, loop: ProcessorRunner) {
        (try pipeline.makeIntake(), try pipeline.makeLoop())
    }

    @Test("A record has exactly one outcome, and the stream continues after it", arguments: BadInput.all)
    func outcome(_ input: BadInput) throws {
        let pipeline = try Pipeline()
        // One valid record before the bad one, and one after it.
        try pipeline.send(.predictions, Wire.prediction(pipeline.scenario.next()))
        try pipeline.send(input.topic, input.value, headers: Self.headers)
        let (intake, loop) = try makeWorkers(pipeline)
        try intake.settle()
        try loop.settle()
        try pipeline.send(.predictions, Wire.prediction(pipeline.scenario.next()))
        try intake.settle()
        try loop.settle()

        let counts = try #require(intake.processor as? IntakeProcessor).counts
        let loopCounts = try #require(loop.processor as? LoopProcessor).counts
        #expect(counts.read == 3)
        #expect(counts.read == counts.accepted + counts.deadTotal + counts.droppedTotal)
        #expect(pipeline.journal().contains { $0.text.contains(#""s1""#) }, "the stream stands still")
        let deadLetters = pipeline.cluster.committed(pipeline.topics[.deadLetters]).filter {
            $0.header("__connect.errors.offset") == (input.topic == .predictions ? "1" : "0")
        }
        #expect(deadLetters.count == pipeline.cluster.committed(pipeline.topics[.deadLetters]).count)
        switch input.outcome {
        case .refused(let code):
            try expectDeadLetter(deadLetters, input, code, "intake")
            #expect(counts.dead == [code: 1])
            #expect(loopCounts.refused.isEmpty)
        case .refusedLater(let code):
            try expectDeadLetter(deadLetters, input, code, "loop")
            #expect(loopCounts.refused == [code: 1])
        case .counted(let code):
            #expect(deadLetters.isEmpty)
            #expect(loopCounts.refused == [code: 1])
        case .accepted:
            #expect(deadLetters.isEmpty)
            #expect(loopCounts.refused.isEmpty)
            #expect(counts.accepted == 3)
        }
        if case .refused = input.outcome {} else { #expect(counts.dead.isEmpty) }
        #expect(loopCounts.unreadable == 0)
    }

    /// Expects one dead letter: the record as received, and the reason after its own headers.
    private func expectDeadLetter(_ deadLetters: [StoredRecord], _ input: BadInput, _ code: String, _ processor: String)
        throws
    {
        #expect(deadLetters.count == 1)
        let deadLetter = try #require(deadLetters.first)
        #expect(deadLetter.key == [0x6B])
        if let value = input.value, value.count > IntakeProcessor.recordLimit {
            #expect(deadLetter.value == Array(value.prefix(4_096)))
            #expect(deadLetter.header("flywheel.value.size") == "\(value.count)")
            #expect(deadLetter.header("flywheel.value.sha256") == SHA256Digest(of: value).hex)
        } else {
            #expect(deadLetter.value == input.value)
        }
        #expect(Array(deadLetter.headers.prefix(Self.headers.count)) == Self.headers)
        #expect(deadLetter.header("flywheel.reason.code") == code)
        #expect(deadLetter.header("__connect.errors.stage") == processor)
        #expect(deadLetter.header("flywheel.reason.text")?.isEmpty == false)
        #expect(deadLetter.header("__connect.errors.topic") == "t.\(input.topic.rawValue)")
        #expect(deadLetter.header("__connect.errors.partition") == "0")
        #expect(deadLetter.header("flywheel.worker") == "w1")
    }

    @Test("All inputs in one stream: every record is counted once, and valid ones in between are accepted")
    func all() throws {
        let pipeline = try Pipeline()
        for input in BadInput.all {
            try pipeline.send(input.topic, input.value, headers: Self.headers)
            try pipeline.send(.predictions, Wire.prediction(pipeline.scenario.next()))
        }
        let (intake, loop) = try makeWorkers(pipeline)
        try intake.settle()
        try loop.settle()
        let counts = try #require(intake.processor as? IntakeProcessor).counts
        #expect(counts.read == Int64(BadInput.all.count * 2))
        #expect(counts.read == counts.accepted + counts.deadTotal + counts.droppedTotal)
        var expected: [String: Int64] = [:]
        var later: [String: Int64] = [:]
        var deadLetters = 0
        for input in BadInput.all {
            switch input.outcome {
            case .refused(let code): expected[code, default: 0] += 1
            case .refusedLater(let code): later[code, default: 0] += 1
            case .counted(let code): later[code, default: 0] += 1
            case .accepted: break
            }
            if case .refusedLater = input.outcome { deadLetters += 1 }
        }
        #expect(counts.dead == expected)
        #expect(try #require(loop.processor as? LoopProcessor).counts.refused == later)
        #expect(pipeline.cluster.committed(pipeline.topics[.deadLetters]).count == Int(counts.deadTotal) + deadLetters)
    }

    @Test("Duplicate annotations, commands, results and feedback are counted once and omitted")
    func duplicates() throws {
        let pipeline = try Pipeline(seed: 2)
        for _ in 0..<9 { try pipeline.round() }
        let champion = try #require(try pipeline.releases().last?.champion.version.rawValue)
        var before: [String: Int64] = [:]
        pipeline.loopProcessor?.forEachProject {
            for (code, count) in $0.state.refusals.sortedRows { before[code] = count }
        }
        let answered = pipeline.cluster.committed(pipeline.topics[.annotations])
        let results = pipeline.cluster.committed(pipeline.topics[.trainingResults])
        let annotation = try #require(answered.first { $0.text.contains(#""outcome":"answer""#) })
        let result = try #require(results.first)
        let facts = pipeline.cluster.committed(pipeline.topics[.datasetLog]).count
        for _ in 0..<2 {
            try pipeline.send(.commands, Wire.command("twice", .hold))
            try pipeline.send(.feedback, Wire.feedback("same", on: "s1", by: champion, user: "u", .confirmation))
        }
        try pipeline.send(.annotations, annotation.value)
        try pipeline.send(.trainingResults, result.value)
        try pipeline.settle()
        var after: [String: Int64] = [:]
        pipeline.loopProcessor?.forEachProject {
            for (code, count) in $0.state.refusals.sortedRows { after[code] = count }
        }
        #expect((after["duplicate"] ?? 0) - (before["duplicate"] ?? 0) == 3)
        let late = (after["study_closed"] ?? 0) + (after["duplicate_result"] ?? 0)
        #expect(late - (before["study_closed"] ?? 0) - (before["duplicate_result"] ?? 0) == 1)
        #expect(pipeline.cluster.committed(pipeline.topics[.datasetLog]).count == facts)
        #expect(pipeline.cluster.committed(pipeline.topics[.deadLetters]).isEmpty)
    }

    @Test("A journal entry that cannot be read is a dead letter of the loop, and the loop continues")
    func unreadableEntry() throws {
        let pipeline = try Pipeline()
        // Intake has worked here before; otherwise it would not know the writer of the journal.
        try pipeline.settle()
        try pipeline.round()
        // Faults: no form is less than 1, no kind is a number, and a known kind lacks a required member.
        let junk = [
            #"{"v":1,"kind":"#, #"{"v":0,"kind":"tick","project":"shapes","entry":{"entry_number":1,"chain":""}}"#,
            #"{"v":1,"kind":2,"project":"shapes","entry":{}}"#, #"{"v":1,"kind":"tick","project":"shapes","entry":{}}"#,
            #"{"v":1,"project":"shapes","entry":{}}"#,
        ].map { Array($0.utf8) }
        for value in junk {
            try pipeline.cluster.append(
                OutputRecord(topic: pipeline.topics[.journal], partition: Scenario.partition, key: [1], value: value)
            )
        }
        try pipeline.cluster.append(
            OutputRecord(topic: pipeline.topics[.journal], partition: Scenario.partition, key: [2], value: nil)
        )
        try pipeline.round()
        let deadLetters = pipeline.cluster.committed(pipeline.topics[.deadLetters])
        #expect(deadLetters.map(\.value) == junk + [nil])
        #expect(deadLetters.allSatisfy { $0.header("flywheel.reason.code") == "unreadable_entry" })
        #expect(pipeline.loopProcessor?.counts.unreadable == 6)
        #expect((pipeline.loopProcessor?.counts.entries ?? 0) > 5)
    }
}
