import Foundation
import Telemetry
import Testing

/// Texts that another client may have put into a name, a header or a reason.
private let hostile: [String] = [
    "\u{1B}[31mred\u{1B}[0m", "\u{1B}]0;title\u{7}", "\u{1B}]8;;http://evil.example\u{1B}\\link", "\u{9B}31mred",
    "\u{9D}0;t\u{9C}",
    "a\r\nb", "a\nflywheel: all is well", "\u{0}\u{8}\u{7F}", "\u{85}next", "abc\u{202E}gpj.exe", "\u{2066}x\u{2069}",
    "\u{200F}\u{061C}",
    "one\u{2028}two\u{2029}three", "\u{FEFF}bom", String(decoding: [0x61, 0xFF, 0xC2, 0x9B] as [UInt8], as: UTF8.self),
    String(repeating: "\u{1B}[2J", count: 250_000),
]

@Suite("Foreign text") struct ForeignTextTests {
    @Test("Bytes and characters are judged alike, for all of Unicode")
    func agreement() {
        var disruptive = 0
        for value in UInt32(0)...0x10FFFF {
            guard let scalar = UnicodeScalar(value) else { continue }
            if ForeignText.isDisruptive(scalar) { disruptive += 1 }
            if ForeignText.isPlain(String(scalar)) == ForeignText.isDisruptive(scalar) { Issue.record("\(value)") }
        }
        // 33 of ASCII, 32 of C1, 3 marks, 7 separators and direction marks, 10 isolates and others, 1 and 3 more.
        #expect(disruptive == 33 + 32 + 3 + 7 + 10 + 1 + 3)
    }

    @Test("Names in any language, and the characters that compose them, are unchanged")
    func plain() {
        for text in ["", "digits-412-0", "bild ß 東/7", "שלום", "مرحبا", "👩‍🔬", "a\\u001b", "é e\u{301}", "C:\\x"] {
            #expect(ForeignText.isPlain(text))
            #expect(ForeignText.line(text) == text)
            #expect(ForeignText.page(text) == text)
        }
    }

    @Test("No control sequence for a terminal remains, and a line remains a line", arguments: hostile)
    func escaped(text: String) throws {
        let line = ForeignText.line(text)
        #expect(ForeignText.isPlain(line))
        #expect(ForeignText.line(text, limit: 100).utf8.count < 700)
        #expect(ForeignText.isPlain(ForeignText.line(text, limit: 100)))
        let page = ForeignText.page(text)
        #expect(ForeignText.isPlain(page.replacing("\n", with: "").replacing("\t", with: "")))
        #expect(
            page.split(separator: "\n", omittingEmptySubsequences: false).count <= text.split {
                $0 == "\n" || $0 == "\r\n"
            }.count + 1
        )
    }

    @Test("In JSON text the escape stands for the same character")
    func json() throws {
        let text = "a\u{9B}b\u{202E}c\u{2028}d\u{7F}e"
        let escaped = ForeignText.line("{\"x\":\"\(text)\"}")
        #expect(escaped == #"{"x":"a\u009bb\u202ec\u2028d\u007fe"}"#)
        let object = try JSONSerialization.jsonObject(with: Data(escaped.utf8)) as? [String: String]
        #expect(object?["x"] == text)
    }

    @Test("Text is truncated between characters, with its length in bytes")
    func cut() {
        #expect(ForeignText.line("äöü", limit: 6) == "äöü")
        #expect(ForeignText.line("äöü", limit: 5) == "äö… (6 bytes)")
        #expect(ForeignText.line("äöü", limit: 0) == "… (6 bytes)")
    }

    @Test("A log record is one line without control sequences", arguments: hostile)
    func log(text: String) {
        for format in [LogFormat.text, .json] {
            let sink = MemoryLogSink()
            Logger(module: "intake", level: .trace, sink: sink).info(text, ["name \(text)": .string(text)])
            for record in sink.records {
                let line = String(decoding: format.line(of: record), as: UTF8.self)
                #expect(line.hasSuffix("\n"))
                #expect(ForeignText.isPlain(String(line.dropLast())))
            }
        }
    }

    @Test("A label value does not break any line of the metrics", arguments: hostile)
    func metrics(text: String) {
        let registry = MetricsRegistry()
        registry.counter("a_total", help: "h", labels: ["name": text]).increment()
        let exposition = registry.exposition()
        #expect(exposition.split(separator: "\n").count == 3)
        #expect(ForeignText.isPlain(exposition.replacing("\n", with: "")))
    }
}
