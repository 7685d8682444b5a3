import Acquisition
import Events
import Flywheel
import Foundation
import JSON
import PipelineTesting
import StreamRuntime
import StreamTesting
import Telemetry
import Testing
import Vocabulary

@testable import DeadLetters
@testable import EngineCore
@testable import Intake
@testable import Operations

@Suite("Names and headers of other producers")
struct ForeignNamesTests {
    static let bad = [
        "a\u{9B}31m", "a\u{85}b", "abc\u{202E}gpj", "\u{2066}x", "x\u{200F}", "a\u{2028}b", "a\u{2029}b", "\u{FEFF}a",
    ]

    /// A prediction as a service writes it, with the name's characters unescaped.
    private func prediction(sample: String, version: String = "v1") -> [UInt8] {
        Wire.prediction(Sample(id: SampleID(sample)), [0.4, 0.3, 0.3], version: version)
    }

    private func deadLetters(_ pipeline: Pipeline) -> [StoredRecord] {
        pipeline.cluster.committed(pipeline.topics[.deadLetters])
    }

    @Test("Intake accepts no name with a terminal control character, plain or escaped", arguments: bad)
    func controlCharacters(name: String) throws {
        let pipeline = try Pipeline()
        let escaped = ForeignText.line(name)
        var sent = 0
        for name in [name, escaped] {
            try pipeline.send(
                .predictions,
                Array(String(decoding: prediction(sample: "@"), as: UTF8.self).replacing("@", with: name).utf8)
            )
            try pipeline.send(
                .predictions,
                Array(
                    String(decoding: prediction(sample: "s", version: "@"), as: UTF8.self).replacing("@", with: name)
                        .utf8
                )
            )
            for text in [
                #"{"project":"shapes","task":"@","annotator":"a","outcome":"skip"}"#,
                #"{"project":"shapes","task":"t","annotator":"@","outcome":"skip"}"#,
            ] {
                try pipeline.send(.annotations, Array(text.replacing("@", with: name).utf8))
            }
            for text in [
                #"{"project":"shapes","sample":"@","model":{"version":"v"},"user":"u","verdict":"confirmation"}"#,
                #"{"project":"shapes","sample":"s","model":{"version":"@"},"user":"u","verdict":"confirmation"}"#,
                #"{"project":"shapes","sample":"s","model":{"version":"v"},"user":"@","verdict":"confirmation"}"#,
            ] {
                try pipeline.send(.feedback, Array(text.replacing("@", with: name).utf8))
            }
            let result = #"{"project":"shapes","request":"@","trial":0,"repeat":0,"status":"failed","error":"no"}"#
            try pipeline.send(.trainingResults, Array(result.replacing("@", with: name).utf8))
            let command = #"{"project":"shapes","id":"@","action":"hold","by":"ada","reason":"x"}"#
            try pipeline.send(.commands, Array(command.replacing("@", with: name).utf8))
            sent += 9
        }
        let intake = try pipeline.makeIntake()
        try intake.settle()
        #expect(deadLetters(pipeline).count == sent)
        #expect(deadLetters(pipeline).allSatisfy { $0.header("flywheel.reason.code") == "schema" })
        #expect(deadLetters(pipeline).allSatisfy { ForeignText.isPlain($0.header("flywheel.reason.text") ?? "\n") })
        #expect(pipeline.journal().allSatisfy { !$0.text.contains(name) })
    }

    @Test("Names in human languages are accepted", arguments: ["bild ß 東/7", "שלום", "مرحبا", "👩‍🔬"])
    func languages(name: String) throws {
        let pipeline = try Pipeline()
        try pipeline.send(.predictions, prediction(sample: name))
        let intake = try pipeline.makeIntake()
        try intake.settle()
        #expect(deadLetters(pipeline).isEmpty)
        #expect(pipeline.journal().contains { $0.text.contains(name) })
    }

    /// Pairs of different bytes that Unicode, and a table of this project, hold to be one text; the first is composed.
    static let twins = [
        ("é", "e\u{301}"), ("한", "\u{1112}\u{1161}\u{11AB}"), ("Å", "\u{212B}"), ("\u{1E69}", "s\u{307}\u{323}"),
    ]

    @Test(
        "Of two names that are equivalent in Unicode the composed one is accepted and the other is refused",
        arguments: twins
    )
    func composed(_ name: String, _ twin: String) throws {
        #expect(name == twin && !name.utf8.elementsEqual(twin.utf8))
        func events(_ name: String) -> [(Topic, [UInt8])] {
            let texts: [(Topic, String)] = [
                (.annotations, #"{"project":"shapes","task":"@","annotator":"a","outcome":"skip"}"#),
                (.annotations, #"{"project":"shapes","task":"t","annotator":"@","outcome":"skip"}"#),
                (
                    .feedback,
                    #"{"project":"shapes","sample":"@","model":{"version":"v"},"user":"u","verdict":"confirmation"}"#
                ),
                (
                    .feedback,
                    #"{"project":"shapes","sample":"s","model":{"version":"@"},"user":"u","verdict":"confirmation"}"#
                ),
                (
                    .trainingResults,
                    #"{"project":"shapes","request":"@","trial":0,"repeat":0,"status":"failed","error":"no"}"#
                ),
                (.commands, #"{"project":"shapes","id":"@","action":"hold","by":"ada","reason":"x"}"#),
            ]
            return [
                (.predictions, prediction(sample: name)), (.predictions, prediction(sample: "s", version: name)),
            ] + texts.map { ($0, Array($1.replacing("@", with: name).utf8)) }
        }
        let pipeline = try Pipeline()
        for (topic, value) in events(name) + events(twin) { try pipeline.send(topic, value) }
        let intake = try pipeline.makeIntake()
        try intake.settle()
        let counts = try #require(intake.processor as? IntakeProcessor).counts
        #expect(counts.accepted == 8 && counts.dead == ["schema": 8])
        #expect(deadLetters(pipeline).allSatisfy { $0.header("flywheel.reason.text")?.contains("NFC") == true })
        // The digest of a user is computed from the bytes of the name.
        for user in [name, twin] {
            let text = #"{"project":"shapes","sample":"s","model":{"version":"v"},"user":"@","verdict":"confirmation"}"#
            try pipeline.send(.feedback, Array(text.replacing("@", with: user).utf8))
        }
        try intake.settle()
        #expect(try #require(intake.processor as? IntakeProcessor).counts.accepted == 10)
    }

    @Test("Text that the quick check accepts as composed is composed, alone and after any letter")
    func surelyComposed() {
        for value in UInt32(0)...0x1FFFF where ComposedText.isCertainlyComposed(scalar: value) {
            guard let scalar = UnicodeScalar(value) else { continue }
            #expect(scalar.properties.canonicalCombiningClass == .notReordered)
            for before in ["", "a", "E", "か", "가", "ا", "и"] {
                let text = before + String(String.UnicodeScalarView([scalar]))
                guard text.precomposedStringWithCanonicalMapping.utf8.elementsEqual(text.utf8) else {
                    Issue.record("\(before) and U+\(String(value, radix: 16))")
                    continue
                }
            }
        }
        #expect(ComposedText.isComposed("क्षत्रिय") && !ComposedText.isCertainlyComposed("क्षत्रिय".utf8))
        #expect(!ComposedText.isComposed("e\u{301}") && !ComposedText.isCertainlyComposed("e\u{301}".utf8))
    }

    @Test("A new class whose name has invisible characters is not applied; one in force is kept", arguments: bad)
    func classes(name: String) throws {
        let usual = Scenario.configuration()
        func configuration(_ classes: [String]) -> ProjectConfiguration {
            ProjectConfiguration(
                project: usual.project,
                revision: 1,
                partition: usual.partition,
                schema: LabelSchema(question: "What is it?", classes: classes),
                acquisition: usual.acquisition
            )
        }
        let pipeline = try Pipeline(configuration: configuration(["circle", name]))
        let apply = ProjectApply(transport: pipeline.cluster, topics: pipeline.topics)
        guard case .revised = try apply.apply(configuration(["circle", name, "square"]), partitions: 2) else {
            Issue.record("what stood there before keeps the project from being changed")
            return
        }
        let error = #expect(throws: EngineError.self) {
            try apply.apply(configuration(["circle", name, "square", name + "2"]), partitions: 2)
        }
        #expect(error.map { "\($0)".contains("is invisible") && ForeignText.isPlain("\($0)") } == true)
    }

    /// Before: a window of one second produced a tick each second, for ever.
    @Test("A new revision's window is a minute or longer; a shorter one that is already in force is kept")
    func windows() throws {
        func configuration(_ window: Int64, question: String = "What is it?") -> ProjectConfiguration {
            let usual = Scenario.configuration()
            var policy = usual.acquisition
            policy.window = window
            return ProjectConfiguration(
                project: usual.project,
                revision: 1,
                partition: usual.partition,
                schema: LabelSchema(question: question, classes: Scenario.classes),
                acquisition: policy
            )
        }
        let fresh = try Pipeline(isApplied: false)
        let first = ProjectApply(transport: fresh.cluster, topics: fresh.topics)
        let error = #expect(throws: EngineError.self) { try first.apply(configuration(1_000), partitions: 2) }
        #expect(error?.reason == "acquisition.window: expected at least 1m, found 1000ms")
        _ = try first.apply(configuration(60_000), partitions: 2)
        let old = try Pipeline(configuration: configuration(1_000))
        let apply = ProjectApply(transport: old.cluster, topics: old.topics)
        guard case .revised = try apply.apply(configuration(1_000, question: "Which is it?"), partitions: 2) else {
            Issue.record("what is in force keeps the project from being changed")
            return
        }
        #expect(throws: EngineError.self) { try apply.apply(configuration(2_000), partitions: 2) }
    }

    /// Before: a class with é in two characters was accepted like any other.
    @Test("A new class has one spelling, an old one keeps its own, and two spellings of one name are never two classes")
    func spellings() throws {
        let usual = Scenario.configuration()
        let (composed, twin) = ("caf\u{E9}", "cafe\u{301}")
        func configuration(_ classes: [String]) -> ProjectConfiguration {
            ProjectConfiguration(
                project: usual.project,
                revision: 1,
                partition: usual.partition,
                schema: LabelSchema(question: "What is it?", classes: classes),
                acquisition: usual.acquisition
            )
        }
        // A class name in force in an earlier spelling is kept, and classes can be added after it.
        let pipeline = try Pipeline(configuration: configuration(["tea", twin]))
        let apply = ProjectApply(transport: pipeline.cluster, topics: pipeline.topics)
        let outcome = try apply.apply(configuration(["tea", twin, "milk"]), partitions: 2)
        guard case .revised(let next, _) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(next.schema.classes[1].unicodeScalars.count == 5)
        for (classes, message) in [
            (["tea", composed, "milk", "water"], "spelt otherwise"), (["tea", twin, "milk", "re\u{301}"], "NFC"),
        ] {
            let error = #expect(throws: EngineError.self) { try apply.apply(configuration(classes), partitions: 2) }
            #expect(error?.reason.contains(message) == true, "\(String(describing: error))")
        }
        // Both spellings are one class, so a schema with both has a duplicate.
        let schema = next.schema
        #expect(schema.index(of: composed) == schema.index(of: twin) && schema.index(of: twin) == ClassIndex(1))
        let both = configuration(["tea", composed, twin]).jsonBytes
        #expect(throws: JSONError.self) {
            try JSONParser().withDocument(of: both) { try ProjectConfiguration(json: $0) }
        }
        for name in [composed, twin] {
            let text =
                #"{"project":"shapes","task":"t","annotator":"a","outcome":"answer","answer":{"kind":"choice","class":"@"}}"#
            try pipeline.send(.annotations, Array(text.replacing("@", with: name).utf8))
        }
        let intake = try pipeline.makeIntake()
        try intake.settle()
        let counts = try #require(intake.processor as? IntakeProcessor).counts
        let reasons = deadLetters(pipeline).map { $0.header("flywheel.reason.text") ?? "" }
        #expect(counts.accepted == 2 && counts.deadTotal == 0, "\(reasons)")
    }

    @Test("Entries that were accepted under older rules are still read", arguments: bad)
    func oldJournal(name: String) throws {
        let entry = JournalEntry(
            project: Scenario.project,
            body: .annotation(Annotation(task: TaskID(name), annotator: AnnotatorID(name), outcome: .skip))
        )
        let again = try JSONParser().withDocument(of: entry.jsonBytes) { try JournalEntry(json: $0) }
        #expect(again == entry)
    }

    @Test("A producer's headers are kept apart from Flywheel's, and are restored unchanged")
    func headers() throws {
        let pipeline = try Pipeline()
        let producerHeaders = [
            RecordHeader("flywheel.reason.code", "fine"), RecordHeader("flywheel.redrive.attempt", "7"),
            RecordHeader("producer.flywheel.x", "1"), RecordHeader("producer.y", "2"),
            RecordHeader("__connect.errors.topic", "t.journal"), RecordHeader("flywheel.left_out", "1000000"),
            RecordHeader("flywheel.value.cut", "true"), RecordHeader("flywheel.headers.cut", "true"),
            RecordHeader("flywheel.redriven.letter", "0/0"), RecordHeader("\u{1B}]0;x\u{7}", nil),
        ]
        try pipeline.send(.annotations, Array(#"{"project":"nowhere"}"#.utf8), headers: producerHeaders)
        try pipeline.settle()
        let deadLetter = try #require(deadLetters(pipeline).first)
        #expect(deadLetter.headers.filter { $0.name == "flywheel.reason.code" }.count == 1)
        #expect(deadLetter.headers.filter { $0.name == "flywheel.left_out" }.isEmpty)
        #expect(deadLetter.header("flywheel.reason.code") == "unknown_project")
        #expect(deadLetter.header("__connect.errors.topic") == pipeline.topics[.annotations])
        #expect(deadLetter.header("producer.flywheel.left_out") == "1000000")
        #expect(deadLetter.header("producer.producer.flywheel.x") == "1")
        #expect(deadLetter.header("producer.y") == "2")

        let scan = try DeadLetterScan(transport: pipeline.cluster, topics: pipeline.topics)
        defer { scan.close() }
        var stored: [DeadLetter] = []
        try scan.forEachDeadLetter { stored.append($0) }
        #expect(stored.first?.headers == producerHeaders)
        #expect(stored.first?.attempt == 0)
        #expect(stored.first?.isValueCut == false)
        #expect(stored.first?.areHeadersCut == false)
        #expect(try scan.marks().marks.isEmpty)

        let redrive = Redrive(
            transport: pipeline.cluster,
            topics: pipeline.topics,
            by: "test",
            now: { pipeline.clock.now },
            pause: { _ in }
        )
        #expect(try redrive.run(DeadLetterFilter()).sent == 1)
        let again = try #require(pipeline.cluster.committed(pipeline.topics[.annotations]).last)
        #expect(Array(again.headers.dropFirst(2)) == producerHeaders)
        #expect(again.headers.prefix(2).map(\.name) == ["flywheel.redrive.attempt", "flywheel.redrive.letter"])
        try pipeline.settle()
        var attempts: [Int] = []
        try scan.forEachDeadLetter { attempts.append($0.attempt) }
        #expect(attempts.sorted() == [0, 1])
    }
}
