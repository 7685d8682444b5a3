public import JSON
internal import Kinds
public import Vocabulary

// The JSON form of values of any kind in tasks, in the dataset log and in training results.

/// A label with the names of its classes, so that a record can be read without the project's question.
public struct NamedLabel: Hashable, Sendable {
    public let label: Label
    /// Names of the classes in the order of the label; exactly one for kind `choice`.
    public let names: [String]

    public init(_ label: Label, names: [String]) {
        self.label = label
        self.names = names
    }

    /// A label with the names that the question gives its classes.
    public init(_ label: Label, under question: Question) {
        self.init(label, names: question.classNames(in: label))
    }
}

extension NamedLabel: JSONCodable {
    /// - Throws: `JSONError`; `.newerForm` for a kind that this build does not know.
    public init(json: JSONValue) throws(JSONError) { try self.init(json.object()) }

    public func write(to writer: inout JSONWriter) { write(to: &writer, hasPositions: true) }

    init(_ object: JSONObject) throws(JSONError) {
        var reading = ReadNamedLabel(object: object)
        self = try KindName(of: object).dispatch(codec: &reading)
    }

    /// Writes kind and names and, except in lines of form 1, positions.
    public func write(to writer: inout JSONWriter, hasPositions: Bool) {
        writer.object { writer in
            writer.member("kind", label.kind.rawValue)
            var writing = WriteNamedLabel(named: self, hasPositions: hasPositions, writer: writer)
            writer = JSONWriter(capacity: 0)
            label.kind.dispatch(codec: &writing)
            writer = writing.writer
        }
    }
}

extension Question {
    /// Reads the question of a task.
    init(ofTask object: JSONObject) throws(JSONError) {
        var reading = ReadQuestion(object: object)
        self = try KindName(of: object).dispatch(codec: &reading)
    }

    /// Writes the question in the form of a task.
    func writeToTask(_ writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("kind", kind.rawValue)
            writeTaskMembers(&writer)
        }
    }

    /// Writes the members of the question in the form of a task, without kind and braces.
    func writeTaskMembers(_ writer: inout JSONWriter) {
        var writing = WriteQuestion(question: self, writer: writer)
        writer = JSONWriter(capacity: 0)
        kind.dispatch(codec: &writing)
        writer = writing.writer
    }
}

extension KindName {
    /// Reads a model's predictions of this kind for test labels.
    func predictions(_ object: JSONObject) throws(JSONError) -> [Label] {
        var reading = ReadPredictions(object: object)
        return try dispatch(codec: &reading)
    }

    /// Writes predictions with their kind. All have the kind of the first one.
    static func write(_ predictions: [Label], to writer: inout JSONWriter) {
        let kind = predictions.first?.kind ?? .choice
        writer.tagged("predictions", kind) { writer in
            var writing = WritePredictions(labels: predictions, writer: writer)
            writer = JSONWriter(capacity: 0)
            kind.dispatch(codec: &writing)
            writer = writing.writer
        }
    }
}

private struct ReadNamedLabel: CodecVisitor {
    let object: JSONObject
    func visit<K: KindCodec>(_ kind: K.Type) throws(JSONError) -> NamedLabel {
        let (label, names) = try K.namedLabel(object)
        return NamedLabel(K.wrapped(label: label), names: names)
    }
}

private struct WriteNamedLabel: CodecVisitor {
    let named: NamedLabel
    let hasPositions: Bool
    var writer: JSONWriter

    mutating func visit<K: KindCodec>(_ kind: K.Type) {
        guard let label = K.label(named.label) else { return }
        K.writeMembers(label: label, names: named.names, hasPositions: hasPositions, to: &writer)
    }
}

private struct ReadQuestion: CodecVisitor {
    let object: JSONObject
    func visit<K: KindCodec>(_ kind: K.Type) throws(JSONError) -> Question {
        K.wrapped(question: try K.question(object))
    }
}

private struct WriteQuestion: CodecVisitor {
    let question: Question
    var writer: JSONWriter

    mutating func visit<K: KindCodec>(_ kind: K.Type) {
        if let question = K.question(question) { K.writeMembers(question: question, to: &writer) }
    }
}

private struct ReadPredictions: CodecVisitor {
    let object: JSONObject
    func visit<K: KindCodec>(_ kind: K.Type) throws(JSONError) -> [Label] {
        try K.predictions(object).map { K.wrapped(label: $0) }
    }
}

private struct WritePredictions: CodecVisitor {
    let labels: [Label]
    var writer: JSONWriter

    mutating func visit<K: KindCodec>(_ kind: K.Type) {
        K.writeMembers(predictions: labels.compactMap { K.label($0) }, to: &writer)
    }
}
