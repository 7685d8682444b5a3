public import JSON
public import Vocabulary

extension TrainingRequest: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        let trials: [Hyperparameters] = try object.values("trials")
        guard !trials.isEmpty else { throw object.failure("trials", "expected at least one recipe") }
        self.init(
            id: try object.id("request"),
            dataset: try object.value("dataset"),
            modelVersion: try object.id("model_version"),
            trials: trials,
            repeats: try object.int("repeats", in: 1...1_000),
            deadline: try object.time("deadline_at_ms"),
            priority: try object.int("priority"),
            warmStart: try object.optionalValue("warm_start"),
            embedding: try object.optionalValue("embedding")
        )
    }

    public func write(to writer: inout JSONWriter) { write(to: &writer, project: nil) }

    public func write(to writer: inout JSONWriter, project: ProjectID?) {
        writer.object { writer in
            writer.member("project", ifPresent: project)
            writer.member("request", id)
            writer.member("dataset", dataset)
            writer.member("model_version", modelVersion)
            writer.array("trials", ofValues: trials)
            writer.member("repeats", repeats)
            writer.member("deadline_at_ms", deadline)
            writer.member("priority", priority)
            writer.member("warm_start", ifPresent: warmStart)
            writer.member("embedding", ifPresent: embedding)
        }
    }
}

extension ModelRelease: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        self.init(
            cause: try object.choice("cause"),
            champion: try object.value("champion"),
            challenger: try object.optionalValue("challenger"),
            replaced: try object.optionalID("replaced"),
            quarantined: try object.strings("quarantined").map { ModelVersion($0) },
            evidence: try object.value("evidence"),
            staging: try Staging(object),
            suppressed: object.optional("suppressed") == nil ? [] : try object.strings("suppressed")
        )
    }

    public func write(to writer: inout JSONWriter) { write(to: &writer, project: nil) }

    public func write(to writer: inout JSONWriter, project: ProjectID?) {
        writer.object { writer in
            writer.member("project", ifPresent: project)
            writer.member("cause", cause.rawValue)
            writer.member("champion", champion)
            writer.member("challenger", ifPresent: challenger)
            writer.member("replaced", ifPresent: replaced)
            writer.array("quarantined", of: quarantined.map(\.rawValue))
            writer.member("evidence", evidence)
            staging?.writeMembers(to: &writer)
            if !suppressed.isEmpty { writer.array("suppressed", of: suppressed) }
        }
    }
}

extension Notice: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        self.init(kind: try object.choice("kind"), text: try object.string("text"))
    }

    public func write(to writer: inout JSONWriter) { write(to: &writer, project: nil) }

    public func write(to writer: inout JSONWriter, project: ProjectID?) {
        writer.object { writer in
            writer.member("project", ifPresent: project)
            writer.member("kind", kind.rawValue)
            writer.member("text", text)
        }
    }
}
