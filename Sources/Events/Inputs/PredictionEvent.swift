public import JSON
internal import Kinds
public import Vocabulary

/// A sample and the prediction of a model for it; or a sample that no model has predicted yet.
///
/// ```swift
/// let question = Question.choice(LabelSchema(question: "Which animal?", classes: ["cat", "dog"]))
/// let text = #"{"project": "pets", "sample": {"id": "s-1"}}"#
/// let event = try JSONParser().withDocument(of: Array(text.utf8)) { document in
///     try PredictionEvent(document.object(), project: ProjectID("pets"), question: question)
/// }
/// ```
public struct PredictionEvent: Hashable, Sendable {
    public let project: ProjectID
    public let sample: Sample
    public let model: ModelReference?
    public let output: Output?
    /// Details besides the output that some strategies use.
    public let detail: PredictionDetail
    /// Time of the prediction, in milliseconds since 1970, if the service reports it.
    public var predictedAt: Int64?
    /// Members that were read otherwise than they were written, or left out.
    public var remarks = Remarks()

    public init(
        project: ProjectID,
        sample: Sample,
        model: ModelReference?,
        output: Output?,
        predictedAt: Int64?,
        detail: PredictionDetail = PredictionDetail()
    ) {
        self.detail = detail
        self.project = project
        self.sample = sample
        self.model = model
        self.output = output
        self.predictedAt = predictedAt
    }

    /// Reads an event whose project and question are known.
    ///
    /// - Parameters:
    ///   - object: The event.
    ///   - project: The project of the event.
    ///   - question: The question of the project: it names the classes.
    ///   - initialClasses: The number of classes that the project began with: lists may be as short as that, see
    ///     `PredictionDetail`. Nil for the current number.
    /// - Throws: `RecordRejection` if a member that affects decisions is missing or wrong.
    public init(
        _ object: JSONObject,
        project: ProjectID,
        question: Question,
        initialClasses: Int? = nil
    ) throws(RecordRejection) {
        var remarks = Remarks()
        do throws(JSONError) {
            self.project = project
            sample = try Sample(try object.required("sample"), &remarks)
            if let model = object.optional("model") {
                self.model = try ModelReference(model, &remarks)
            } else {
                model = nil
            }
            predictedAt = object.informativeMilliseconds("predicted_at_ms", &remarks)
        } catch {
            throw Embedding.isNotFinite(error)
                ? RecordRejection(.wrongSpace, error.description) : RecordRejection(error)
        }
        output = try question.output(of: object)
        guard (output == nil) == (model == nil) else {
            throw RecordRejection(
                .schema,
                "output and model go together: a sample that no model has seen carries neither"
            )
        }
        detail = try question.detail(
            of: object,
            hasOutput: output != nil,
            minimumExtent: initialClasses ?? question.extent,
            &remarks
        )
        self.remarks = remarks
    }

    /// Writes the event, with classes by name.
    public func write(to writer: inout JSONWriter, question: Question) {
        writer.object { writer in
            writer.member("project", project)
            writer.member("sample", sample)
            writer.member("model", ifPresent: model)
            if let output { writer.member("output", output, under: question) }
            writer.members(detail, under: question)
            writer.member("predicted_at_ms", ifPresent: predictedAt)
        }
    }
}
