public import JSON
public import Rollout
internal import Vocabulary

extension RequestedPredictions: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        self.init(
            number: try object.count("number"),
            champion: try object.id("champion"),
            challenger: try object.id("challenger"),
            samples: try object.strings("samples").map { SampleID($0) },
            requestedAt: try object.time("asked_at_ms"),
            deadline: try object.time("deadline_at_ms"),
            isAnswered: try object.optionalBool("answered") ?? false
        )
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("number", number)
            writer.member("champion", champion)
            writer.member("challenger", challenger)
            writer.array("samples", of: samples.map(\.rawValue))
            writer.member("asked_at_ms", requestedAt)
            writer.member("deadline_at_ms", deadline)
            if isAnswered { writer.member("answered", true) }
        }
    }
}

extension ServedAnswer: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        self.init(
            version: try object.id("version"),
            label: try object.label(),
            at: try object.time("at_ms"),
            isRequested: try object.optionalBool("asked") ?? false,
            isCompared: try object.optionalBool("compared") ?? false
        )
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("version", version)
            writer.member(label: label)
            writer.member("at_ms", at)
            if isRequested { writer.member("asked", true) }
            if isCompared { writer.member("compared", true) }
        }
    }
}
