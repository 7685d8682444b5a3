public import JSON
internal import Kinds
public import Vocabulary

/// Predictions of two models for the candidates of a request, as a trainer reports them: on `training-results`,
/// of kind `predicted`.
public struct PredictedEvent: Hashable, Sendable {
    /// The `kind` of its records; those of studies have none.
    public static let kind = "predicted"

    public let project: ProjectID
    public let labels: PredictedLabels
    /// The token of the request, if it is given back.
    public let token: RequestToken?
    /// Members that were read otherwise than they were written, or left out.
    public var remarks = Remarks()

    public init(project: ProjectID, labels: PredictedLabels, token: RequestToken? = nil) {
        self.project = project
        self.labels = labels
        self.token = token
    }

    /// Whether a record of `training-results` is an event of this kind.
    public static func matches(_ object: JSONObject) -> Bool {
        object.optional("kind").flatMap { try? $0.string() } == kind
    }

    /// Reads an event whose project and question are known.
    ///
    /// - Parameters:
    ///   - object: The event.
    ///   - project: The project of the event.
    ///   - question: The question of the project: it names the classes.
    /// - Throws: `RecordRejection` if a member that affects decisions is missing or wrong; the whole event is refused
    ///   then.
    public init(_ object: JSONObject, project: ProjectID, question: Question) throws(RecordRejection) {
        var remarks = Remarks()
        let request: RequestID
        let elements: JSONArray
        do throws(JSONError) {
            let kind = try object.string("kind")
            guard kind == Self.kind else {
                throw object.failure("kind", "expected \(Self.kind), found \"\(kind.prefix(64))\"")
            }
            request = try object.id("request")
            token = try RequestToken(of: object)
            elements = try object.array("answers")
            guard elements.count <= PredictionRequest.limit else {
                let most = PredictionRequest.limit
                throw object.failure("answers", "expected at most \(most), found \(elements.count)")
            }
        } catch {
            throw RecordRejection(error)
        }
        var answers: [PredictedAnswer] = []
        for (index, element) in elements.enumerated() {
            let (answer, sample): (JSONObject, SampleID)
            do throws(JSONError) {
                answer = try element.object()
                sample = try answer.id("sample")
            } catch {
                throw RecordRejection(error)
            }
            do throws(RecordRejection) {
                answers.append(
                    PredictedAnswer(
                        sample: sample,
                        champion: try question.label(of: answer, at: "champion"),
                        challenger: try question.label(of: answer, at: "challenger")
                    )
                )
            } catch {
                throw RecordRejection(error.code, "answers[\(index)] of sample \(sample): \(error.text)")
            }
        }
        self.project = project
        labels = PredictedLabels(
            request: request,
            answers: answers,
            error: object.informativeText("error", &remarks).map { String($0.prefix(Self.longestError)) },
            duration: object.informativeMilliseconds("duration_ms", &remarks)
        )
        self.remarks = remarks
    }

    /// Maximum number of characters kept of an error text.
    private static let longestError = 1_000

    public func write(to writer: inout JSONWriter, question: Question) {
        writer.object { writer in
            writer.member("project", project)
            writer.member("kind", Self.kind)
            writer.member("request", labels.request)
            writer.array("answers") { writer in
                for answer in labels.answers {
                    writer.object { writer in
                        writer.member("sample", answer.sample)
                        if let label = answer.champion { writer.member("champion", label, under: question) }
                        if let label = answer.challenger { writer.member("challenger", label, under: question) }
                    }
                }
            }
            writer.member("error", ifPresent: labels.error)
            writer.member("duration_ms", ifPresent: labels.duration)
            writer.member("token", ifPresent: token)
        }
    }
}
