import Events
import Flywheel
import JSON
import Testing
import Vocabulary

@Suite struct JournalEntryKindTests {
    /// Kinds that build 0.1.0 knows; the set never grows.
    private static let first: Set = [
        "configured", "candidate", "feedback", "annotation", "training_result", "version_sealed", "command", "tally",
        "tick", "engine",
    ]

    @Test(
        "A kind unknown to build 0.1.0 has a form unknown to it, so that the build stops there",
        arguments: JournalEntry.Kind.allCases
    )
    func forms(kind: JournalEntry.Kind) {
        #expect(kind.formVersion >= (Self.first.contains(kind.rawValue) ? 1 : 2))
    }

    @Test(
        "An entry with a later form than its kind's, or with an unknown kind, is reported as a newer build's",
        arguments: JournalEntry.Kind.allCases
    )
    func newer(kind: JournalEntry.Kind) throws {
        for text in [
            #"{"v":\#(kind.formVersion + 1),"kind":"\#(kind)","project":"p","entry":{}}"#,
            #"{"v":1,"kind":"\#(kind)s","project":"p","entry":{}}"#, #"{"v":1,"kind":""}"#,
        ] {
            let error = #expect(throws: JSONError.self) {
                try JSONParser().withDocument(of: Array(text.utf8)) { try JournalEntry(json: $0) }
            }
            #expect(error?.kind == .newerForm && error?.reason.contains("newer build") ?? false, "\(text)")
        }
    }

    @Test("An entry is written in the earliest form that can express it, so that earlier builds can read it")
    func written() throws {
        let project = ProjectID("p")
        let artifact = ArtifactReference(uri: "s3://m", size: nil, sha256: nil)
        let incumbent = IncumbentModel(version: ModelVersion("m"), artifact: artifact)
        let bodies: [(JournalEntry.Body, Int)] = [
            (.engine(build: "1"), 1), (.tick(ChainMark(entryNumber: 1, digest: "")), 1),
            (.command(Command(id: "c", action: .hold, by: "a", reason: "r")), 1),
            (.command(Command(id: "c", action: .register(incumbent), by: "a", reason: "r")), 2),
            (.command(Command(id: "c", action: .retract(SampleID("s")), by: "a", reason: "r")), 3),
            (.command(Command(id: "c", action: .freeze, by: "a", reason: "r")), 4),
            (.command(Command(id: "c", action: .unfreeze, by: "a", reason: "r")), 4),
        ]
        for (body, form) in bodies {
            let bytes = JournalEntry(project: project, body: body).jsonBytes
            let version = try JSONParser().withDocument(of: bytes) { try $0.object().int("v") }
            #expect(version == form && body.formVersion == form)
            #expect(form <= body.kind.formVersion)
        }
    }
}
