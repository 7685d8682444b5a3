public import Flywheel
public import JSON
public import Vocabulary

extension JournalEntry: JSONCodable {
    /// - Throws: `JSONError`; `.newerForm` for an entry that only a newer build can read, whatever else is wrong with
    ///   it.
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        let kind = try Self.kind(object)
        let project = try object.project()
        let entry = try object.required("entry")
        let body: Body
        switch kind {
        case .configured: body = .configured(try ProjectConfiguration(json: entry))
        case .candidate: body = .candidate(try Candidate(json: entry))
        case .feedback: body = .feedback(try Feedback(json: entry))
        case .annotation: body = .annotation(try Annotation(json: entry))
        case .trainingResult:
            let verified = try entry.object().optionalBool("verified")
            body = .trainingResult(try TrainingResult(json: entry).verified(verified))
        case .versionSealed: body = .versionSealed(try SealedVersion(json: entry))
        case .command: body = .command(try Command(json: entry))
        case .tally: body = .tally(try entry.object().values("tallies"))
        case .tick: body = .tick(try ChainMark(json: entry))
        case .engine: body = .engine(build: try entry.object().string("build"))
        case .importedLabel: body = .importedLabel(try ImportedLabel(json: entry))
        case .predicted: body = .predicted(try PredictedLabels(json: entry))
        }
        self.init(project: project, body: body, origin: try object.optionalValue("origin"))
    }

    @inline(__always) private static func kind(_ object: JSONObject) throws(JSONError) -> Kind {
        let version = try object.int("v", in: 1...Int.max)
        let name = try object.string("kind")
        // The synthesized `init(rawValue:)` takes ten times as long.
        guard let kind = Kind.allCases.first(where: { $0.rawValue == name }) else {
            throw newer("kind", "kind \"\(name.prefix(64))\" is not known")
        }
        guard version <= kind.formVersion else {
            throw newer("v", "form \(version) of kind \"\(name)\", known is \(kind.formVersion)")
        }
        return kind
    }

    private static func newer(_ path: String, _ reason: String) -> JSONError {
        JSONError(
            .newerForm,
            path: path,
            reason: "this entry was written by a newer build (\(reason)); upgrade this worker"
        )
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("v", body.formVersion)
            writer.member("kind", body.kind.rawValue)
            writer.member("project", project)
            writer.key("entry")
            writeBody(to: &writer)
            writer.member("origin", ifPresent: origin)
        }
    }

    private func writeBody(to writer: inout JSONWriter) {
        switch body {
        case .configured(let configuration): configuration.write(to: &writer)
        case .candidate(let candidate): candidate.write(to: &writer)
        case .feedback(let feedback): feedback.write(to: &writer)
        case .annotation(let annotation): annotation.write(to: &writer)
        case .trainingResult(let result): result.write(to: &writer)
        case .versionSealed(let version): version.write(to: &writer)
        case .command(let command): command.write(to: &writer)
        case .tally(let tallies): writer.object { $0.array("tallies", ofValues: tallies) }
        case .tick(let mark): mark.write(to: &writer)
        case .engine(let build): writer.object { $0.member("build", build) }
        case .importedLabel(let imported): imported.write(to: &writer)
        case .predicted(let labels): labels.write(to: &writer)
        }
    }
}

extension EntryOrigin: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        let headers: [OriginHeader] =
            try object.optionalArray("headers")?.decode { (header) throws(JSONError) in
                let header = try header.object()
                return OriginHeader(
                    name: try header.string("name"),
                    value: try Self.bytes(header, "value")
                )
            } ?? []
        self.init(
            topic: try object.string("topic"),
            partition: Int32(try object.int("partition", in: 0...Int(Int32.max))),
            offset: try object.int64("offset"),
            value: try object.optionalString("value").map { Array($0.utf8) },
            key: try Self.bytes(object, "key"),
            headers: headers
        )
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("topic", topic)
            writer.member("partition", Int(partition))
            writer.member("offset", offset)
            // A value that was accepted as JSON is UTF-8, so its text gives exactly the same bytes.
            writer.member("value", ifPresent: value.map { String(decoding: $0, as: UTF8.self) })
            writer.member("key", ifPresent: key.map { Base64.encode($0) })
            guard !headers.isEmpty else { return }
            writer.array("headers") { writer in
                for header in headers {
                    writer.object { writer in
                        writer.member("name", header.name)
                        writer.member("value", ifPresent: header.value.map { Base64.encode($0) })
                    }
                }
            }
        }
    }

    private static func bytes(_ object: JSONObject, _ key: StaticString) throws(JSONError) -> [UInt8]? {
        guard let text = try object.optionalString(key) else { return nil }
        guard let bytes = Base64.decode(text) else { throw object.failure(key, "expected base64") }
        return bytes
    }
}

extension ChainMark: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        self.init(entryNumber: try object.uint64("entry_number"), digest: try object.string("chain"))
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("entry_number", entryNumber)
            writer.member("chain", digest)
        }
    }
}

extension Candidate: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        self.init(
            sample: try object.value("sample"),
            output: try object.optionalValue("output"),
            model: try object.optionalValue("model"),
            score: try object.double("score"),
            auditProbability: try object.optionalDouble("audit_probability"),
            auditDraw: try object.double("audit_draw"),
            predictedAt: try object.time("predicted_at_ms"),
            isExploration: try object.optionalBool("exploration") ?? false,
            triggers: try object.stringsIfPresent("triggers"),
            pendingTriggers: try object.stringsIfPresent("awaiting"),
            isBelowThreshold: try object.optionalBool("below_threshold") ?? false
        )
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("sample", sample)
            writer.member("output", ifPresent: output)
            writer.member("model", ifPresent: model)
            writer.member("score", score)
            writer.member("audit_probability", ifPresent: auditProbability)
            writer.member("audit_draw", auditDraw)
            writer.member("predicted_at_ms", predictedAt)
            if isExploration { writer.member("exploration", true) }
            if !triggers.isEmpty { writer.array("triggers", of: triggers) }
            if !pendingTriggers.isEmpty { writer.array("awaiting", of: pendingTriggers) }
            if isBelowThreshold { writer.member("below_threshold", true) }
        }
    }
}

extension Feedback: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        self.init(
            key: try object.uint64("key"),
            sample: try object.id("sample"),
            modelVersion: try object.id("model_version"),
            user: try object.id("user"),
            verdict: try object.choice("verdict"),
            answer: try object.optionalValue("answer"),
            proposedClass: try Self.proposedClass(object),
            inclusionProbability: try object.double("inclusion_probability")
        )
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("key", key)
            writer.member("sample", sample)
            writer.member("model_version", modelVersion)
            writer.member("user", user)
            writer.member("verdict", verdict.rawValue)
            writer.member("answer", ifPresent: answer)
            writer.member("proposed_class", ifPresent: proposedClass)
            writer.member("inclusion_probability", inclusionProbability)
        }
    }
}

extension Feedback {
    private static func proposedClass(_ object: JSONObject) throws(JSONError) -> String? {
        guard let name = try object.optionalString("proposed_class") else { return nil }
        guard (1...LabelSchema.longestName).contains(name.utf8.count) else {
            throw object.failure("proposed_class", "expected 1 to \(LabelSchema.longestName) bytes")
        }
        return name
    }
}

extension Annotation: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        let outcome: Outcome
        switch try object.string("outcome") {
        case "skip": outcome = .skip
        case "flag": outcome = .flag(try object.string("note"))
        case "answer": outcome = .answer(try object.answer())
        case let kind: throw object.failure("outcome", "expected answer, skip or flag, found \"\(kind)\"")
        }
        self.init(
            task: try object.id("task"),
            annotator: try object.id("annotator"),
            outcome: outcome,
            duration: try object.optionalInt64("duration_ms")
        )
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("task", task)
            writer.member("annotator", annotator)
            switch outcome {
            case .skip: writer.member("outcome", "skip")
            case .flag(let note):
                writer.member("outcome", "flag")
                writer.member("note", note)
            case .answer(let answer):
                writer.member("outcome", "answer")
                writer.member(answer: answer)
            }
            writer.member("duration_ms", ifPresent: duration)
        }
    }
}

extension Tally: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        self.init(
            modelVersion: try object.optionalID("model_version"),
            role: object.optional("role") == nil ? nil : try object.choice("role"),
            predictions: try object.int64("predictions"),
            feedback: try object.int64("feedback"),
            negative: try object.int64("negative_feedback"),
            forwarded: try object.int64("forwarded"),
            isUnregistered: try object.optionalBool("unregistered") ?? false
        )
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in writeMembers(to: &writer) }
    }

    func writeMembers(to writer: inout JSONWriter) {
        writer.member("model_version", ifPresent: modelVersion)
        writer.member("role", ifPresent: role?.rawValue)
        writer.member("predictions", predictions)
        writer.member("feedback", feedback)
        writer.member("negative_feedback", negative)
        writer.member("forwarded", forwarded)
        if isUnregistered { writer.member("unregistered", true) }
    }
}
