import Engine
import Events
import Flywheel
import JSON
import StreamRuntime
import StreamTesting
import Telemetry
import Testing
import Vocabulary

@Suite("Names and headers of strangers")
struct ForeignNamesTests {
    static let bad = [
        "a\u{9B}31m", "a\u{85}b", "abc\u{202E}gpj", "\u{2066}x", "x\u{200F}", "a\u{2028}b", "a\u{2029}b", "\u{FEFF}a",
    ]

    /// A prediction as a service writes it, the name's characters as they are.
    private func prediction(sample: String, version: String = "v1") -> [UInt8] {
        Wire.prediction(Sample(id: SampleID(sample)), [0.4, 0.3, 0.3], version: version)
    }

    private func letters(_ plant: Plant) -> [StoredRecord] { plant.cluster.committed(plant.topics[.deadLetters]) }

    @Test("No name with a character that a terminal obeys passes the door, plain or escaped", arguments: bad)
    func door(name: String) throws {
        let plant = try Plant()
        let escaped = ForeignText.line(name)
        var sent = 0
        for name in [name, escaped] {
            try plant.send(
                .predictions,
                Array(String(decoding: prediction(sample: "@"), as: UTF8.self).replacing("@", with: name).utf8)
            )
            try plant.send(
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
                try plant.send(.annotations, Array(text.replacing("@", with: name).utf8))
            }
            for text in [
                #"{"project":"shapes","sample":"@","model":{"version":"v"},"user":"u","verdict":"positive"}"#,
                #"{"project":"shapes","sample":"s","model":{"version":"@"},"user":"u","verdict":"positive"}"#,
                #"{"project":"shapes","sample":"s","model":{"version":"v"},"user":"@","verdict":"positive"}"#,
            ] {
                try plant.send(.feedback, Array(text.replacing("@", with: name).utf8))
            }
            let result = #"{"project":"shapes","request":"@","trial":0,"repeat":0,"status":"failed","error":"no"}"#
            try plant.send(.trainingResults, Array(result.replacing("@", with: name).utf8))
            let command = #"{"project":"shapes","id":"@","action":"hold","by":"ada","reason":"x"}"#
            try plant.send(.commands, Array(command.replacing("@", with: name).utf8))
            sent += 9
        }
        let intake = try plant.makeIntake()
        try intake.settle()
        #expect(letters(plant).count == sent)
        #expect(letters(plant).allSatisfy { $0.header("flywheel.reason.code") == "schema" })
        #expect(letters(plant).allSatisfy { ForeignText.isPlain($0.header("flywheel.reason.text") ?? "\n") })
        #expect(plant.journal().allSatisfy { !$0.text.contains(name) })
    }

    @Test("Names of people's languages pass", arguments: ["bild ß 東/7", "שלום", "مرحبا", "👩‍🔬"])
    func languages(name: String) throws {
        let plant = try Plant()
        try plant.send(.predictions, prediction(sample: name))
        let intake = try plant.makeIntake()
        try intake.settle()
        #expect(letters(plant).isEmpty)
        #expect(plant.journal().contains { $0.text.contains(name) })
    }

    @Test("What a journal took in by older rules is still read", arguments: bad)
    func oldJournal(name: String) throws {
        let entry = JournalEntry(
            project: World.project,
            body: .annotation(Annotation(task: TaskID(name), annotator: AnnotatorID(name), outcome: .skip))
        )
        let again = try JSONParser().withDocument(of: entry.jsonBytes) { try JournalEntry(json: $0) }
        #expect(again == entry)
    }

    @Test("A producer's headers cannot pass for ours, and come back as they were")
    func headers() throws {
        let plant = try Plant()
        let own = [
            RecordHeader("flywheel.reason.code", "fine"), RecordHeader("flywheel.redrive.attempt", "7"),
            RecordHeader("producer.flywheel.x", "1"), RecordHeader("producer.y", "2"),
            RecordHeader("__connect.errors.topic", "t.journal"), RecordHeader("flywheel.left_out", "1000000"),
            RecordHeader("flywheel.value.cut", "true"), RecordHeader("flywheel.headers.cut", "true"),
            RecordHeader("flywheel.redriven.letter", "0/0"), RecordHeader("\u{1B}]0;x\u{7}", nil),
        ]
        try plant.send(.annotations, Array(#"{"project":"nowhere"}"#.utf8), headers: own)
        try plant.settle()
        let letter = try #require(letters(plant).first)
        #expect(letter.headers.filter { $0.name == "flywheel.reason.code" }.count == 1)
        #expect(letter.headers.filter { $0.name == "flywheel.left_out" }.isEmpty)
        #expect(letter.header("flywheel.reason.code") == "unknown_project")
        #expect(letter.header("__connect.errors.topic") == plant.topics[.annotations])
        #expect(letter.header("producer.flywheel.left_out") == "1000000")
        #expect(letter.header("producer.producer.flywheel.x") == "1")
        #expect(letter.header("producer.y") == "2")

        let scan = try LetterScan(transport: plant.cluster, topics: plant.topics)
        defer { scan.close() }
        var stored: [StoredLetter] = []
        try scan.forEachLetter { stored.append($0) }
        #expect(stored.first?.headers == own)
        #expect(stored.first?.attempt == 0)
        #expect(stored.first?.isValueCut == false)
        #expect(stored.first?.areHeadersCut == false)
        #expect(try scan.marks().marks.isEmpty)

        let redrive = Redrive(
            transport: plant.cluster,
            topics: plant.topics,
            by: "test",
            now: { plant.clock.now },
            pause: { _ in }
        )
        #expect(try redrive.run(LetterFilter()).sent == 1)
        let again = try #require(plant.cluster.committed(plant.topics[.annotations]).last)
        #expect(Array(again.headers.dropFirst(2)) == own)
        #expect(again.headers.prefix(2).map(\.name) == ["flywheel.redrive.attempt", "flywheel.redrive.letter"])
        try plant.settle()
        var attempts: [Int] = []
        try scan.forEachLetter { attempts.append($0.attempt) }
        #expect(attempts.sorted() == [0, 1])
    }
}
