import Datasets
import DeadLetters
import Events
import Flywheel
import Intake
import JSON
import PipelineTesting
import StreamRuntime
import StreamTesting
import Testing
import Vocabulary

/// Numbers from other programs, as large as possible: no computation uses them without a bound.
@Suite("Numbers from other programs")
struct OutsideNumberTests {
    /// Before: `attempt + 1` trapped, and every redrive failed with it, until the dead letter expired 14 days later.
    @Test(
        "A header with the largest attempt prevents its own record from being redriven, and no other",
        arguments: ["9223372036854775807", "9223372036854775808", "-9223372036854775808", "1e9", ""]
    )
    func redrive(attempt: String) throws {
        let pipeline = try Pipeline()
        try pipeline.send(.annotations, [1], headers: [RecordHeader("flywheel.redrive.attempt", attempt)])
        try pipeline.send(.annotations, [2])
        try pipeline.settle()
        // A mark that no redrive has written.
        try pipeline.cluster.append(
            OutputRecord(
                topic: pipeline.topics[.deadLetters],
                partition: 0,
                key: nil,
                value: nil,
                headers: [
                    RecordHeader("flywheel.redriven.letter", "1/99"),
                    RecordHeader("flywheel.redriven.attempt", "9223372036854775807"),
                ]
            )
        )
        let redrive = Redrive(
            transport: pipeline.cluster,
            topics: pipeline.topics,
            by: "t",
            now: { 1 },
            pause: { _ in }
        )
        let report = try redrive.run(DeadLetterFilter())
        let isLargest = attempt == "9223372036854775807"
        #expect((report.matched, report.sent, report.refusedCount) == (2, isLargest ? 1 : 2, isLargest ? 1 : 0))
        var policy = Redrive.Policy()
        policy.again = true
        policy.maximumAttempts = .max
        #expect(try redrive.run(DeadLetterFilter(), policy).sent == 2)
    }

    /// Before: the sum trapped, and so did every worker that was assigned the partition.
    @Test("Sums of tallies with the largest numbers stop at the limits of the type")
    func tallies() throws {
        let pipeline = try Pipeline()
        for number in [Int64.max, .max, .min, 1] {
            let tally =
                #"{"project":"shapes","predictions":\#(number),"feedback":1,"negative_feedback":\#(number),"forwarded":0}"#
            try pipeline.cluster.append(
                OutputRecord(
                    topic: pipeline.topics[.tallies],
                    partition: Scenario.partition,
                    key: Array("shapes".utf8),
                    value: Array(tally.utf8)
                )
            )
        }
        let loop = try pipeline.makeLoop()
        try loop.settle()
        pipeline.clock.advance(by: 10_000)
        try loop.settle()
        let entry = try #require(pipeline.journal().last { $0.text.contains(#""kind":"tally""#) })
        #expect(entry.text.contains(#""feedback":4"#), "\(entry.text)")
    }

    @Test("Counts of rows and facts above 2⁵³ are refused, because additions to them could trap")
    func rows() throws {
        let parser = JSONParser()
        func isReadable<T: JSONCodable>(_: T.Type, _ text: String) -> Bool {
            (try? parser.withDocument(of: Array(text.utf8)) { _ = try T(json: $0) }) != nil
        }
        let numbers = ["9007199254740992": true, "9007199254740993": false, "9223372036854775807": false]
        for (number, isAccepted) in numbers {
            #expect(isReadable(CyclePhaseTime.self, #"{"count":\#(number),"total_ms":0,"last_ms":0}"#) == isAccepted)
            let position = #"{"entry_number":\#(number),"time_ms":0,"build":"","ticks":0}"#
            #expect(isReadable(LoopPosition.self, position) == isAccepted)
            let logPosition =
                #"{"sequence":\#(number),"ordinal":0,"training":0,"validation":0,"test":0,"new_training":0,"new_labels":0,"newest_sample_at_ms":0}"#
            #expect(isReadable(LogPosition.self, logPosition) == isAccepted)
            let cut =
                #"{"kind":"version_cut","sequence":\#(number),"ordinal":1,"counts":{"training":0,"validation":0,"test":0},"classes":[]}"#
            #expect(isReadable(DatasetLogRecord.self, cut) == isAccepted)
        }
    }

    @Test("Offset metadata that no worker wrote is ignored")
    func offsetMetadata() {
        #expect(OffsetMetadata("one 9223372036854775807 0") == nil)
        #expect(OffsetMetadata("one 7 9223372036854775807") == nil)
        #expect(OffsetMetadata("few -9223372036854775808 9223372036854775807") == nil)
        #expect(OffsetMetadata("few 0 9223372036854775807") == .few(from: 0, until: .max))
        #expect(OffsetMetadata("one 7 3") == .one(7, deaths: 3))
    }

    @Test("Intake refuses the announcement of a version with more labels than the maximum")
    func announcement() throws {
        let pipeline = try Pipeline()
        for number in [Int.max, Counting.limit] {
            let digest = String(repeating: "a", count: 64)
            let manifest = #"{"uri":"file:///m","size":1,"sha256":"\#(digest)"}"#
            let counts = #"{"training":\#(number),"validation":0,"test":0}"#
            let value =
                #"{"project":"shapes","version":"\#(digest)","ordinal":1,"semantic_version":"1.0.0","manifest":\#(manifest),"counts":\#(counts)}"#
            try pipeline.send(.datasetVersions, Array(value.utf8))
        }
        let intake = try pipeline.makeIntake()
        try intake.settle()
        let counts = try #require(intake.processor as? IntakeProcessor).counts
        #expect(counts.dead == ["schema": 1] && counts.accepted == 1)
    }
}
