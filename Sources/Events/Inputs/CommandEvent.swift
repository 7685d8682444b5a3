public import JSON
public import Vocabulary

/// Command of an operator about a project.
public struct CommandEvent: Hashable, Sendable {
    public let project: ProjectID
    public let command: Command

    public init(project: ProjectID, command: Command) {
        self.project = project
        self.command = command
    }

    public init(_ object: JSONObject, project: ProjectID) throws(RecordRejection) {
        do throws(JSONError) {
            self.project = project
            command = try Command(json: object.value)
        } catch {
            throw error.path == "action" ? RecordRejection(.unknownCommand, error.description) : RecordRejection(error)
        }
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("project", project)
            command.writeMembers(to: &writer)
        }
    }
}

extension Command: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        let action: Action
        switch try object.string("action") {
        case "roll_back": action = .rollBack(try object.id("model_version"))
        case "hold": action = .hold
        case "release_hold": action = .releaseHold
        case "freeze": action = .freeze
        case "unfreeze": action = .unfreeze
        case "approve": action = .approve(try object.id("model_version"))
        case "suppress": action = .suppress(true, className: try object.className("class"))
        case "unsuppress": action = .suppress(false, className: try object.className("class"))
        case "resume": action = .resume
        case "register":
            action = .register(
                IncumbentModel(
                    version: try object.id("model_version"),
                    artifact: try ArtifactReference(incumbent: object.required("artifact")),
                    metrics: try object.metrics("metrics")
                )
            )
        case "revise_label":
            action = .revise(try object.id("sample_id"), className: try object.className("class"))
        case "retract_label": action = .retract(try object.id("sample_id"))
        case "move_label": action = .move(try object.id("sample_id"), to: try object.choice("split"))
        case let name:
            throw object.failure(
                "action",
                "expected roll_back, hold, release_hold, freeze, unfreeze, approve, suppress, unsuppress, resume, register, revise_label, retract_label or move_label, found \"\(name.prefix(64))\""
            )
        }
        // Both go on into the dataset log.
        let isChange = action.changedSample != nil
        self.init(
            id: try object.id("id", TaskID.self).rawValue,
            action: action,
            by: isChange ? try object.text("by", upTo: LabelChange.longestAuthor) : try object.string("by"),
            reason: isChange ? try object.text("reason", upTo: LabelChange.longestReason) : try object.string("reason")
        )
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in writeMembers(to: &writer) }
    }

    func writeMembers(to writer: inout JSONWriter) {
        writer.member("id", id)
        switch action {
        case .rollBack(let version):
            writer.member("action", "roll_back")
            writer.member("model_version", version)
        case .hold: writer.member("action", "hold")
        case .releaseHold: writer.member("action", "release_hold")
        case .freeze: writer.member("action", "freeze")
        case .unfreeze: writer.member("action", "unfreeze")
        case .approve(let version):
            writer.member("action", "approve")
            writer.member("model_version", version)
        case .suppress(let isSuppressed, let name):
            writer.member("action", isSuppressed ? "suppress" : "unsuppress")
            writer.member("class", name)
        case .resume: writer.member("action", "resume")
        case .register(let model):
            writer.member("action", "register")
            writer.member("model_version", model.version)
            writer.member("artifact", model.artifact)
            writer.member("metrics", model.metrics)
        case .revise(let sample, let name):
            writer.member("action", "revise_label")
            writer.member("sample_id", sample)
            writer.member("class", name)
        case .retract(let sample):
            writer.member("action", "retract_label")
            writer.member("sample_id", sample)
        case .move(let sample, let split):
            writer.member("action", "move_label")
            writer.member("sample_id", sample)
            writer.member("split", split.rawValue)
        }
        writer.member("by", by)
        writer.member("reason", reason)
    }
}

extension JSONObject {
    /// The name of a class, whether or not the project has it.
    func className(_ key: StaticString) throws(JSONError) -> String {
        let name = try string(key)
        guard (1...LabelSchema.longestName).contains(name.utf8.count) else {
            throw failure(key, "expected 1 to \(LabelSchema.longestName) bytes, found \(name.utf8.count)")
        }
        return name
    }

    /// The metrics in the object called `key`, by ascending name; none if absent.
    func metrics(_ key: StaticString) throws(JSONError) -> [ModelMetric] {
        guard let object = try optionalObject(key) else { return [] }
        var metrics: [ModelMetric] = []
        for member in object {
            guard (1...ModelMetric.longestName).contains(member.name.utf8.count) else {
                throw failure(key, "expected names of 1 to \(ModelMetric.longestName) bytes")
            }
            guard !metrics.contains(where: { $0.name == member.name }) else {
                throw failure(key, "\"\(member.name)\" stands twice")
            }
            metrics.append(ModelMetric(name: member.name, value: try member.value.double()))
        }
        guard metrics.count <= ModelMetric.limit else {
            throw failure(key, "expected at most \(ModelMetric.limit) metrics, found \(metrics.count)")
        }
        return metrics.sorted { $0.name < $1.name }
    }
}

extension JSONWriter {
    /// Writes metrics as an object by name; nothing if there are none.
    mutating func member(_ key: StaticString, _ metrics: [ModelMetric]) {
        guard !metrics.isEmpty else { return }
        object(key) { writer in
            for metric in metrics {
                writer.key(named: metric.name)
                writer.value(metric.value)
            }
        }
    }
}
