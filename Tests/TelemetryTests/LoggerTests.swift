import Telemetry
import Testing

@Suite struct LoggerTests {
    private func line(_ format: LogFormat, _ message: String, _ fields: LogFields) -> String {
        let sink = MemoryLogSink()
        let logger = Logger(module: "intake", level: .trace, sink: sink) { 1_769_860_800_123_456_789 }
        logger.info(message, fields)
        return String(decoding: sink.records.flatMap { format.line(of: $0) }, as: UTF8.self)
    }

    @Test("On a terminal a record is one plain line")
    func textLine() {
        #expect(
            line(.text, "record dropped", ["topic": "predictions", "offset": 7, "why": "bad = json", "none": ""])
                == "2026-01-31T12:00:00.123Z info intake: record dropped topic=predictions offset=7 why=\"bad = json\" none=\"\"\n"
        )
    }

    @Test("Elsewhere a record is one JSON object")
    func jsonLine() {
        #expect(
            line(
                .json,
                "say \"hi\"",
                ["n": 7, "x": 0.5, "ok": true, "t": "a\nb\u{1}", "bad": .double(.nan), "time": "x"]
            )
                == #"{"time":"2026-01-31T12:00:00.123Z","level":"info","module":"intake","message":"say \"hi\"","#
                + #""n":7,"x":0.5,"ok":true,"t":"a\nb\u0001","bad":"nan","time_":"x"}"# + "\n"
        )
    }

    @Test("No message can forge a second line")
    func injection() {
        for format in [LogFormat.text, .json] {
            let text = line(format, "a\nb\u{1b}[31m", ["k\n": "v\r\n"])
            #expect(text.split(separator: "\n", omittingEmptySubsequences: false).count == 2)
            #expect(!text.unicodeScalars.contains("\u{1b}"))
        }
    }

    @Test("Records below the level are not computed")
    func level() {
        let sink = MemoryLogSink()
        let logger = Logger(module: "m", level: .warning, sink: sink)
        func expensive() -> String {
            Issue.record("computed although below the level")
            return ""
        }
        logger.info(expensive(), ["x": .string(expensive())])
        logger.warning("kept")
        logger.critical("kept")
        #expect(sink.records.map(\.level) == [.warning, .critical])
        #expect(LogLevel.allCases == LogLevel.allCases.sorted())
    }

    @Test("Constant fields are first, and a derived logger keeps them")
    func constantFields() {
        let sink = MemoryLogSink()
        let logger = Logger(module: "a", sink: sink).with(["instance": "w1"]).forModule("b")
        logger.notice("hello", ["n": 1])
        #expect(sink.records.first?.module == "b")
        #expect(sink.records.first?.fields.map(\.name) == ["instance", "n"])
    }

    @Test(
        "Times before 1970 and leap days are right",
        arguments: [
            (0 as Int64, "1970-01-01T00:00:00.000Z"), (-1_000_000, "1969-12-31T23:59:59.999Z"),
            (951_782_400_000_000_000, "2000-02-29T00:00:00.000Z"),
            (4_107_542_399_999_000_000, "2100-02-28T23:59:59.999Z"),
        ]
    )
    func times(nanoseconds: Int64, text: String) {
        let sink = MemoryLogSink()
        Logger(module: "m", sink: sink) { nanoseconds }.info("x")
        let line = String(decoding: sink.records.flatMap { LogFormat.text.line(of: $0) }, as: UTF8.self)
        #expect(line.hasPrefix(text))
    }
}
