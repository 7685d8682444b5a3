import DeadLetters
import EngineCore
import Events
import Hashing
import Intake
import PipelineTesting
import StreamRuntime
import StreamTesting
import Testing
import Vocabulary

@Suite("A flood of bad records")
struct DeadLetterFloodTests {
    private func leftOut(_ deadLetters: [StoredRecord]) -> Int {
        deadLetters.compactMap { $0.header(DeadLetterRecord.leftOutHeader).flatMap { Int($0) } }.reduce(0, +)
    }

    @Test(
        "A flood gives a limited number of dead letters, all are counted, and valid records in between are accepted",
        arguments: [1, 7, 1_000]
    )
    func flood(_ batchSize: Int) throws {
        let pipeline = try Pipeline()
        for number in 0..<600 {
            try pipeline.send(.predictions, Array("bad \(number)".utf8))
            if number % 100 == 50 { try pipeline.send(.predictions, Wire.prediction(pipeline.scenario.next())) }
        }
        let intake = try pipeline.makeIntake(
            policy: CommitPolicy(interval: 0, batchSize: batchSize),
            deadLettersPerSecond: 5
        )
        try intake.settle()
        let counts = try #require(intake.processor as? IntakeProcessor).counts
        let deadLetters = pipeline.cluster.committed(pipeline.topics[.deadLetters])
        #expect(counts.read == 606 && counts.accepted == 6)
        #expect(counts.deadTotal + counts.droppedTotal == 600)
        #expect(Array(counts.dead.keys) == ["not_json"] && counts.deadTotal == Int64(deadLetters.count))
        #expect(leftOut(deadLetters) == Int(counts.droppedTotal))
        // The allowance of ten seconds at once, at least one per transaction, and the clock does not advance.
        let transactionCount = batchSize == 1 ? 606 : (606 + batchSize - 1) / batchSize
        #expect(deadLetters.count >= 50 && deadLetters.count <= 50 + transactionCount)
        if batchSize == 1_000 { #expect(deadLetters.count == 50) }
        // The first ones are kept, in order.
        #expect(
            deadLetters.prefix(50).map { String(decoding: $0.value ?? [], as: UTF8.self) }
                == (0..<50).map { "bad \($0)" }
        )
    }

    @Test("Keys and headers count as well: large headers use the capacity of many dead letters")
    func largeHeaders() throws {
        let pipeline = try Pipeline()
        let header = RecordHeader("note", String(repeating: "x", count: 100_000))
        for number in 0..<50 {
            try pipeline.cluster.append(
                OutputRecord(
                    topic: pipeline.topics[.predictions],
                    partition: 0,
                    value: Array("bad \(number)".utf8),
                    headers: [header]
                )
            )
        }
        let intake = try pipeline.makeIntake(
            policy: CommitPolicy(interval: 0, batchSize: 1_000),
            deadLettersPerSecond: 5
        )
        try intake.settle()
        let deadLetters = pipeline.cluster.committed(pipeline.topics[.deadLetters])
        // The allowance of ten seconds of five dead letters of 4 KB.
        #expect(deadLetters.count == 3 && leftOut(deadLetters) == 47, "\(deadLetters.count)")
    }

    private static let topics: [Topic] = [.annotations, .trainingResults, .commands, .datasetVersions]

    @Test("Answers, results, commands and announcements each have dead letter capacity of their own in any flood")
    func separateQuotas() throws {
        let pipeline = try Pipeline()
        for number in 0..<400 { try pipeline.send(.predictions, Array("bad \(number)".utf8)) }
        for number in 0..<400 { try pipeline.send(.annotations, Array("bad \(number)".utf8)) }
        for topic in Self.topics.dropFirst() {
            for number in 0..<40 { try pipeline.send(topic, Array("bad \(number)".utf8)) }
        }
        let intake = try pipeline.makeIntake(
            policy: CommitPolicy(interval: 0, batchSize: 1_000),
            deadLettersPerSecond: 5
        )
        try intake.settle()
        let deadLetters = pipeline.cluster.committed(pipeline.topics[.deadLetters])
        let byTopic = counted(deadLetters.compactMap { $0.header("__connect.errors.topic") })
        for topic in Self.topics.dropFirst() { #expect(byTopic[pipeline.topics[topic]] == 40, "\(topic): \(byTopic)") }
        #expect(byTopic[pipeline.topics[.annotations]].map { (50...52).contains($0) } == true, "\(byTopic)")
        let counts = try #require(intake.processor as? IntakeProcessor).counts
        #expect(counts.read == 920 && counts.deadTotal == Int64(deadLetters.count))
        #expect(counts.deadTotal + counts.droppedTotal == 920 && leftOut(deadLetters) == Int(counts.droppedTotal))
    }

    /// Before: 534 MB of dead letters.
    @Test(
        "Dead letters of 600 records of 890 KB each keep the beginning, the size and the digest",
        arguments: topics + [.predictions]
    )
    func largeValues(_ topic: Topic) throws {
        let pipeline = try Pipeline(deadLetterLimit: 8_388_608)
        let value = [UInt8](repeating: UInt8(ascii: "x"), count: 890_000)
        for _ in 0..<600 { try pipeline.send(topic, value) }
        let intake = try pipeline.makeIntake()
        try intake.settle()
        let deadLetters = pipeline.cluster.committed(pipeline.topics[.deadLetters])
        let bytes = deadLetters.reduce(0) { $0 + OutputRecord(topic: "", value: $1.value, headers: $1.headers).size }
        #expect(deadLetters.count == 600 && bytes < 600 * 5_500, "\(bytes)")
        let digest = SHA256Digest(of: value).hex
        #expect(
            deadLetters.allSatisfy {
                $0.value == Array(value.prefix(4_096)) && $0.header("flywheel.value.size") == "890000"
                    && $0.header("flywheel.value.sha256") == digest && $0.header("flywheel.value.cut") == "true"
            }
        )
        let counts = try #require(intake.processor as? IntakeProcessor).counts
        #expect(counts.dead == ["too_large": 600] && counts.dropped.isEmpty)
    }

    @Test(
        "Redrivable records are kept whole within the budget, then only counted; each cycle's first one is cut"
    )
    func sizes() throws {
        let pipeline = try Pipeline()
        let value = Array(#"{"project":"nobody","x":"\#(String(repeating: "x", count: 200_000))"}"#.utf8)
        for _ in 0..<40 { try pipeline.send(.annotations, value) }
        let intake = try pipeline.makeIntake(policy: CommitPolicy(interval: 0, batchSize: 10), deadLettersPerSecond: 10)
        try intake.settle()
        let deadLetters = pipeline.cluster.committed(pipeline.topics[.deadLetters])
        // The allowance of ten seconds of ten dead letters of 4 KB holds two, and each transaction writes one.
        let cut = deadLetters.filter { $0.header("flywheel.value.cut") != nil }
        #expect(deadLetters.count - cut.count == 2 && cut.allSatisfy { $0.value?.count == 4_096 })
        #expect(deadLetters.count + leftOut(deadLetters) == 40)
        let report = try Redrive(
            transport: pipeline.cluster,
            topics: pipeline.topics,
            by: "t",
            now: { 1 },
            pause: { _ in }
        )
        .run(DeadLetterFilter())
        #expect(report.sent == 2 && report.refusedCount == cut.count)
    }

    @Test("An aborted cycle has no lasting effect: omitted records are counted once", arguments: 6..<14)
    func aborted(_ effect: Int) throws {
        let pipeline = try Pipeline()
        for number in 0..<300 { try pipeline.send(.predictions, Array("bad \(number)".utf8)) }
        let intake = try pipeline.makeIntake(
            FaultPlan(.init(effect, .abortable)),
            deadLettersPerSecond: 2,
            readsState: false
        )
        try intake.settle()
        let counts = try #require(intake.processor as? IntakeProcessor).counts
        let deadLetters = pipeline.cluster.committed(pipeline.topics[.deadLetters])
        #expect(deadLetters.count + leftOut(deadLetters) == 300)
        #expect(counts.deadTotal + counts.droppedTotal == 300)
    }
}
