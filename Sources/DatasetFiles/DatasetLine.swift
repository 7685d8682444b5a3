internal import Events
package import JSON
package import Vocabulary

/// One line of a segment.
package enum DatasetLine {
    /// The line of an accepted label: readable without this engine, with numbers as numbers.
    ///
    /// The line is of form 2 if the fact is: it then contains the data needed to join it with other data.
    package static func bytes(_ fact: LabelFact, names: [String]) -> [UInt8] {
        let consensus = fact.consensus
        let isExtended = fact.format >= DatasetFormat.changes
        var writer = JSONWriter()
        writer.object { writer in
            writer.object("sample") { writer in
                writer.member("id", consensus.sample.id.rawValue)
                writer.member("group", ifPresent: consensus.sample.group?.rawValue)
                if let content = consensus.sample.content {
                    writer.key("content")
                    content.write(to: &writer)
                }
                if let embedding = consensus.sample.embedding {
                    writer.array("embedding") { writer in
                        // The shortest text of a float32, not that of the float64 nearest to it.
                        for value in embedding { writer.value(encoded: Array(value.description.utf8)) }
                    }
                    writer.member("space", ifPresent: consensus.sample.space?.rawValue)
                }
                let metadata = consensus.sample.metadata
                if isExtended, !metadata.entries.isEmpty {
                    writer.key("metadata")
                    metadata.write(to: &writer)
                }
            }
            writer.key("label")
            NamedLabel(consensus.label, names: names).write(to: &writer, hasPositions: isExtended)
            writer.member("split", fact.split.rawValue)
            writer.member("confidence", consensus.confidence.value)
            writer.member("votes", consensus.votes.count)
            if isExtended { write(consensus.votes, to: &writer) }
            writer.member("task", consensus.task.rawValue)
            if isExtended {
                writer.member("purpose", consensus.purpose.rawValue)
                writer.member("inclusion_probability", ifPresent: fact.inclusionProbability)
                writer.member("propensity", ifPresent: fact.propensity)
                fact.audit?.writeMembers(to: &writer)
                writer.member("predicted_at_ms", consensus.predictedAt.milliseconds)
                writer.member("accepted_at_ms", ifPresent: fact.acceptedAt?.milliseconds)
            }
            writer.member("sequence", fact.sequence)
        }
        return writer.bytes + [0x0A]
    }

    /// Writes the votes: each voter with the answer, which for kind `choice` is the class by its position in the
    /// manifest's `label_schema`.
    private static func write(_ votes: [Vote], to writer: inout JSONWriter) {
        writer.array("voters") { writer in
            for vote in votes { vote.write(to: &writer) }
        }
    }

    /// The line of a label after a change: the contents of the old line, except for the changed parts, and the reason
    /// of the change.
    ///
    /// - Parameters:
    ///   - line: The old line, with or without its line feed.
    ///   - change: A revision or a move.
    ///   - names: Names of the label's classes, if the label changes.
    ///   - formerNames: Names of the classes before the change.
    ///   - parser: Reads the line.
    /// - Returns: The new line, with its line feed.
    /// - Throws: `JSONError` if the line is not a line of a dataset.
    package static func changed(
        _ line: [UInt8],
        by change: LabelChange,
        names: [String]?,
        formerNames: [String]?,
        _ parser: JSONParser
    ) throws -> [UInt8] {
        try parser.withDocument(of: line) { json in try DatasetForm.check(line: json.object()) }
        var revised: (from: NamedLabel, to: NamedLabel)?
        if case .revised(let from, let to) = change.kind {
            revised = (NamedLabel(from, names: formerNames ?? []), NamedLabel(to, names: names ?? []))
        }
        // The member that describes the change is written anew, at the end.
        let reason = revised == nil ? "moved" : "revised"
        var hasVoters = false
        var writer = JSONWriter()
        writer.object { writer in
            for (key, value) in members(of: line) where key != reason {
                switch key {
                case "label" where revised != nil:
                    writer.key("label")
                    revised?.to.write(to: &writer)
                case "split": writer.member("split", change.split.rawValue)
                case "confidence" where revised != nil: writer.member("confidence", ifPresent: change.confidence?.value)
                case "votes" where revised != nil: writer.member("votes", change.votes.count)
                case "voters" where revised != nil:
                    write(change.votes, to: &writer)
                    hasVoters = true
                case "sequence":
                    // Lines of form 1 have no voters.
                    if revised != nil, !hasVoters { write(change.votes, to: &writer) }
                    writer.member("sequence", change.sequence)
                default:
                    writer.key(named: key)
                    writer.value(encoded: value)
                }
            }
            if let revised {
                writer.object("revised") { writer in
                    writer.key("from")
                    revised.from.write(to: &writer)
                    write(change, to: &writer)
                }
            } else {
                writer.object("moved") { writer in
                    if case .moved(let from) = change.kind { writer.member("from", from.rawValue) }
                    write(change, to: &writer)
                }
            }
        }
        return writer.bytes + [0x0A]
    }

    private static func write(_ change: LabelChange, to writer: inout JSONWriter) {
        writer.member("reason", change.reason)
        writer.member("by", change.by)
        writer.member("at_ms", change.at.milliseconds)
    }

    /// The members of a parsed object: their names, which have no escapes, and their values unchanged.
    private static func members(of line: [UInt8]) -> [(key: String, value: ArraySlice<UInt8>)] {
        var members: [(String, ArraySlice<UInt8>)] = []
        var (depth, isInString, start, colon) = (0, false, 0, -1)
        var index = 0
        func close(_ end: Int) {
            guard colon > start else { return }
            let key = line[start..<colon].filter { $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: " ") }
            members.append((String(decoding: key, as: UTF8.self), line[(colon + 1)..<end]))
        }
        while index < line.count {
            let byte = line[index]
            switch byte {
            case UInt8(ascii: "\\") where isInString: index += 1
            case UInt8(ascii: "\""): isInString.toggle()
            case _ where isInString: break
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                if depth == 1 { start = index + 1 }
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                if depth == 0 { close(index) }
            case UInt8(ascii: ":") where depth == 1: colon = index
            case UInt8(ascii: ",") where depth == 1:
                close(index)
                (start, colon) = (index + 1, -1)
            default: break
            }
            index += 1
        }
        return members
    }

    /// The sample that a line describes, its label and its task; nil if the line has another form.
    package static func subject(of line: [UInt8], _ parser: JSONParser) -> [String]? {
        try? parser.withDocument(of: line) { json in
            let object = try json.object()
            let label = try object.object("label")
            // For kinds without class names, the whole label of the line.
            let text =
                try label.optionalString("class")
                ?? String(decoding: NamedLabel(json: label.value).jsonBytes, as: UTF8.self)
            return [try object.object("sample").string("id"), text, try object.string("task")]
        }
    }

    /// The sample that a line describes; nil if the line has another form.
    package static func sample(of line: [UInt8], _ parser: JSONParser) -> String? {
        try? parser.withDocument(of: line) { json in try json.object().object("sample").string("id") }
    }

    /// The sequence number of a line's fact; nil if the line has another form.
    package static func sequence(of line: [UInt8], _ parser: JSONParser) -> Int64? {
        try? parser.withDocument(of: line) { json in try json.object().int64("sequence") }
    }
}
