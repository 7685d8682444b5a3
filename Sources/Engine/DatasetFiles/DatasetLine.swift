internal import Events
internal import JSON
public import Vocabulary

/// One line of a segment.
public struct DatasetLine: Sendable {
    public let sample: SampleID
    public let className: String
    public let embedding: [Float]?
    public let space: SpaceID?

    /// The line of an accepted label: readable without us, numbers as numbers.
    static func bytes(_ fact: LabelFact, className: String) -> [UInt8] {
        let consensus = fact.consensus
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
            }
            writer.object("label") { writer in
                writer.member("kind", "choice")
                writer.member("class", className)
            }
            writer.member("split", fact.split.rawValue)
            writer.member("confidence", consensus.confidence.value)
            writer.member("votes", consensus.votes.count)
            writer.member("task", consensus.task.rawValue)
            writer.member("sequence", fact.sequence)
        }
        return writer.bytes + [0x0A]
    }

    /// The number of a line's fact; nil of what is no such line.
    static func sequence(of line: [UInt8], _ parser: JSONParser) -> Int64? {
        try? parser.withDocument(of: line) { json in try json.object().int64("sequence") }
    }

    /// - Throws: `.newerForm` of a line that is no accepted label of a class, whatever else is wrong with it.
    init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        try DatasetForm.check(line: object)
        let sample = try object.object("sample")
        self.sample = SampleID(try sample.string("id"))
        className = try object.object("label").string("class")
        var values: [Float] = []
        if let array = try sample.optionalArray("embedding") { try array.floats(into: &values) }
        embedding = values.isEmpty ? nil : values
        space = try sample.optionalString("space").map { SpaceID($0) }
    }
}
