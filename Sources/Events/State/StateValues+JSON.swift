public import Acquisition
public import JSON
public import Labeling
public import Vocabulary

extension Optional: JSONCodable where Wrapped: JSONCodable {
    public init(json: JSONValue) throws(JSONError) { self = json.isNull ? .none : .some(try Wrapped(json: json)) }

    public func write(to writer: inout JSONWriter) {
        if let self { self.write(to: &writer) } else { writer.null() }
    }
}

extension Int: JSONCodable {
    public init(json: JSONValue) throws(JSONError) { self = try json.int() }
    public func write(to writer: inout JSONWriter) { writer.value(self) }
}

extension Int64: JSONCodable {
    public init(json: JSONValue) throws(JSONError) { self = try json.int64() }
    public func write(to writer: inout JSONWriter) { writer.value(self) }
}

extension UInt64: JSONCodable {
    public init(json: JSONValue) throws(JSONError) { self = try json.uint64() }
    public func write(to writer: inout JSONWriter) { writer.value(self) }
}

extension TaskPurpose: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        guard let purpose = TaskPurpose(rawValue: try json.string()) else { throw json.failure("unknown purpose") }
        self = purpose
    }
    public func write(to writer: inout JSONWriter) { writer.value(rawValue) }
}

extension PooledCandidate: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        self.init(
            candidate: try object.value("candidate"),
            modelVersionNumber: try object.count("model_ordinal"),
            propensity: try object.optionalDouble("propensity"),
            setAside: object.optional("set_aside") == nil ? nil : try object.choice("set_aside")
        )
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("candidate", candidate)
            writer.member("model_ordinal", modelVersionNumber)
            writer.member("propensity", ifPresent: propensity)
            writer.member("set_aside", ifPresent: setAside?.rawValue)
        }
    }
}

extension UnanswerableSample: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        self.init(
            number: try object.count("number"),
            sample: SampleID(try object.string("sample")),
            sketch: try object.optionalValue("sketch"),
            notes: object.optional("notes") == nil ? [] : try object.strings("notes")
        )
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("number", number)
            writer.member("sample", sample.rawValue)
            writer.member("sketch", ifPresent: sketch)
            if !notes.isEmpty { writer.array("notes", of: notes) }
        }
    }
}

extension Selection: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        self.init(
            sample: try object.value("sample"),
            purpose: try object.choice("purpose"),
            reason: try object.value("reason"),
            predictedAt: try object.time("predicted_at_ms"),
            voteCost: try object.optionalValue("vote_cost") ?? .free,
            audit: try object.optionalValue("audit")
        )
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("sample", sample)
            writer.member("purpose", purpose.rawValue)
            writer.member("reason", reason)
            writer.member("predicted_at_ms", predictedAt)
            if voteCost != .free { writer.member("vote_cost", voteCost) }
            writer.member("audit", ifPresent: audit)
        }
    }
}

extension OpenTask: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        self.init(
            selection: try object.value("selection"),
            votes: try object.values("votes"),
            declined: try object.strings("declined").map { AnnotatorID($0) },
            votesWanted: try object.count("votes_wanted"),
            votesReserved: try object.count("votes_reserved"),
            openedAt: try object.time("opened_at_ms"),
            expiresAt: try object.time("expires_at_ms"),
            priorityRises: try object.optionalCount("aged") ?? 0,
            priorityGained: try object.optionalDouble("priority_gained") ?? 0,
            extent: try object.optionalInt("classes", in: 1...10_000),
            notes: object.optional("notes") == nil ? [] : try object.strings("notes"),
            withheld: object.optional("withheld") == nil ? [] : try object.strings("withheld")
        )
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("selection", selection)
            writer.array("votes", ofValues: votes)
            writer.array("declined", of: declined.map(\.rawValue))
            writer.member("votes_wanted", votesWanted)
            writer.member("votes_reserved", votesReserved)
            writer.member("opened_at_ms", openedAt)
            writer.member("expires_at_ms", expiresAt)
            writer.member("classes", ifPresent: extent)
            if !notes.isEmpty { writer.array("notes", of: notes) }
            if !withheld.isEmpty { writer.array("withheld", of: withheld) }
            guard priorityRises > 0 else { return }
            writer.member("aged", priorityRises)
            writer.member("priority_gained", priorityGained)
        }
    }
}
