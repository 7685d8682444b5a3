package import Events
internal import Foundation
internal import Telemetry
internal import Vocabulary

/// Rules for names from outside: beyond the checks of every identifier, they must not contain characters that a
/// terminal, a log or a page would interpret, and must be in the composed form of Unicode (NFC), so that of two names
/// that Unicode considers equal only one is accepted: tables and sets do not distinguish them, the hash that draws the
/// audit sample does. The journal is not checked for it, because its contents were accepted under the rules of their
/// time.
extension PredictionEvent {
    package func checkNames() throws(RecordRejection) {
        try PlainNames.check("sample.id", sample.id)
        if let space = sample.space { try PlainNames.check("sample.space", space) }
        if let model { try PlainNames.check("model.version", model.version) }
    }
}

extension FeedbackEvent {
    func checkNames() throws(RecordRejection) {
        try PlainNames.check("sample", sample)
        try PlainNames.check("model.version", modelVersion)
        // The digest is computed from the bytes: two spellings are two users.
        try PlainNames.check("user", UserDigest(user), mustBeComposed: false)
    }
}

extension FeedbackEvent {
    /// The proposed class in the composed form of Unicode, so that equivalent spellings are counted together; nil if
    /// the name cannot be the name of a class or may not be shown to people.
    var plainProposal: String? {
        guard let name = proposedClass?.precomposedStringWithCanonicalMapping,
            (1...LabelSchema.longestName).contains(name.utf8.count),
            ForeignText.isPlain(name), name.contains(where: { !$0.isWhitespace })
        else { return nil }
        return name
    }
}

extension AnnotationEvent {
    func checkNames() throws(RecordRejection) {
        try PlainNames.check("task", annotation.task)
        try PlainNames.check("annotator", annotation.annotator)
    }
}

extension ImportEvent {
    func checkNames() throws(RecordRejection) {
        try PlainNames.check("source", TaskID(origin.source))
        try PlainNames.check("id", TaskID(origin.id))
        try PlainNames.check("sample.id", sample.id)
        guard case .votes(let votes) = answer else { return }
        for vote in votes { try PlainNames.check("votes.annotator", vote.annotator) }
    }
}

extension TrainingResultEvent {
    func checkNames() throws(RecordRejection) { try PlainNames.check("request", result.request) }
}

extension PredictedEvent {
    func checkNames() throws(RecordRejection) { try PlainNames.check("request", labels.request) }
}

extension CommandEvent {
    func checkNames() throws(RecordRejection) {
        try PlainNames.check("id", TaskID(command.id))
        switch command.action {
        case .rollBack(let version): try PlainNames.check("model_version", version)
        case .register(let model):
            try PlainNames.check("model_version", model.version)
            for metric in model.metrics { try PlainNames.check("metrics", TaskID(metric.name)) }
        case .revise(let sample, _), .retract(let sample), .move(let sample, _):
            try PlainNames.check("sample_id", sample)
        case .approve(let version): try PlainNames.check("model_version", version)
        case .hold, .releaseHold, .freeze, .unfreeze, .suppress, .resume: break
        }
    }
}

private enum PlainNames {
    static func check(_ path: StaticString, _ name: some Identifier, mustBeComposed: Bool = true)
        throws(RecordRejection)
    {
        guard let expected = ForeignName.fault(name.rawValue, mustBeComposed: mustBeComposed) else { return }
        throw RecordRejection(
            .schema,
            "\(path): expected \(expected), found \"\(ForeignText.line(name.rawValue, limit: 64))\""
        )
    }
}
