internal import StreamRuntime

/// Names of headers on `dead-letters`, and on records that were sent again.
package enum DeadLetterHeader {
    package static let topic = "__connect.errors.topic"
    package static let partition = "__connect.errors.partition"
    package static let offset = "__connect.errors.offset"
    package static let stage = "__connect.errors.stage"
    package static let code = "flywheel.reason.code"
    package static let text = "flywheel.reason.text"
    package static let worker = "flywheel.worker"
    package static let headersCut = "flywheel.headers.cut"
    package static let keyCut = "flywheel.key.cut"
    package static let valueCut = "flywheel.value.cut"
    package static let valueSize = "flywheel.value.size"
    static let valueDigest = "flywheel.value.sha256"

    /// Headers of a record that was sent again: the number of attempts so far, and its dead letter.
    package static let attempt = "flywheel.redrive.attempt"
    package static let deadLetter = "flywheel.redrive.letter"

    /// Headers of the mark in `dead-letters` for a dead letter that was sent again.
    package static let redrivenDeadLetter = "flywheel.redriven.letter"
    package static let redrivenAttempt = "flywheel.redriven.attempt"
    package static let redrivenTopic = "flywheel.redriven.topic"
    package static let redrivenBy = "flywheel.redriven.by"
    package static let at = "flywheel.at_ms"

    /// Prefixes of names that are reserved for Flywheel's own headers on `dead-letters`.
    private static let reserved = ["flywheel.", "__connect.errors."]

    /// Prefix for the name of a record's own header that would otherwise be mistaken for a reserved one.
    private static let escapePrefix = "producer."

    /// Returns a record's own headers as its dead letter has them: reserved names get the prefix `producer.`, and so do
    /// names that have it already, so that `originalName` restores each of them.
    ///
    /// A record that was sent again is marked in its first headers, which are kept unchanged if they can be read.
    static func escaped(_ headers: [RecordHeader]) -> [RecordHeader] {
        headers.enumerated().map { index, header in
            let isOfRedrive =
                index == 0 && header.name == attempt && attempts(header.text).map { $0 > 0 } == true
                || index == 1 && header.name == deadLetter && DeadLetterPosition(header.text ?? "") != nil
            guard isReserved(header.name), !isOfRedrive else { return header }
            return RecordHeader(escapePrefix + header.name, header.value)
        }
    }

    /// Returns the name that a header of a dead letter had on its record.
    package static func originalName(_ name: String) -> String {
        begins(name[...], with: escapePrefix) && isReserved(name)
            ? String(name.utf8.dropFirst(escapePrefix.utf8.count)) ?? name : name
    }

    /// Whether a name begins with a reserved prefix, after any number of `producer.` prefixes.
    private static func isReserved(_ name: String) -> Bool {
        var rest = Substring(name)
        while begins(rest, with: escapePrefix) { rest = Substring(rest.utf8.dropFirst(escapePrefix.utf8.count)) }
        return reserved.contains { begins(rest, with: $0) }
    }

    /// Compares byte by byte, so that a combining mark after the prefix changes nothing.
    private static func begins(_ name: Substring, with prefix: String) -> Bool { name.utf8.starts(with: prefix.utf8) }

    /// Number of attempts above which counts are not distinguished: any client can write such a header.
    static let attemptLimit = 1_000_000

    /// Returns a number of attempts in decimal, limited to `0...attemptLimit`; nil if the text is not a number.
    package static func attempts(_ text: String?) -> Int? {
        text.flatMap { Int($0) }.map { min(max(0, $0), attemptLimit) }
    }

    /// Headers that state what was cut: they stand between the refused record's own headers and those of the reason.
    package static let cuts: Set<String> = [headersCut, keyCut, valueCut, valueSize, valueDigest]
}

extension RecordHeader {
    /// The value as text; nil for null.
    fileprivate var text: String? { value.map { String(decoding: $0, as: UTF8.self) } }
}
