public import JSON
public import Vocabulary

extension PredictionRequest: JSONCodable {
    /// The `kind` of its records on `training-requests`; those of studies have none.
    public static let kind = "predict"

    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        let kind = try object.string("kind")
        guard kind == Self.kind else {
            throw object.failure("kind", "expected \(Self.kind), found \"\(kind.prefix(64))\"")
        }
        let candidates: [Sample] = try object.values("candidates")
        guard (1...Self.limit).contains(candidates.count) else {
            throw object.failure("candidates", "expected 1 to \(Self.limit) samples, found \(candidates.count)")
        }
        guard Set(candidates.map(\.id)).count == candidates.count else {
            throw object.failure("candidates", "expected distinct samples, found one twice")
        }
        self.init(
            id: try object.id("request"),
            candidates: candidates,
            champion: try object.value("champion"),
            challenger: try object.value("challenger"),
            deadline: try object.time("deadline_at_ms")
        )
    }

    public func write(to writer: inout JSONWriter) { write(to: &writer, project: nil) }

    public func write(to writer: inout JSONWriter, project: ProjectID?) {
        writer.object { writer in
            writer.member("project", ifPresent: project)
            writer.member("kind", Self.kind)
            writer.member("request", id)
            writer.array("candidates", ofValues: candidates)
            writer.member("champion", champion)
            writer.member("challenger", challenger)
            // A trainer that knows only studies reads the request as a study without trials.
            writer.array("trials", ofValues: [Hyperparameters]())
            writer.member("repeats", 0)
            writer.member("deadline_at_ms", deadline)
        }
    }
}
