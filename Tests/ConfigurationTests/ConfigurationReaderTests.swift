import Configuration
import Testing

private enum Mode: String, CaseIterable { case fast, careful }

private func reader(_ yaml: String, environment: [String: String] = [:]) throws -> ConfigurationReader {
    try ConfigurationReader(yaml: Array(yaml.utf8), file: "worker.yaml", environment: environment)
}

/// Issues that `finish` throws after `body`, one per line.
private func issues(_ yaml: String, _ body: (ConfigurationReader) -> Void = { _ in }) -> String {
    do {
        let reader = try reader(yaml)
        body(reader)
        try reader.finish()
        return "no issue"
    } catch {
        return "\(error)"
    }
}

@Suite struct ConfigurationReaderTests {
    @Test("Values are read by type, and an absent value has its default")
    func values() throws {
        let reader = try reader(
            """
            name: intake  # a comment
            quoted: "12"
            count: 7
            rate: 2.5
            on: true
            wait: 500ms
            size: 64KiB
            mode: careful
            list: [a, "b"]
            empty:
            kafka:
              bootstrap.servers: localhost:9092
              nested:
                deep: -1
            workers:
              - id: 1
              - id: 2
            """
        )
        #expect(reader.requiredString("name") == "intake")
        #expect(reader.string("quoted", default: "") == "12")
        #expect(reader.int("count", default: 0, in: 1...7) == 7)
        #expect(reader.double("rate", default: 0) == 2.5)
        #expect(reader.bool("on", default: false))
        #expect(reader.duration("wait", default: .zero) == .milliseconds(500))
        #expect(reader.byteSize("size", default: 0) == 65_536)
        #expect(reader.choice("mode", default: Mode.fast) == .careful)
        #expect(reader.strings("list") == ["a", "b"])
        #expect(reader.int("empty", default: 3) == 3)
        #expect(reader.optionalInt("absent") == nil)
        let kafka = reader.section("kafka")
        #expect(kafka.string("bootstrap.servers", default: "") == "localhost:9092")
        #expect(kafka.section("nested").int("deep", default: 0) == -1)
        #expect(reader.sections("workers").map { $0.int("id", default: 0) } == [1, 2])
        #expect(reader.section("absent").duration("x", default: .seconds(2)) == .seconds(2))
        try reader.finish()
    }

    @Test("All errors are reported at once, each with file, line, key, expected value and value found")
    func allErrors() {
        let yaml = """
            count: "7"
            kafka:
              wait: soon
              typo: 1
            mode: slow
            list: x
            on: yes
            size: 10MB
            lost: 1
            """
        let found = issues(yaml) { reader in
            _ = reader.int("count", default: 1, in: 1...100)
            _ = reader.section("kafka").duration("wait", default: .zero)
            _ = reader.choice("mode", default: Mode.fast)
            _ = reader.strings("list")
            _ = reader.bool("on", default: true)
            _ = reader.byteSize("size", default: 1, in: 0...1_000)
            _ = reader.requiredString("name")
        }
        let expected = """
            worker.yaml:1: key count: expected an integer in 1...100, found "7"
            worker.yaml:1: key name: expected a text, found nothing
            worker.yaml:3: key kafka.wait: expected a duration as in 500ms, 10s, 5m, 2h, found "soon"
            worker.yaml:4: key kafka.typo: unknown key; known here: wait
            worker.yaml:5: key mode: expected one of fast, careful, found "slow"
            worker.yaml:6: key list: expected a list of texts, found "x"
            worker.yaml:7: key on: expected true or false, found "yes"
            worker.yaml:8: key size: expected a size as in 512, 64KB, 16MiB, in 0...1000 bytes, found "10MB"
            worker.yaml:9: key lost: unknown key; known here: count, kafka, list, mode, name, on, size
            """
        #expect(found == expected)
    }

    @Test("A repeated key is one issue among the others, and its first value is used")
    func doubledKeys() throws {
        let yaml = """
            count: 1
            kafka: {wait: 1s, wait: 2s}
            count: 2
            typo: 3
            count: 4
            """
        let found = issues(yaml) { reader in
            #expect(reader.int("count", default: 9, in: 0...9) == 1)
            #expect(reader.section("kafka").duration("wait", default: .zero) == .seconds(1))
            #expect(reader.hasIssue(with: "count") && !reader.hasIssue(with: "typo"))
        }
        let expected = """
            worker.yaml:2: key kafka.wait: the key stands twice, first on line 2
            worker.yaml:3: key count: the key stands twice, first on line 1
            worker.yaml:4: key typo: unknown key; known here: count, kafka
            worker.yaml:5: key count: the key stands twice, first on line 1
            """
        #expect(found == expected)
        #expect(issues("- {a: 1, a: 2}").hasSuffix("worker.yaml:1: expected a map, found a list"))
    }

    @Test("Of very many issues the first hundred are described, and the others counted")
    func manyIssues() {
        let lines = issues(String(repeating: "a: 1\n", count: 1_000)) { _ = $0.int("a", default: 0) }.split(
            separator: "\n"
        )
        #expect(lines.count == 101)
        #expect(lines[99] == "worker.yaml:101: key a: the key stands twice, first on line 1")
        #expect(lines[100] == "worker.yaml: 899 more are not listed")
    }

    @Test("A file in another encoding than UTF-8 is refused, even if it contains only a byte order mark")
    func encodings() throws {
        func read(_ bytes: [UInt8]) -> String {
            do {
                try ConfigurationReader(yaml: bytes, file: "x").finish()
                return "no issue"
            } catch {
                return "\(error)"
            }
        }
        let text = "a: 1"
        for mark: [UInt8] in [[0xFF, 0xFE], [0xFE, 0xFF]] {
            for body in [[], Array(text.utf16).flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }] {
                #expect(read(mark + body).hasPrefix("x: expected UTF-8, found the byte order mark of UTF-16"))
            }
        }
        #expect(read([0x80]).contains("UTF-8"))
        #expect(read(Array("a: ".utf8) + [0xC3]).contains("UTF-8"))
        #expect(read([0xEF, 0xBB, 0xBF]) == "no issue")
    }

    @Test("Structure of the wrong kind is an issue, not a crash")
    func structure() {
        #expect(
            issues("a: 1") { _ = $0.section("a").int("b", default: 0) }
                == "worker.yaml:1: key a: expected a map, found 1"
        )
        #expect(
            issues("a: [1, {b: 2}]") { _ = $0.sections("a").map { $0.int("b", default: 0) } }
                == "worker.yaml:1: key a[0]: expected a map, found 1"
        )
        #expect(
            issues("a: {b: [1]}") { _ = $0.stringMap("a") } == "worker.yaml:1: key a.b: expected a text, found a list"
        )
        #expect(
            issues("a: {b: 1}") { _ = $0.int("a", default: 0) }
                == "worker.yaml:1: key a: expected an integer, found a map"
        )
        #expect(issues("- 1") == "worker.yaml:1: expected a map, found a list")
        #expect(issues("") == "no issue")
        #expect(issues("# nothing\n") == "no issue")
        #expect(
            issues("a: 1") {
                $0.report("a", "expected something else"); _ = $0.int("a", default: 0)
            } == "worker.yaml:1: key a: expected something else"
        )
    }

    @Test(
        "YAML that is not accepted is refused with its line",
        arguments: [
            ("a: 1\nb: ]", 2), ("a: &x 1\nb: *x", 1), ("a: !!str 1", 1), ("a: 1\n---\nb: 2", 2),
            ("? [1]\n: 2", 1), ("a: \u{1}", 1), ("\ta: 1", 1),
        ]
    )
    func refusals(yaml: String, line: Int) {
        let error = #expect(throws: ConfigurationError.self) { try reader(yaml) }
        #expect(error?.issues.map(\.line) == [line], "\(String(describing: error))")
    }

    @Test("Size and depth have limits")
    func limits() throws {
        let flow = { (depth: Int) in "a: " + String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(throws: Never.self) { try reader(flow(31)) }
        #expect(throws: ConfigurationError.self) { try reader(flow(32)) }
        #expect(throws: ConfigurationError.self) { try reader(flow(100_000)) }
        #expect(throws: ConfigurationError.self) { try reader("a: " + String(repeating: "x", count: 1 << 20)) }
        #expect(throws: ConfigurationError.self) {
            try ConfigurationReader(yaml: [0x61, 0x3a, 0x20, 0xff, 0xfe], file: "x")
        }
    }

    @Test("A text cut off at any position does not crash the reader")
    func truncation() {
        let text = Array("a: {b: [1, \"x\\n\"], c: 'é'}\nd: |\n  text\ne:\n  - f: 1\n".utf8)
        for count in text.indices {
            _ = try? ConfigurationReader(yaml: Array(text[..<count]), file: "x")
        }
    }

    @Test(
        "Durations and sizes have units, and nothing overflows",
        arguments: [
            ("10s", 10_000 as Int64?), ("0ms", 0), ("2h", 7_200_000), ("1d", 86_400_000), ("5m", 300_000), ("5", nil),
            ("-1s", nil), ("1.5s", nil), ("99999999999999999999s", nil), ("9223372036854775807d", nil), ("s", nil),
        ]
    )
    func durations(text: String, milliseconds: Int64?) throws {
        let reader = try reader("x: \(text)")
        #expect(reader.optionalDuration("x") == milliseconds.map { .milliseconds($0) })
    }
}
