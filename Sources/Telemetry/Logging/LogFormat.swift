internal import Dates
internal import JSON

/// Format in which a record is written as a line of bytes.
public enum LogFormat: Hashable, Sendable {
    /// `2026-01-31T12:00:00.123Z info  intake: message key=value`, for people.
    case text
    /// One JSON object per line, for machines.
    case json

    /// Returns the record as a line, with its line feed.
    public func line(of record: LogRecord) -> [UInt8] {
        var line = ""
        switch self {
        case .text:
            line += "\(timestamp(record.time)) \(record.level.rawValue) \(record.module): \(plain(record.message))"
            for field in record.fields { line += " \(plain(field.name))=\(text(of: field.value))" }
        case .json:
            line += "{\"time\":\"\(timestamp(record.time))\",\"level\":\"\(record.level.rawValue)\","
            line += "\"module\":\(quoted(record.module)),\"message\":\(quoted(record.message))"
            var seen: Set<String> = ["time", "level", "module", "message"]
            for field in record.fields {
                var name = field.name
                while !seen.insert(name).inserted { name += "_" }
                line += ",\(quoted(name)):\(json(field.value))"
            }
            line += "}"
        }
        line += "\n"
        return Array(line.utf8)
    }

    /// Text of which no byte can end the line or move the cursor.
    private func plain(_ text: String) -> String {
        ForeignText.isPlain(text) ? text : quoted(text)
    }

    private func text(of value: LogValue) -> String {
        switch value {
        case .string(let text):
            let needsQuotes = text.unicodeScalars.contains { $0 == " " || $0 == "\"" || $0 == "=" }
            return text.isEmpty || needsQuotes || !ForeignText.isPlain(text) ? quoted(text) : text
        case .integer(let number): return "\(number)"
        case .double(let number): return "\(number)"
        case .bool(let flag): return "\(flag)"
        }
    }

    private func json(_ value: LogValue) -> String {
        switch value {
        case .string(let text): quoted(text)
        case .integer(let number): "\(number)"
        case .double(let number): number.isFinite ? "\(number)" : "\"\(number)\""
        case .bool(let flag): "\(flag)"
        }
    }

    /// The text as a string of JSON, disruptive characters escaped, too.
    private func quoted(_ text: String) -> String {
        var writer = JSONWriter()
        writer.value(text)
        return ForeignText.line(writer.text)
    }
}

/// Nanoseconds since 1970 as `2026-01-31T12:00:00.123Z`.
func timestamp(_ nanoseconds: Int64) -> String {
    func padded(_ number: Int64, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
    func divided(_ number: Int64, _ divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let remainder = (number % divisor + divisor) % divisor
        return ((number - remainder) / divisor, remainder)
    }
    let (seconds, fraction) = divided(nanoseconds, 1_000_000_000)
    let (days, second) = divided(seconds, 86_400)
    let day = CivilDate(daysSince1970: days)
    let date = "\(padded(day.year, 4))-\(padded(day.month, 2))-\(padded(day.day, 2))"
    let time = "\(padded(second / 3_600, 2)):\(padded(second / 60 % 60, 2)):\(padded(second % 60, 2))"
    return "\(date)T\(time).\(padded(fraction / 1_000_000, 3))Z"
}
