public import JSON
internal import Kinds
public import Vocabulary

/// Reaction of a user to a prediction, as the product service reports it.
public struct FeedbackEvent: Hashable, Sendable {
    public let project: ProjectID
    /// Identity of the event together with `source`: a second event with the same identity is a duplicate.
    public let id: String?
    public let source: String?
    public let sample: SampleID
    public let modelVersion: ModelVersion
    public let user: String
    public let verdict: Feedback.Verdict
    public let answer: Answer?
    /// Class named by a correction if the project has no such class, verbatim; nil if there is an `answer`.
    public let proposedClass: String?
    public var givenAt: Int64?
    /// Members that were read otherwise than they were written, or left out.
    public var remarks = Remarks()

    public init(
        project: ProjectID,
        id: String?,
        source: String?,
        sample: SampleID,
        modelVersion: ModelVersion,
        user: String,
        verdict: Feedback.Verdict,
        answer: Answer?,
        proposedClass: String? = nil,
        givenAt: Int64?
    ) {
        self.proposedClass = proposedClass
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

    /// Reads an event whose project and question are known.
    ///
    /// - Parameters:
    ///   - object: The event.
    ///   - project: The project of the event.
    ///   - question: The question of the project: it names the classes.
    ///   - acceptsUnknownClass: Whether a correction may name a class that the project lacks: it still reports that the
    ///     prediction was wrong.
    /// - Throws: `RecordRejection` if a member that affects decisions is missing or wrong.
    public init(
        _ object: JSONObject,
        project: ProjectID,
        question: Question,
        acceptsUnknownClass: Bool = false
    ) throws(RecordRejection) {
        var remarks = Remarks()
        do throws(JSONError) {
            self.project = project
            id = object.informativeText("id", &remarks)
            source = object.informativeText("source", &remarks)
            sample = try object.id("sample")
            modelVersion = try object.object("model").id("version")
            user = try object.id("user", UserDigest.self).rawValue
            verdict = try object.choice("verdict")
            givenAt = object.informativeMilliseconds("given_at_ms", &remarks)
        } catch {
            throw RecordRejection(error)
        }
        guard verdict == .correction else {
            // The correct answer was not requested here, so nothing depends on it.
            proposedClass = nil
            do throws(RecordRejection) {
                if case .answer(let given)? = try question.answer(of: object, at: "answer") {
                    answer = given
                } else {
                    answer = nil
                }
            } catch {
                remarks.note("answer", "\(error.text): left out")
                answer = nil
            }
            self.remarks = remarks
            return
        }
        switch try question.answer(of: object, at: "answer", acceptsProposal: acceptsUnknownClass) {
        case .answer(let given)?: (answer, proposedClass) = (given, nil)
        case .proposal(let name)?: (answer, proposedClass) = (nil, name)
        case nil: throw RecordRejection(.schema, "answer: a correction must say what is right")
        }
        self.remarks = remarks
    }

    public func write(to writer: inout JSONWriter, question: Question) {
        writer.object { writer in
            writer.member("project", project)
            writer.member("id", ifPresent: id)
            writer.member("source", ifPresent: source)
            writer.member("sample", sample)
            writer.object("model") { $0.member("version", modelVersion) }
            writer.member("user", user)
            writer.member("verdict", verdict.rawValue)
            if let answer {
                writer.member("answer", answer, under: question)
            } else if let proposedClass {
                writer.tagged("answer", question.kind) { $0.member("class", proposedClass) }
            }
            writer.member("given_at_ms", ifPresent: givenAt)
        }
    }
}

/// One annotator's answer, as the label tool sends it.
public struct AnnotationEvent: Hashable, Sendable {
    public let project: ProjectID
    public let annotation: Annotation
    public var answeredAt: Int64?
    /// The token of the task, if it is given back.
    public let token: RequestToken?
    /// Members that were read otherwise than they were written, or left out.
    public var remarks = Remarks()

    public init(project: ProjectID, annotation: Annotation, answeredAt: Int64?, token: RequestToken? = nil) {
        self.project = project
        self.annotation = annotation
        self.answeredAt = answeredAt
        self.token = token
    }

    public init(_ object: JSONObject, project: ProjectID, question: Question) throws(RecordRejection) {
        let task: TaskID
        let annotator: AnnotatorID
        let kind: String
        let note: String?
        var duration: Int64?
        var remarks = Remarks()
        do throws(JSONError) {
            task = try object.id("task")
            annotator = try object.id("annotator")
            kind = try object.string("outcome")
            note = object.informativeText("note", &remarks)
            duration = object.informativeMilliseconds("duration_ms", &remarks)
            answeredAt = object.informativeMilliseconds("answered_at_ms", &remarks)
            token = try RequestToken(of: object)
        } catch {
            throw RecordRejection(error)
        }
        let outcome: Annotation.Outcome
        switch kind {
        case "skip": outcome = .skip
        case "flag": outcome = .flag(String(decoding: (note ?? "").utf8.prefix(1_000), as: UTF8.self))
        case "answer":
            guard case .answer(let answer)? = try question.answer(of: object, at: "answer") else {
                throw RecordRejection(.schema, "answer: expected an answer, found none")
            }
            outcome = .answer(answer)
        default: throw RecordRejection(.schema, "outcome: expected answer, skip or flag, found \"\(kind.prefix(64))\"")
        }
        if let given = duration, given < 0 {
            remarks.note("duration_ms", "expected at least 0, found \(given): left out")
            duration = nil
        }
        self.project = project
        self.remarks = remarks
        annotation = Annotation(task: task, annotator: annotator, outcome: outcome, duration: duration)
    }

    public func write(to writer: inout JSONWriter, question: Question) {
        writer.object { writer in
            writer.member("project", project)
            writer.member("task", annotation.task)
            writer.member("annotator", annotation.annotator)
            switch annotation.outcome {
            case .skip: writer.member("outcome", "skip")
            case .flag(let note):
                writer.member("outcome", "flag")
                writer.member("note", note)
            case .answer(let answer):
                writer.member("outcome", "answer")
                writer.member("answer", answer, under: question)
            }
            writer.member("duration_ms", ifPresent: annotation.duration)
            writer.member("answered_at_ms", ifPresent: answeredAt)
            writer.member("token", ifPresent: token)
        }
    }
}
