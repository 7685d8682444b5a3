/// Names of headers on `dead-letters`, and on records that were sent again.
enum LetterHeader {
    static let topic = "__connect.errors.topic"
    static let partition = "__connect.errors.partition"
    static let offset = "__connect.errors.offset"
    static let stage = "__connect.errors.stage"
    static let code = "flywheel.reason.code"
    static let text = "flywheel.reason.text"
    static let worker = "flywheel.worker"
    static let headersCut = "flywheel.headers.cut"
    static let valueCut = "flywheel.value.cut"
    static let valueSize = "flywheel.value.size"
    static let valueDigest = "flywheel.value.sha256"

    /// On a record that was sent again: how often by now, and which letter it was.
    static let attempt = "flywheel.redrive.attempt"
    static let letter = "flywheel.redrive.letter"

    /// On the mark that stands on `dead-letters` for a letter that was sent again.
    static let marked = "flywheel.redriven.letter"
    static let markedAttempt = "flywheel.redriven.attempt"
    static let markedTopic = "flywheel.redriven.topic"
    static let markedBy = "flywheel.redriven.by"
    static let at = "flywheel.at_ms"

    /// Where the headers of a refused record end and ours begin.
    static let cuts: Set<String> = [headersCut, valueCut, valueSize, valueDigest]
}
