public import JSON
public import Vocabulary

/// What a user did about a prediction, as the product service says it.
public struct FeedbackEvent: Hashable, Sendable {
    public let project: ProjectID
    /// With `source`, the identity of the event: a second one is a duplicate.
    public let id: String?
    public let source: String?
    public let sample: SampleID
    public let modelVersion: ModelVersion
    public let user: String
    public let verdict: Feedback.Verdict
    public let answer: ClassIndex?
    public let givenAt: Int64?

    public init(
        project: ProjectID,
        id: String?,
        source: String?,
        sample: SampleID,
        modelVersion: ModelVersion,
        user: String,
        verdict: Feedback.Verdict,
        answer: ClassIndex?,
        givenAt: Int64?
    ) {
        self.project = project
        self.id = id
        self.source = source
        self.sample = sample
        self.modelVersion = modelVersion
        self.user = user
        self.verdict = verdict
        self.answer = answer
        self.givenAt = givenAt
    }

    public init(_ object: JSONObject, project: ProjectID, schema: LabelSchema) throws(Rejection) {
        do throws(JSONError) {
            self.project = project
            id = try object.optionalString("id")
            source = try object.optionalString("source")
            sample = try object.id("sample")
            modelVersion = try object.object("model").id("version")
            user = try object.id("user", UserDigest.self).rawValue
            verdict = try object.choice("verdict")
            givenAt = try object.optionalInt64("given_at_ms")
        } catch {
            throw Rejection(error)
        }
        answer = try choice(object, "answer", schema)
        guard verdict != .correction || answer != nil else {
            throw Rejection(.schema, "answer: a correction must say what is right")
        }
    }

    public func write(to writer: inout JSONWriter, schema: LabelSchema) {
        writer.object { writer in
            writer.member("project", project)
            writer.member("id", ifPresent: id)
            writer.member("source", ifPresent: source)
            writer.member("sample", sample)
            writer.object("model") { $0.member("version", modelVersion) }
            writer.member("user", user)
            writer.member("verdict", verdict.rawValue)
            if let answer { writeChoice(answer, "answer", schema, &writer) }
            writer.member("given_at_ms", ifPresent: givenAt)
        }
    }
}

/// One annotator's answer, as the label tool says it.
public struct AnnotationEvent: Hashable, Sendable {
    public let project: ProjectID
    public let annotation: Annotation
    public let answeredAt: Int64?
    /// The token of the task, if it is given back.
    public let token: RequestToken?

    public init(project: ProjectID, annotation: Annotation, answeredAt: Int64?, token: RequestToken? = nil) {
        self.project = project
        self.annotation = annotation
        self.answeredAt = answeredAt
        self.token = token
    }

    public init(_ object: JSONObject, project: ProjectID, schema: LabelSchema) throws(Rejection) {
        let task: TaskID
        let annotator: AnnotatorID
        let kind: String
        let note: String?
        let duration: Int64?
        do throws(JSONError) {
            task = try object.id("task")
            annotator = try object.id("annotator")
            kind = try object.string("outcome")
            note = try object.optionalString("note")
            duration = try object.optionalInt64("duration_ms")
            answeredAt = try object.optionalInt64("answered_at_ms")
            token = try RequestToken(of: object)
        } catch {
            throw Rejection(error)
        }
        let outcome: Annotation.Outcome
        switch kind {
        case "skip": outcome = .skip
        case "flag": outcome = .flag(String(decoding: (note ?? "").utf8.prefix(1_000), as: UTF8.self))
        case "answer":
            guard let label = try choice(object, "answer", schema) else {
                throw Rejection(.schema, "answer: expected an answer, found none")
            }
            outcome = .answer(label)
        default: throw Rejection(.schema, "outcome: expected answer, skip or flag, found \"\(kind.prefix(64))\"")
        }
        self.project = project
        annotation = Annotation(task: task, annotator: annotator, outcome: outcome, duration: duration)
    }

    public func write(to writer: inout JSONWriter, schema: LabelSchema) {
        writer.object { writer in
            writer.member("project", project)
            writer.member("task", annotation.task)
            writer.member("annotator", annotation.annotator)
            switch annotation.outcome {
            case .skip: writer.member("outcome", "skip")
            case .flag(let note):
                writer.member("outcome", "flag")
                writer.member("note", note)
            case .answer(let label):
                writer.member("outcome", "answer")
                writeChoice(label, "answer", schema, &writer)
            }
            writer.member("duration_ms", ifPresent: annotation.duration)
            writer.member("answered_at_ms", ifPresent: answeredAt)
            writer.member("token", ifPresent: token)
        }
    }
}

/// An answer of kind `choice`, or nil if absent.
private func choice(
    _ object: JSONObject,
    _ key: StaticString,
    _ schema: LabelSchema
) throws(Rejection) -> ClassIndex? {
    guard object.optional(key) != nil else { return nil }
    let name: String
    do throws(JSONError) {
        let answer = try object.object(key)
        try answer.requireKind("choice")
        name = try answer.string("class")
    } catch {
        throw Rejection(error)
    }
    guard let label = schema.index(of: name) else {
        throw Rejection(.unknownClass, "\(key).class: class \"\(name.prefix(64))\" is not in the label schema")
    }
    return label
}

private func writeChoice(_ label: ClassIndex, _ key: StaticString, _ schema: LabelSchema, _ writer: inout JSONWriter) {
    writer.object(key) { writer in
        writer.member("kind", "choice")
        writer.member("class", schema.name(of: label))
    }
}
