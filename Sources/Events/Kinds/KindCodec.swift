internal import JSON
internal import Kinds
internal import Vocabulary

/// The JSON forms of one kind of answers.
///
/// *Outside*, in records of clients, a value names classes and states its kind: it is read under the question of its
/// project. *Inside*, in the journal and in the state, it contains positions; there, and on the dataset log, an unknown
/// kind is from a newer build.
protocol KindCodec: Kind {
    // MARK: Inside

    /// Writes a value: an object whose first member is its `kind`. A value of `choice`, which is older than kinds, is
    /// written as the bare position of a class, and its output without `kind`.
    static func write(_ output: Output, to writer: inout JSONWriter)
    static func write(answer: Answer, to writer: inout JSONWriter)
    static func write(label: Label, to writer: inout JSONWriter)
    static func output(_ json: JSONValue) throws(JSONError) -> Output
    static func answer(_ json: JSONValue) throws(JSONError) -> Answer
    static func label(_ json: JSONValue) throws(JSONError) -> Label

    // MARK: Decisions

    /// Writes the members of the question of a task, after its `kind`.
    static func writeMembers(question: Question, to writer: inout JSONWriter)
    static func question(_ object: JSONObject) throws(JSONError) -> Question

    /// Writes the members of a label on the dataset log and in dataset lines, after its `kind`: the names of its
    /// classes, and their positions unless the line is of form 1.
    static func writeMembers(label: Label, names: [String], hasPositions: Bool, to writer: inout JSONWriter)
    static func namedLabel(_ object: JSONObject) throws(JSONError) -> (label: Label, names: [String])

    // MARK: Outside

    /// The output of a prediction.
    ///
    /// - Throws: `RecordRejection` that names the member of the event, what was expected and what was found.
    static func output(_ object: JSONObject, of event: JSONObject, under question: Question) throws(RecordRejection)
        -> Output
    static func writeMembers(output: Output, under question: Question, to writer: inout JSONWriter)

    /// Details that a prediction carries besides its output. `hasOutput` states whether it has one; `minimumExtent` is
    /// the smallest extent of the project's question with which a model may have been trained.
    static func detail(
        _ event: JSONObject,
        under question: Question,
        hasOutput: Bool,
        minimumExtent: Int,
        _ remarks: inout Remarks
    ) throws(RecordRejection) -> PredictionDetail
    static func writeMembers(detail: PredictionDetail, under question: Question, to writer: inout JSONWriter)

    /// The answer in the member of an event called `key`; an answer that names a class that the project lacks is a
    /// proposal if proposals are accepted.
    static func answer(
        _ object: JSONObject,
        at key: StaticString,
        under question: Question,
        acceptsProposal: Bool
    ) throws(RecordRejection) -> GivenAnswer<Answer>
    static func writeMembers(answer: Answer, under question: Question, to writer: inout JSONWriter)

    /// The label in the member of an event called `key`.
    static func label(_ object: JSONObject, at key: StaticString, under question: Question) throws(RecordRejection)
        -> Label
    static func writeMembers(label: Label, under question: Question, to writer: inout JSONWriter)

    /// Predictions of a model for test labels, one after the other.
    static func predictions(_ object: JSONObject) throws(JSONError) -> [Label]
    static func writeMembers(predictions: [Label], to writer: inout JSONWriter)
}

extension KindCodec {
    static func detail(
        _ event: JSONObject,
        under question: Question,
        hasOutput: Bool,
        minimumExtent: Int,
        _ remarks: inout Remarks
    ) throws(RecordRejection) -> PredictionDetail {
        PredictionDetail(score: event.informativeShare("score", &remarks))
    }

    static func writeMembers(detail: PredictionDetail, under question: Question, to writer: inout JSONWriter) {
        writer.member("score", ifPresent: detail.score)
    }
}

/// An answer as received from outside.
enum GivenAnswer<Answer> {
    case answer(Answer)
    /// The name of a class that the project lacks.
    case proposal(String)
}
