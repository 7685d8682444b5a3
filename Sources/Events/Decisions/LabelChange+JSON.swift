internal import JSON
internal import Vocabulary

/// Changes of labels in the form of `dataset-log`.
extension DatasetLogRecord {
    /// Reads the change in a record of the given kind; nil if the kind is not a change of a label.
    ///
    /// - Throws: If a member is missing, or has a value that is impossible for a change.
    static func changed(_ kind: String, _ object: JSONObject) throws(JSONError) -> DatasetLogRecord? {
        var (names, change): ((from: [String], to: [String])?, LabelChangeKind)
        switch kind {
        case "label_revised":
            let from: NamedLabel = try object.value("from")
            let to: NamedLabel = try object.value("label")
            guard from.label != to.label else {
                throw object.failure("label", "expected another label than \"from\", found the same")
            }
            (names, change) = ((from.names, to.names), .revised(from: from.label, to: to.label))
        case "label_retracted": (names, change) = (nil, .retracted)
        case "label_moved":
            let from: Split = try object.choice("from")
            guard from != (try object.choice("split")) else {
                throw object.failure("split", "expected another split than \"from\", found \(from.rawValue)")
            }
            (names, change) = (nil, .moved(from: from))
        default: return nil
        }
        let (sequence, replaces) = (try Self.sequence(object), try Self.sequence(object, "replaces"))
        guard replaces < sequence else {
            throw object.failure("replaces", "expected a number below the record's own, \(sequence), found \(replaces)")
        }
        let confidence = try object.optionalDouble("confidence")
        let probability = confidence.flatMap { Probability($0) }
        guard (confidence == nil) == (probability == nil) else {
            throw object.failure("confidence", "expected a number in 0...1")
        }
        return .changed(
            LabelChange(
                kind: change,
                sample: try object.id("sample_id"),
                split: try object.choice("split"),
                replaces: replaces,
                sequence: sequence,
                votes: object.optional("votes") == nil ? [] : try object.values("votes"),
                confidence: probability,
                reason: try object.text("reason", upTo: LabelChange.longestReason),
                by: try object.text("by", upTo: LabelChange.longestAuthor),
                at: try object.time("at_ms")
            ),
            names: names?.to,
            formerNames: names?.from
        )
    }

    func write(
        _ change: LabelChange,
        names: [String]?,
        former: [String]?,
        project: ProjectID?,
        to writer: inout JSONWriter
    ) {
        let kind =
            switch change.kind {
            case .revised: "label_revised"
            case .retracted: "label_retracted"
            case .moved: "label_moved"
            }
        writer.member("kind", kind)
        writer.member("project", ifPresent: project)
        writer.member("sequence", change.sequence)
        writer.member("sample_id", change.sample)
        writer.member("replaces", change.replaces)
        if case .moved(let from) = change.kind { writer.member("from", from.rawValue) }
        writer.member("split", change.split.rawValue)
        if case .revised(let from, let to) = change.kind {
            writer.member("from", NamedLabel(from, names: former ?? []))
            writer.member("label", NamedLabel(to, names: names ?? []))
            writer.array("votes", ofValues: change.votes)
            writer.member("confidence", ifPresent: change.confidence?.value)
        }
        writer.member("reason", change.reason)
        writer.member("by", change.by)
        writer.member("at_ms", change.at)
    }
}

extension JSONObject {
    /// Reads a text of at most `limit` bytes.
    func text(_ key: StaticString, upTo limit: Int) throws(JSONError) -> String {
        let text = try string(key)
        guard text.utf8.count <= limit else {
            throw failure(key, "expected at most \(limit) bytes, found \(text.utf8.count)")
        }
        return text
    }
}
