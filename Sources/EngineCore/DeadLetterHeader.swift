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

    /// On a record that was sent again: how often by now, and which dead letter it was.
    package static let attempt = "flywheel.redrive.attempt"
    package static let letter = "flywheel.redrive.letter"

    /// On the mark that stands on `dead-letters` for a dead letter that was sent again.
    package static let marked = "flywheel.redriven.letter"
    package static let markedAttempt = "flywheel.redriven.attempt"
    package static let markedTopic = "flywheel.redriven.topic"
    package static let markedBy = "flywheel.redriven.by"
    package static let at = "flywheel.at_ms"

    /// Names that begin so are ours alone on `dead-letters`.
    private static let reserved = ["flywheel.", "__connect.errors."]

    /// Stands before the name of a record's own header that would pass for one of ours.
    private static let mark = "producer."

    /// A record's own headers as its dead letter has them: reserved names get the prefix `producer.`, and so do names that have it
    /// already, so that `originalName` restores each of them.
    ///
    /// A record that was sent again says so in its first headers, which stay as they are where they can be read.
    static func kept(_ headers: [RecordHeader]) -> [RecordHeader] {
        headers.enumerated().map { index, header in
            let isOfRedrive =
                index == 0 && header.name == attempt && attempts(header.text).map { $0 > 0 } == true
                || index == 1 && header.name == letter && DeadLetterPosition(header.text ?? "") != nil
            guard isReserved(header.name), !isOfRedrive else { return header }
            return RecordHeader(mark + header.name, header.value)
        }
    }

    /// Name that a header of a dead letter had on its record.
    package static func originalName(_ name: String) -> String {
        begins(name[...], with: mark) && isReserved(name) ? String(name.utf8.dropFirst(mark.utf8.count)) ?? name : name
    }

    /// Whether a name begins with a reserved one, behind any number of marks.
    private static func isReserved(_ name: String) -> Bool {
        var rest = Substring(name)
        while begins(rest, with: mark) { rest = Substring(rest.utf8.dropFirst(mark.utf8.count)) }
        return reserved.contains { begins(rest, with: $0) }
    }

    /// Byte by byte: a mark that joins the last character changes nothing.
    private static func begins(_ name: Substring, with prefix: String) -> Bool { name.utf8.starts(with: prefix.utf8) }

    /// More attempts than these are not told apart: anybody may write a header.
    static let mostAttempts = 1_000_000

    /// A number of attempts in decimal, in `0...mostAttempts`; nil of what is none.
    package static func attempts(_ text: String?) -> Int? {
        text.flatMap { Int($0) }.map { min(max(0, $0), mostAttempts) }
    }

    /// Where the headers of a refused record end and ours begin.
    package static let cuts: Set<String> = [headersCut, keyCut, valueCut, valueSize, valueDigest]
}

extension RecordHeader {
    /// The value as text; nil for null.
    fileprivate var text: String? { value.map { String(decoding: $0, as: UTF8.self) } }
}
