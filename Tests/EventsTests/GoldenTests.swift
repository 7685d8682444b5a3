import Events
import Flywheel
import JSON
import Testing
import Vocabulary

@Suite struct GoldenTests {
    /// Events whose values are read and written outside of `Events`.
    static let withoutCodec: Set<String> = ["dead-letter", "state", "tally"]

    @Test("A golden file is read and written again byte for byte", arguments: SchemaFiles.paths("golden"))
    func golden(path: String) throws {
        let bytes = try SchemaFiles.bytes(path)
        let again = try SchemaFiles.recode(SchemaFiles.event(of: path), bytes)
        guard let again else {
            #expect(Self.withoutCodec.contains(SchemaFiles.event(of: path)), "there is no codec for \(path)")
            return
        }
        if path.contains("/foreign-") {
            // A file that another program wrote is read, and from then on is written in the project's own form.
            let third = try SchemaFiles.recode(SchemaFiles.event(of: path), again)
            #expect(third == again)
        } else {
            #expect(String(decoding: again, as: UTF8.self) + "\n" == String(decoding: bytes, as: UTF8.self))
        }
    }

    @Test("Every event with a codec has golden files")
    func coverage() {
        let events = Set(SchemaFiles.paths("golden").map { SchemaFiles.event(of: $0) })
        let inputs: Set<String> = ["prediction", "feedback", "annotation", "training-result", "command", "import"]
        let others: Set<String> = [
            "dataset-version", "project", "journal-entry", "labeling-task", "dataset-log", "training-request",
            "model-release", "release-log", "notice",
        ]
        #expect(events == inputs.union(others).union(Self.withoutCodec))
    }

    @Test("A counter-example is refused with a reason", arguments: SchemaFiles.paths("invalid"))
    func counterExample(path: String) throws {
        let event = SchemaFiles.event(of: path)
        guard !Self.withoutCodec.contains(event) else { return }
        let bytes = try SchemaFiles.bytes(path)
        do {
            _ = try SchemaFiles.recode(event, bytes)
            Issue.record("\(path) was accepted")
        } catch let rejection as RecordRejection {
            #expect(!rejection.text.isEmpty)
        } catch let error as JSONError {
            #expect(!error.reason.isEmpty)
            #expect(!error.path.isEmpty || path.contains("bad-project"), "\(error) does not say where")
        }
    }

    @Test(
        "A counter-example of an input is refused with its own code",
        arguments: [
            ("prediction/invalid/probability-above-one.json", RecordRejection.Code.badProbabilities),
            ("prediction/invalid/planned-kind.json", .unknownKind),
            ("prediction/invalid/no-sample.json", .schema),
            ("prediction/invalid/model-without-output.json", .schema),
            ("prediction/invalid/inline-too-large.json", .schema),
            ("annotation/invalid/answer-of-planned-kind.json", .unknownKind),
            ("annotation/invalid/answer-missing.json", .schema),
            ("feedback/invalid/correction-without-answer.json", .schema),
            ("feedback/invalid/unknown-verdict.json", .schema),
            ("training-result/invalid/score-above-one.json", .schema),
            ("training-result/invalid/upper-case-digest.json", .schema),
            ("command/invalid/unknown-action.json", .unknownCommand),
            ("command/invalid/no-reason.json", .schema),
        ]
    )
    func reasons(path: String, code: RecordRejection.Code) throws {
        let bytes = try SchemaFiles.bytes(path)
        let rejection = #expect(throws: RecordRejection.self) {
            try SchemaFiles.recode(SchemaFiles.event(of: path), bytes)
        }
        #expect(rejection?.code == code, "\(rejection?.description ?? "accepted")")
    }

    @Test("Golden rows of the state can be read by the codecs of its tables")
    func stateRows() throws {
        try JSONParser().withDocument(of: try SchemaFiles.bytes("state/golden/asked.json")) { json in
            let purpose = try TaskPurpose(json: json)
            #expect(purpose == .audit)
            #expect(TaskPurpose.audit.jsonBytes == Array("\"audit\"".utf8))
        }
        try JSONParser().withDocument(of: try SchemaFiles.bytes("state/golden/stage.json")) { json in
            let stage = try CyclePhaseTime(json: json)
            #expect(stage == CyclePhaseTime(count: 31, total: 62_000, last: 1_950))
            let golden = try SchemaFiles.bytes("state/golden/stage.json")
            #expect(stage.jsonBytes + [0x0A] == golden)
        }
    }
}
