public import JSON
public import Vocabulary

extension SampleMetadata: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        var entries: [Entry] = []
        for member in try json.object() {
            entries.append(Entry(key: member.name, value: try member.value.string()))
            guard entries.count <= Self.entryLimit else { break }
        }
        guard let metadata = SampleMetadata(entries) else {
            throw json.failure(
                "expected at most \(Self.entryLimit) distinct keys of 1 to \(Self.longestKey) bytes, with texts of at most \(Self.longestValue)"
            )
        }
        self = metadata
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            for entry in entries {
                writer.key(named: entry.key)
                writer.value(entry.value)
            }
        }
    }
}
