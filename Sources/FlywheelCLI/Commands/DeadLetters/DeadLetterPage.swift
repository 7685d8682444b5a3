import DeadLetters
import EngineCore
import Events
import JSON
import StreamRuntime
import Telemetry

/// One dead letter, complete except for the tokens in it.
struct DeadLetterPage {
    let deadLetter: DeadLetter
    let marks: [RedriveMark]

    var text: String {
        var lines = [
            "position   \(deadLetter.position), written \(RFC3339.text(milliseconds: deadLetter.writtenAt))",
            "from       \(Self.line("\(deadLetter.origin)")) offset \(deadLetter.originOffset)",
            "refused    \(Self.line(deadLetter.code)) by \(Self.line(deadLetter.stage)) of \(Self.line(deadLetter.worker))",
            "because    \(Self.line(deadLetter.text))",
            "key        \(Self.line(Bytes.shown(deadLetter.key)))",
        ]
        if deadLetter.attempt > 0 {
            lines.append("attempts   sent again \(Redrive.times(deadLetter.attempt)) before it arrived here")
        }
        for mark in marks {
            lines.append(
                "redriven   to \(Self.line(mark.topic)), attempt \(mark.attempt), \(RFC3339.text(milliseconds: mark.at)) by \(Self.line(mark.by))"
            )
        }
        lines.append(
            "headers    \(deadLetter.headers.isEmpty ? "none" : "")\(deadLetter.areHeadersCut ? "some were not kept" : "")"
        )
        lines += deadLetter.headers.map { "  \(Self.line($0.name)): \(Self.line(Bytes.shown($0.value)))" }
        lines.append("headers of the dead letter")
        lines += deadLetter.reason.map { "  \(Self.line($0.name)): \(Self.line(Bytes.shown($0.value)))" }
        let kept = deadLetter.value?.count ?? 0
        lines.append(
            "value      \(deadLetter.valueSize) bytes\(deadLetter.isValueCut ? ", of which \(kept) were kept" : "")"
        )
        lines.append(Bytes.shown(deadLetter.value))
        return lines.joined(separator: "\n")
    }

    /// Returns a text escaped for one line, cut after 4,096 bytes; `--json` has the whole text.
    private static func line(_ text: String) -> String { ForeignText.line(text, limit: 4_096) }

    var json: String {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("place", deadLetter.position.description)
            writer.member("at", RFC3339.text(milliseconds: deadLetter.writtenAt))
            writer.member("topic", deadLetter.origin.topic)
            writer.member("partition", Int(deadLetter.origin.partition))
            writer.member("offset", deadLetter.originOffset)
            writer.member("stage", deadLetter.stage)
            writer.member("worker", deadLetter.worker)
            writer.member("code", deadLetter.code)
            writer.member("text", deadLetter.text)
            writer.member("attempt", deadLetter.attempt)
            writer.key("key")
            Bytes.write(deadLetter.key, to: &writer)
            writer.key("headers")
            Self.write(deadLetter.headers, to: &writer)
            writer.key("letter_headers")
            Self.write(deadLetter.reason, to: &writer)
            writer.member("bytes", deadLetter.valueSize)
            writer.member("cut", deadLetter.isValueCut || deadLetter.areHeadersCut || deadLetter.isKeyCut)
            writer.key("value")
            Bytes.write(deadLetter.value, to: &writer)
            writer.array("redriven") { writer in
                for mark in marks {
                    writer.object { writer in
                        writer.member("topic", mark.topic)
                        writer.member("attempt", mark.attempt)
                        writer.member("at", RFC3339.text(milliseconds: mark.at))
                        writer.member("by", mark.by)
                    }
                }
            }
        }
        return writer.text
    }

    /// Writes headers as an array, since two of them may have the same name.
    private static func write(_ headers: [RecordHeader], to writer: inout JSONWriter) {
        writer.array { writer in
            for header in headers {
                writer.object { writer in
                    writer.member("name", header.name)
                    writer.key("value")
                    Bytes.write(header.value, to: &writer)
                }
            }
        }
    }
}

/// Output of bytes for people and machines, with tokens masked: text if they are text, else hexadecimal digits.
private enum Bytes {
    static func text(_ bytes: [UInt8]) -> String? {
        guard let text = String(validating: bytes, as: UTF8.self) else { return nil }
        // Values with other disruptive characters are shown byte by byte.
        let isPlain = text.unicodeScalars.allSatisfy {
            !ForeignText.isDisruptive($0) || "\n\t\r".unicodeScalars.contains($0)
        }
        return isPlain ? text : nil
    }

    static func hex(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count * 2)
        for byte in bytes { text += [digits[Int(byte >> 4)], digits[Int(byte & 15)]] }
        return String(decoding: text, as: UTF8.self)
    }

    static func shown(_ bytes: [UInt8]?) -> String {
        guard let bytes else { return "(null)" }
        guard !bytes.isEmpty else { return "(empty)" }
        let masked = TokenMask.masked(bytes)
        return text(masked) ?? "hex \(hex(masked))"
    }

    /// Writes null, `{"text": …}` or `{"hex": …}`.
    static func write(_ bytes: [UInt8]?, to writer: inout JSONWriter) {
        guard let bytes = bytes.map(TokenMask.masked) else { return writer.null() }
        writer.object { writer in
            if let text = text(bytes) { writer.member("text", text) } else { writer.member("hex", hex(bytes)) }
        }
    }
}
