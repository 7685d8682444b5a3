import DeadLetters
import EngineCore
import Events
import StreamRuntime
import StreamTesting
import Telemetry
import Testing

@testable import FlywheelCLI

/// Hostile bytes that another client may have put into a refused record.
private let hostile: [(name: String, bytes: [UInt8])] = [
    ("CSI", Array("\u{1B}[31mred\u{1B}[2J".utf8)), ("OSC", Array("\u{1B}]0;title\u{7}".utf8)),
    ("C1", Array("\u{9B}31m".utf8)),
    ("new lines", Array("a\r\nflywheel: all is well\nb".utf8)), ("bidi", Array("abc\u{202E}gpj".utf8)),
    ("separators", Array("a\u{2028}b\u{2029}c".utf8)), ("no UTF-8", [0x61, 0xFF, 0x9B, 0x1B]),
    ("1 MB", Array(repeating: 0x1B, count: 1 << 20)),
]

@Suite("Output of commands about dead letters") struct DeadLetterExitTests {
    /// A dead letter with hostile bytes in every field that can contain bytes, as another client with access to the
    /// topic could write it.
    private func deadLetter(_ bytes: [UInt8]) throws -> DeadLetter {
        let cluster = InMemoryCluster()
        let topics = TopicNames(prefix: "t.")
        cluster.createTopic(topics[.deadLetters], maximumBytes: 64 << 20)
        let text = String(decoding: bytes, as: UTF8.self)
        try cluster.append(
            OutputRecord(
                topic: topics[.deadLetters],
                partition: 0,
                key: bytes,
                value: bytes,
                headers: [
                    RecordHeader(text, bytes), RecordHeader("__connect.errors.topic", bytes),
                    RecordHeader("__connect.errors.partition", "0"), RecordHeader("__connect.errors.offset", "5"),
                    RecordHeader("__connect.errors.stage", bytes), RecordHeader("flywheel.reason.code", bytes),
                    RecordHeader("flywheel.reason.text", bytes), RecordHeader("flywheel.worker", bytes),
                    RecordHeader(text, bytes),
                ]
            )
        )
        let scan = try DeadLetterScan(transport: cluster, topics: topics)
        defer { scan.close() }
        return try #require(try scan.deadLetter(at: DeadLetterPosition(0, 0)))
    }

    private func expectPlain(_ text: String, lines: Int? = nil) {
        #expect(ForeignText.isPlain(text.replacing("\n", with: "")))
        if let lines { #expect(text.split(separator: "\n", omittingEmptySubsequences: false).count == lines) }
    }

    @Test("A dead letter takes one line of the list, and its control characters have no effect", arguments: hostile)
    func list(name: String, bytes: [UInt8]) throws {
        let row = DeadLetterRow(try deadLetter(bytes), [])
        expectPlain(Terminal.page(row.text), lines: 1)
        #expect(row.text.utf8.count < 5_000)
        expectPlain(Terminal.page(row.json), lines: 1)
    }

    @Test("A dead letter's page has the expected lines, and its control characters have no effect", arguments: hostile)
    func show(name: String, bytes: [UInt8]) throws {
        let deadLetter = try deadLetter(bytes)
        let mark = RedriveMark(
            deadLetter: deadLetter.position,
            attempt: 1,
            topic: deadLetter.code,
            by: deadLetter.worker,
            at: 0
        )
        let page = DeadLetterPage(deadLetter: deadLetter, marks: [mark])
        let text = Terminal.page(page.text)
        // All fields except the value, which is last, are on lines that the program formats itself.
        let value = "\nvalue      \(bytes.count) bytes\n"
        let parts = text.split(separator: value, omittingEmptySubsequences: false)
        #expect(parts.count == 2)
        expectPlain(text)
        expectPlain(String(parts[0]), lines: 5 + 1 + 1 + 1 + 1 + 8)
        expectPlain(Terminal.page(page.json), lines: 1)
    }

    @Test("Text quoted in a message cannot begin a message of its own", arguments: hostile)
    func message(name: String, bytes: [UInt8]) {
        let text = Terminal.message("could not read \"\(String(decoding: bytes, as: UTF8.self))\"")
        expectPlain(text)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.first?.hasPrefix("flywheel: ") == true)
        #expect(lines.dropFirst().allSatisfy { $0.hasPrefix("  ") })
    }
}
