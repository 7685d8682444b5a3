internal import JSON
internal import Kinds
internal import Vocabulary

// Values of any kind as sent by services, label tools and trainers: they are read under the question of their project,
// and a value of another kind is refused with the name of that kind.

extension Question {
    /// Reads the output of an event; nil if it has none.
    func output(of event: JSONObject) throws(RecordRejection) -> Output? {
        guard let object = try member("output", of: event) else { return nil }
        var reading = ReadOutput(question: self, object: object, event: event)
        return try kind.dispatch(codec: &reading)
    }

    /// Reads the details that an event carries besides its output; `minimumExtent` is the smallest extent of the
    /// question with which a model may have been trained.
    func detail(
        of event: JSONObject,
        hasOutput: Bool,
        minimumExtent: Int,
        _ remarks: inout Remarks
    ) throws(RecordRejection) -> PredictionDetail {
        var reading = ReadDetail(
            question: self,
            event: event,
            hasOutput: hasOutput,
            minimumExtent: minimumExtent,
            remarks: remarks
        )
        defer { remarks = reading.remarks }
        return try kind.dispatch(codec: &reading)
    }

    /// The answer in the member called `key`; nil if absent. A class that the project lacks is a proposal if proposals
    /// are accepted.
    func answer(
        of event: JSONObject,
        at key: StaticString,
        acceptsProposal: Bool = false
    ) throws(RecordRejection) -> GivenAnswer<Answer>? {
        guard let object = try member(key, of: event) else { return nil }
        var reading = ReadAnswer(question: self, object: object, key: key, acceptsProposal: acceptsProposal)
        return try kind.dispatch(codec: &reading)
    }

    /// The label in the member called `key`; nil if absent.
    func label(of event: JSONObject, at key: StaticString) throws(RecordRejection) -> Label? {
        guard let object = try member(key, of: event) else { return nil }
        var reading = ReadLabel(question: self, object: object, key: key)
        return try kind.dispatch(codec: &reading)
    }

    private func member(_ key: StaticString, of event: JSONObject) throws(RecordRejection) -> JSONObject? {
        guard event.optional(key) != nil else { return nil }
        do throws(JSONError) {
            let object = try event.object(key)
            try object.requireKind(kind.rawValue)
            return object
        } catch {
            throw RecordRejection(error)
        }
    }
}

extension JSONWriter {
    /// Writes an output with the names of its classes.
    mutating func member(_ key: StaticString, _ output: Output, under question: Question) {
        tagged(key, question.kind) { writer in writer.write(.output(output), under: question) }
    }

    /// Writes an answer with the names of its classes.
    mutating func member(_ key: StaticString, _ answer: Answer, under question: Question) {
        tagged(key, question.kind) { writer in writer.write(.answer(answer), under: question) }
    }

    /// Writes a label with the names of its classes.
    mutating func member(_ key: StaticString, _ label: Label, under question: Question) {
        tagged(key, question.kind) { writer in writer.write(.label(label), under: question) }
    }

    /// Writes the details besides an output as members of an open object.
    mutating func members(_ detail: PredictionDetail, under question: Question) {
        write(.detail(detail), under: question)
    }

    /// Moves the writer into the codec and back: with two owners its bytes would be copied.
    private mutating func write(_ value: WriteNamed.Value, under question: Question) {
        var writing = WriteNamed(value: value, question: question, writer: self)
        self = JSONWriter(capacity: 0)
        question.kind.dispatch(codec: &writing)
        self = writing.writer
    }

    /// Writes an object whose first member is its kind.
    mutating func tagged(_ key: StaticString, _ kind: KindName, _ body: (inout JSONWriter) -> Void) {
        object(key) { writer in
            writer.member("kind", kind.rawValue)
            body(&writer)
        }
    }
}

private struct ReadOutput: CodecVisitor {
    let question: Question
    let object: JSONObject
    let event: JSONObject

    func visit<K: KindCodec>(_ kind: K.Type) throws(RecordRejection) -> Output? {
        guard let question = K.question(question) else { return nil }
        return K.wrapped(output: try K.output(object, of: event, under: question))
    }
}

private struct ReadDetail: CodecVisitor {
    let question: Question
    let event: JSONObject
    let hasOutput: Bool
    let minimumExtent: Int
    var remarks: Remarks

    mutating func visit<K: KindCodec>(_ kind: K.Type) throws(RecordRejection) -> PredictionDetail {
        guard let question = K.question(question) else { return PredictionDetail() }
        return try K.detail(event, under: question, hasOutput: hasOutput, minimumExtent: minimumExtent, &remarks)
    }
}

private struct ReadAnswer: CodecVisitor {
    let question: Question
    let object: JSONObject
    let key: StaticString
    let acceptsProposal: Bool

    func visit<K: KindCodec>(_ kind: K.Type) throws(RecordRejection) -> GivenAnswer<Answer>? {
        guard let question = K.question(question) else { return nil }
        switch try K.answer(object, at: key, under: question, acceptsProposal: acceptsProposal) {
        case .answer(let answer): return .answer(K.wrapped(answer: answer))
        case .proposal(let name): return .proposal(name)
        }
    }
}

private struct ReadLabel: CodecVisitor {
    let question: Question
    let object: JSONObject
    let key: StaticString

    func visit<K: KindCodec>(_ kind: K.Type) throws(RecordRejection) -> Label? {
        guard let question = K.question(question) else { return nil }
        return K.wrapped(label: try K.label(object, at: key, under: question))
    }
}

private struct WriteNamed: CodecVisitor {
    enum Value {
        case output(Output)
        case answer(Answer)
        case label(Label)
        case detail(PredictionDetail)
    }

    let value: Value
    let question: Question
    var writer: JSONWriter

    mutating func visit<K: KindCodec>(_ kind: K.Type) {
        guard let question = K.question(question) else { return }
        switch value {
        case .output(let output):
            if let output = K.output(output) { K.writeMembers(output: output, under: question, to: &writer) }
        case .answer(let answer):
            if let answer = K.answer(answer) { K.writeMembers(answer: answer, under: question, to: &writer) }
        case .label(let label):
            if let label = K.label(label) { K.writeMembers(label: label, under: question, to: &writer) }
        case .detail(let detail): K.writeMembers(detail: detail, under: question, to: &writer)
        }
    }
}
