internal import Dates

/// The headers of CloudEvents 1.0 in Kafka's binary mode, as Flywheel writes them.
public struct CloudEventHeaders: Hashable, Sendable {
    public let id: String
    public let source: String
    public let type: String
    /// Time of the event, in milliseconds since 1970; nil where no clock may be read.
    public let time: Int64?
    /// The chain that the event belongs to: a sample, a dataset version or a model.
    public let correlation: String?
    /// The event that caused this event.
    public let causation: String?

    public init(id: String, source: String, type: String, time: Int64?, correlation: String?, causation: String?) {
        self.id = id
        self.source = source
        self.type = type
        self.time = time
        self.correlation = correlation
        self.causation = causation
    }

    /// Names and values of the headers, in the order in which they are written.
    public var pairs: [(String, String)] {
        var pairs = [("ce_specversion", "1.0"), ("ce_id", id), ("ce_source", source), ("ce_type", type)]
        if let time { pairs.append(("ce_time", RFC3339.text(milliseconds: time))) }
        pairs.append(("content-type", "application/json"))
        if let correlation { pairs.append(("ce_correlationid", correlation)) }
        if let causation { pairs.append(("ce_causationid", causation)) }
        return pairs
    }
}

/// Times as text.
public enum RFC3339 {
    /// The time as text: UTC with milliseconds, as in `2026-01-31T12:00:00.000Z`. Years beyond 9999 are clamped.
    public static func text(milliseconds: Int64) -> String {
        let clamped = min(max(milliseconds, -62_135_596_800_000), 253_402_300_799_999)
        let day = clamped >= 0 ? clamped / 86_400_000 : -((-clamped + 86_399_999) / 86_400_000)
        let timeOfDay = clamped - day * 86_400_000
        let date = CivilDate(daysSince1970: day)
        let (hours, minutes) = (timeOfDay / 3_600_000, timeOfDay / 60_000 % 60)
        let parts: [(value: Int64, width: Int, separator: UInt8)] = [
            (date.year, 4, UInt8(ascii: "-")), (date.month, 2, UInt8(ascii: "-")), (date.day, 2, UInt8(ascii: "T")),
            (hours, 2, UInt8(ascii: ":")), (minutes, 2, UInt8(ascii: ":")),
            (timeOfDay / 1_000 % 60, 2, UInt8(ascii: ".")),
            (timeOfDay % 1_000, 3, UInt8(ascii: "Z")),
        ]
        return String(unsafeUninitializedCapacity: 24) { bytes in
            var end = 0
            for (value, width, separator) in parts {
                var left = value
                for index in stride(from: end + width - 1, through: end, by: -1) {
                    bytes[index] = UInt8(ascii: "0") + UInt8(left % 10)
                    left /= 10
                }
                bytes[end + width] = separator
                end += width + 1
            }
            return end
        }
    }
}
