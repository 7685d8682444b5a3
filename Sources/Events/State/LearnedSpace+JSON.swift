public import Acquisition
public import JSON
internal import Vocabulary

extension LearnedSpace: JSONCodable {
    /// The table of its one row: Intake reads it, too.
    public static let table: StaticString = "acquisition.space"

    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        self.init(
            named: try object.optionalID("named"),
            space: try object.optionalValue("space"),
            seen: try object.values("seen")
        )
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("named", ifPresent: named)
            writer.member("space", ifPresent: space)
            writer.array("seen", ofValues: seen)
        }
    }
}

extension ExplorationLevel {
    /// The table of its one row: Intake reads it, too.
    public static let table: StaticString = "acquisition.exploration"
}

extension SeenEmbedding: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        self.init(
            space: try object.optionalID("space"),
            dimension: try object.int("dimension", in: 1...Int.max),
            norm: try object.double("norm")
        )
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("space", ifPresent: space)
            writer.member("dimension", dimension)
            writer.member("norm", norm)
        }
    }
}
