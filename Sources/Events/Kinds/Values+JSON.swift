public import JSON
internal import Kinds
public import Vocabulary

// The form of values of any kind in the journal and in the state.

extension Output: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        var reading = ReadOutput(json: json)
        self = try KindName(ofInternal: json).dispatch(codec: &reading)
    }

    public func write(to writer: inout JSONWriter) {
        var writing = WriteOutput(output: self, writer: writer)
        writer = JSONWriter(capacity: 0)
        kind.dispatch(codec: &writing)
        writer = writing.writer
    }
}

extension Answer: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        var reading = ReadAnswer(json: json)
        self = try KindName(ofInternal: json).dispatch(codec: &reading)
    }

    public func write(to writer: inout JSONWriter) {
        var writing = WriteAnswer(answer: self, writer: writer)
        writer = JSONWriter(capacity: 0)
        kind.dispatch(codec: &writing)
        writer = writing.writer
    }
}

extension Label: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        var reading = ReadLabel(json: json)
        self = try KindName(ofInternal: json).dispatch(codec: &reading)
    }

    public func write(to writer: inout JSONWriter) {
        var writing = WriteLabel(label: self, writer: writer)
        writer = JSONWriter(capacity: 0)
        kind.dispatch(codec: &writing)
        writer = writing.writer
    }
}

extension JSONObject {
    /// Reads a label: a position called `index` for kind `choice`, an object called `label` for any other kind.
    func label() throws(JSONError) -> Label {
        if let position = optional("index") { return try Label(json: position) }
        guard let label = optional("label") else { throw missing("index", "the position of a class") }
        return try Label(json: label)
    }

    /// Reads a label as `label()` does; nil where neither member is there.
    func optionalLabel() throws(JSONError) -> Label? {
        optional("index") == nil && optional("label") == nil ? nil : try label()
    }

    /// Reads an answer: a position called `index` for kind `choice`, an object called `answer` for any other kind.
    func answer() throws(JSONError) -> Answer {
        if let position = optional("index") { return try Answer(json: position) }
        guard let answer = optional("answer") else { throw missing("index", "the position of a class") }
        return try Answer(json: answer)
    }
}

extension JSONWriter {
    /// Writes a label under the member name of its kind; nothing if there is none.
    mutating func member(label: Label?) {
        guard let label else { return }
        key(label.kind.isUntagged ? "index" : "label")
        label.write(to: &self)
    }

    /// Writes an answer under the member name of its kind.
    mutating func member(answer: Answer) {
        key(answer.kind.isUntagged ? "index" : "answer")
        answer.write(to: &self)
    }
}

private struct ReadOutput: CodecVisitor {
    let json: JSONValue
    func visit<K: KindCodec>(_ kind: K.Type) throws(JSONError) -> Output { K.wrapped(output: try K.output(json)) }
}

private struct ReadAnswer: CodecVisitor {
    let json: JSONValue
    func visit<K: KindCodec>(_ kind: K.Type) throws(JSONError) -> Answer { K.wrapped(answer: try K.answer(json)) }
}

private struct ReadLabel: CodecVisitor {
    let json: JSONValue
    func visit<K: KindCodec>(_ kind: K.Type) throws(JSONError) -> Label { K.wrapped(label: try K.label(json)) }
}

private struct WriteOutput: CodecVisitor {
    let output: Output
    var writer: JSONWriter
    mutating func visit<K: KindCodec>(_ kind: K.Type) {
        if let output = K.output(output) { K.write(output, to: &writer) }
    }
}

private struct WriteAnswer: CodecVisitor {
    let answer: Answer
    var writer: JSONWriter
    mutating func visit<K: KindCodec>(_ kind: K.Type) {
        if let answer = K.answer(answer) { K.write(answer: answer, to: &writer) }
    }
}

private struct WriteLabel: CodecVisitor {
    let label: Label
    var writer: JSONWriter
    mutating func visit<K: KindCodec>(_ kind: K.Type) {
        if let label = K.label(label) { K.write(label: label, to: &writer) }
    }
}
