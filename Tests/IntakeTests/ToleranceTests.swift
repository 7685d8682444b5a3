import Acquisition
import Events
import Flywheel
import Intake
import JSON
import PipelineTesting
import StreamRuntime
import StreamTesting
import Testing
import Vocabulary

/// Intake accepts a value whose meaning is clear and reports one that cannot be meant, on the in-memory cluster.
@Suite("Tolerance of Intake")
struct ToleranceTests {
    /// An Intake that has processed some records, and the outcome.
    private struct ProcessedRecords {
        let pipeline: Pipeline
        let counts: IntakeCounts
        /// Values of the journal without its revisions.
        let entries: [String]
        /// Texts of the reasons, in the order of the dead letters.
        let reasons: [String]
    }

    private func process(_ records: [(topic: Topic, value: [UInt8])]) throws -> ProcessedRecords {
        var acquisition = Scenario.configuration().acquisition
        acquisition.auditCutoff = 1
        let usual = Scenario.configuration()
        let pipeline = try Pipeline(
            configuration: ProjectConfiguration(
                project: usual.project,
                revision: 1,
                partition: usual.partition,
                schema: usual.schema,
                acquisition: acquisition
            )
        )
        for (topic, value) in records { try pipeline.send(topic, value) }
        let intake = try pipeline.makeIntake()
        try intake.settle()
        return ProcessedRecords(
            pipeline: pipeline,
            counts: try #require(intake.processor as? IntakeProcessor).counts,
            entries: pipeline.journal().map(\.text).filter { !$0.contains(#""kind":"configured""#) },
            reasons: pipeline.cluster.committed(pipeline.topics[.deadLetters]).map {
                $0.header("flywheel.reason.text") ?? ""
            }
        )
    }

    private func process(_ topic: Topic, _ text: String) throws -> ProcessedRecords {
        try process([(topic, Array(text.utf8))])
    }

    /// Before: 3 records produced 3 dead letters, `bad_probabilities`. Now 3 entries.
    @Test("A service that computes its last probability as 1 minus the others loses no prediction")
    func tinyNegatives() throws {
        let numbers = ["-2.7755575615628914e-17", "-1e-17", "-5.9604645e-08"]
        let processed = try process(
            numbers.map { number in
                let output = BadInput.choice(#"{"circle":0.7,"square":0.3,"star":\#(number)}"#)
                return (.predictions, Array(BadInput.prediction(output).utf8))
            }
        )
        #expect(processed.counts.dead.isEmpty && processed.entries.count == 3)
        for entry in processed.entries { #expect(entry.contains(#""probabilities":[0.7,0.3,0.0]"#), "\(entry)") }
    }

    /// Before: `schema`, "expected a string, found a number": all of a service's predictions were refused for a shop's
    /// number. Now none.
    @Test("Numbers and booleans in metadata are passed on to the loop as texts")
    func metadata() throws {
        let metadata = #"{"shop":17,"checked":true,"weight":2.5,"lane":"a","none":null,"big":1e20}"#
        let processed = try process(.predictions, #"{"project":"shapes","sample":{"id":"x","metadata":\#(metadata)}}"#)
        #expect(processed.counts.dead.isEmpty)
        let entry = try #require(processed.entries.first)
        #expect(
            entry.contains(#""metadata":{"big":"1e+20","checked":"true","lane":"a","shop":"17","weight":"2.5"}"#),
            "\(entry)"
        )
        #expect(processed.counts.remarked == ["sample.metadata": 1])
    }

    @Test("Metadata beyond its limits is kept as far as it fits")
    func muchMetadata() throws {
        let long = String(repeating: "é", count: 200)
        let many = (0..<20).map { #""k\#($0)":"v""# }.joined(separator: ",")
        let key = String(repeating: "k", count: 65)
        let metadata = #"{"long":"\#(long)","\#(key)":"v","":"v","list":[1],"long":"again",\#(many)}"#
        let processed = try process(.predictions, #"{"project":"shapes","sample":{"id":"x","metadata":\#(metadata)}}"#)
        #expect(processed.counts.dead.isEmpty)
        let entry = try #require(processed.entries.first)
        #expect(entry.contains(#""long":"\#(String(repeating: "é", count: 128))""#), "\(entry)")
        #expect(entry.contains(#""k14":"v""#) && !entry.contains(#""k15":"v""#) && !entry.contains(key))
    }

    /// Informative members of each event, each with an event that contains it.
    private static let informative: [(topic: Topic, member: String, event: String)] = {
        let prediction = BadInput.prediction(BadInput.good)
        func inModel(_ name: String) -> String {
            prediction.replacing(
                #""model":{"name":"m","version":"v1","variant":"base""#,
                with: #""model":{"version":"v1","\#(name)":@"#
            )
        }
        let feedback = #"{"project":"shapes","sample":"s","model":{"version":"v1"},"user":"u","verdict":"rejection""#
        let annotation = #"{"project":"shapes","task":"t","annotator":"a","outcome":"flag""#
        let result = #"{"project":"shapes","request":"r","trial":0,"repeat":0,"status":"failed""#
        var all: [(Topic, String, String)] = [
            (.predictions, "sample.metadata", prediction.replacing(#""id":"x""#, with: #""id":"x","metadata":@"#)),
            (
                .predictions, "sample.metadata",
                prediction.replacing(#""id":"x""#, with: #""id":"x","metadata":{"a":@}"#)
            ),
            (.predictions, "model.name", inModel("name")), (.predictions, "model.variant", inModel("variant")),
            (
                .trainingResults, "left_out.example",
                result + #","left_out":{"training":1,"test":0,"example":@}}"#
            ),
        ]
        for member in ["predicted_at_ms", "score"] {
            all.append((.predictions, member, prediction.dropLast() + #","\#(member)":@}"#))
        }
        for member in ["id", "source", "given_at_ms", "answer"] {
            all.append((.feedback, member, feedback + #","\#(member)":@}"#))
        }
        for member in ["note", "duration_ms", "answered_at_ms"] {
            all.append((.annotations, member, annotation + #","\#(member)":@}"#))
        }
        for member in ["error", "reason", "duration_ms"] {
            all.append((.trainingResults, member, result + #","\#(member)":@}"#))
        }
        return all
    }()

    private static let odd: [String] = [
        "7", "-7", "0.5", "2.5e3", "-1e300", "1e-300", "1767225600000", "9223372036854775807", "18446744073709551615",
        "true", "false", "null", "\"\"", "\"soon\"", "\"2026-01-01\"", "[]", "[1]", "{}", #"{"kind":"choice"}"#,
        #"{"kind":"choice","class":"moon"}"#, "\"\(String(repeating: "x", count: 3_000))\"",
    ]

    /// Before: 289 of these 357 records were dead letters (`schema`, `time_out_of_bounds`, `unknown_class`). Now none.
    @Test("No event is refused for a member that is only informative, whatever its value")
    func informative() throws {
        for (topic, member, event) in Self.informative {
            let records = Self.odd.map { (topic, Array(event.replacing("@", with: $0).utf8)) }
            let processed = try process(records)
            #expect(processed.counts.accepted == Int64(Self.odd.count), "\(topic) \(member): \(processed.reasons)")
            #expect(processed.counts.dead.isEmpty, "\(topic) \(member): \(processed.reasons)")
            #expect(Array(processed.counts.remarked.keys) == [member], "\(processed.counts.remarked)")
        }
    }

    /// Before: `schema`, "expected an integer, found 2150.5", and the answer was lost. Now its vote counts.
    @Test(
        "A fractional duration is rounded",
        arguments: [("2150.5", 2_151), ("2150.4999", 2_150), ("0.2", 0), ("3.0", 3)]
    )
    func duration(text: String, milliseconds: Int) throws {
        let answer = #"{"project":"shapes","task":"t","annotator":"a","outcome":"skip","duration_ms":\#(text)}"#
        let processed = try process(.annotations, answer)
        #expect(processed.entries.first?.contains(#""duration_ms":\#(milliseconds)}"#) == true, "\(processed.entries)")
    }

    @Test("An impossible time is omitted: the record's own time replaces it")
    func times() throws {
        for time in ["1767225600", "0", "99999999999999"] {
            let processed = try process(
                .predictions,
                BadInput.prediction(BadInput.good, more: #","predicted_at_ms":\#(time)"#)
            )
            let recordTime = processed.pipeline.clock.now
            #expect(
                processed.entries.first?.contains(#""predicted_at_ms":\#(recordTime)"#) == true,
                "\(processed.entries)"
            )
            #expect(processed.counts.remarked == ["predicted_at_ms": 1])
        }
    }

    /// Before: "expected a value, found byte 0", "found byte 239".
    @Test("The format of a value that is not JSON is named, with a remedy")
    func framings() throws {
        let event = Array(BadInput.prediction(BadInput.good).utf8)
        let processed = try process([
            (.predictions, [0, 0, 0, 1, 7] + event), (.predictions, [0, 0, 0, 0, 42, 6, 0x78, 0x79, 0x7A]),
            (.predictions, [0xEF, 0xBB, 0xBF] + event), (.predictions, [0xFF, 0xFE, 0x7B, 0]),
            (.predictions, [0x1F, 0x8B, 8, 0]), (.predictions, [0, 1, 2]),
        ])
        #expect(processed.counts.dead == ["not_json": 6])
        let expected = [
            "schema id 263 in four bytes), which Flywheel does not read; leave out these five bytes",
            "schema id 42 in four bytes), which Flywheel does not read; what follows them is Avro or Protobuf",
            "begins with a byte order mark (EF BB BF)", "the value is UTF-16", "compressed by gzip", "found byte 0",
        ]
        #expect(processed.reasons.count == expected.count)
        for (reason, part) in zip(processed.reasons, expected) { #expect(reason.contains(part), "\(reason)") }
    }

    @Test("The check without a broker reports for each record what Intake does with it", arguments: BadInput.all)
    func check(_ input: BadInput) throws {
        let kinds: [Topic] = [.predictions, .feedback, .annotations, .trainingResults]
        guard kinds.contains(input.topic), let value = input.value else { return }
        let usual = Scenario.configuration()
        let door = try DoorCheck([
            ProjectConfiguration(
                project: usual.project,
                revision: 1,
                partition: 0,
                schema: usual.schema,
                requireTokens: false
            )
        ])
        let verdict = value.withUnsafeBytes { door.check($0, on: input.topic) }
        let processed = try process([(input.topic, value)])
        switch verdict {
        case .taken: #expect(processed.counts.dead.isEmpty, "\(processed.reasons)")
        case .refused(let rejection):
            #expect(processed.counts.dead == [rejection.code.rawValue: 1])
            #expect(processed.reasons == [rejection.text])
        }
        // Records checked earlier do not change the verdict.
        #expect(value.withUnsafeBytes { door.check($0, on: input.topic) } == verdict)
    }

    @Test("Tokens are required unless the revision states otherwise, and this check does not verify their values")
    func tokens() throws {
        let usual = Scenario.configuration()
        let door = try DoorCheck([usual])
        let answer = #"{"project":"shapes","task":"t","annotator":"a","outcome":"skip"}"#
        let verdict = Array(answer.utf8).withUnsafeBytes { door.check($0, on: .annotations) }
        guard case .refused(let rejection) = verdict else {
            Issue.record("taken without a token")
            return
        }
        #expect(rejection.code == .missingToken)
        let vouched = Array((answer.dropLast() + #","token":"x"}"#).utf8)
        #expect(vouched.withUnsafeBytes { door.check($0, on: .annotations) } == .taken(Remarks()))
    }
}
