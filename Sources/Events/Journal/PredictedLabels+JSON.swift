public import JSON
public import Vocabulary

// The form of the journal: classes by their positions.

extension PredictedLabels: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        self.init(
            request: try object.id("request"),
            answers: try object.values("answers"),
            error: try object.optionalString("error"),
            duration: try object.optionalInt64("duration_ms")
        )
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("request", request)
            writer.array("answers", ofValues: answers)
            writer.member("error", ifPresent: error)
            writer.member("duration_ms", ifPresent: duration)
        }
    }
}

extension PredictedAnswer: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        self.init(
            sample: try object.id("sample"),
            champion: try object.optionalValue("champion"),
            challenger: try object.optionalValue("challenger")
        )
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("sample", sample)
            writer.member("champion", ifPresent: champion)
            writer.member("challenger", ifPresent: challenger)
        }
    }
}
