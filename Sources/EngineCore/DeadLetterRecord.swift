internal import Events
internal import Hashing
package import StreamRuntime

/// A refused record, as received, with the reason in its headers: under Kafka Connect's names and Flywheel's own.
public enum DeadLetterRecord {
    /// Header of a dead letter after which others were left out because there were too many: the number left out.
    public static let leftOutHeader = "flywheel.left_out"

    /// Limits of the parts of a record that are kept, in bytes.
    package struct Extent: Equatable {
        /// Maximum bytes of the value; for a longer value, the dead letter contains the beginning, the size and the
        /// digest.
        package var value: Int
        /// Maximum bytes of the record's own headers, counted as a record holds them.
        package var headers: Int
        /// Maximum bytes of the key; nil omits the key.
        package var key: Int?

        /// Limits above those of any record that can be sent again.
        package static let whole = Extent(value: 900_000, headers: 4 << 20, key: 1 << 20)
        /// Limits that keep enough to identify the record.
        package static let beginning = Extent(value: 4_096, headers: 4_096, key: 4_096)
        /// Only size and digest, for use if the dead letter itself could not be written.
        package static let stub = Extent(value: 0, headers: 0, key: nil)
    }

    /// Approximate bytes that a header needs besides its name and value.
    package static let headerFraming = 10

    package struct Cause {
        let topic: String
        let partition: Int32
        let offset: Int64
        let stage: String
        let code: String
        let text: String
        let worker: String
        /// Milliseconds since 1970.
        let at: Int64

        package init(
            topic: String,
            partition: Int32,
            offset: Int64,
            stage: String,
            code: String,
            text: String,
            worker: String,
            at: Int64
        ) {
            self.topic = topic
            self.partition = partition
            self.offset = offset
            self.stage = stage
            self.code = code
            self.text = text
            self.worker = worker
            self.at = at
        }
    }

    /// Returns the dead letter, with as much of the record as `extent` specifies; its headers list the parts that were
    /// cut.
    package static func record(
        to topic: String,
        key: [UInt8]?,
        value: [UInt8]?,
        headers: [RecordHeader],
        cause: Cause,
        extent: Extent = .whole
    ) -> OutputRecord {
        var all: [RecordHeader] = []
        var left = extent.headers
        for header in DeadLetterHeader.escaped(headers) {
            left -= header.name.utf8.count + (header.value?.count ?? 0) + headerFraming
            guard left >= 0 else {
                all.append(RecordHeader("flywheel.headers.cut", "true"))
                break
            }
            all.append(header)
        }
        var keptValue = value
        if let value, value.count > extent.value {
            keptValue = Array(value.prefix(extent.value))
            all.append(RecordHeader("flywheel.value.size", String(value.count)))
            all.append(RecordHeader("flywheel.value.sha256", SHA256Digest(of: value).hex))
            all.append(RecordHeader("flywheel.value.cut", "true"))
        }
        var keptKey = extent.key == nil ? nil : key
        if let key = keptKey, let limit = extent.key, key.count > limit {
            keptKey = Array(key.prefix(limit))
            all.append(RecordHeader(DeadLetterHeader.keyCut, "true"))
        }
        let text = shortened(cause.text)
        all += [
            RecordHeader("__connect.errors.topic", cause.topic),
            RecordHeader("__connect.errors.partition", String(cause.partition)),
            RecordHeader("__connect.errors.offset", String(cause.offset)),
            RecordHeader("__connect.errors.connector.name", "flywheel"),
            RecordHeader("__connect.errors.stage", cause.stage),
            RecordHeader("__connect.errors.class.name", "flywheel.\(cause.stage)"),
            RecordHeader("__connect.errors.exception.class.name", cause.code),
            RecordHeader("__connect.errors.exception.message", text),
            RecordHeader("flywheel.reason.code", cause.code),
            RecordHeader("flywheel.reason.text", text),
            RecordHeader("flywheel.worker", cause.worker),
            RecordHeader("flywheel.at_ms", String(cause.at)),
        ]
        return OutputRecord(topic: topic, key: keptKey, value: keptValue, headers: all)
    }

    /// Shortens a text to `RecordLimits.reason` bytes, because one that quotes the refused content may be long.
    private static func shortened(_ text: String) -> String {
        let bytes = text.utf8
        guard bytes.count > RecordLimits.reason else { return text }
        var end = bytes.index(bytes.startIndex, offsetBy: RecordLimits.reason)
        while end > bytes.startIndex, bytes[end] & 0xC0 == 0x80 { end = bytes.index(before: end) }
        return String(decoding: bytes[..<end], as: UTF8.self) + "…"
    }
}
