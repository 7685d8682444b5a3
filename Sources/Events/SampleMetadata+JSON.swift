public import JSON
public import Vocabulary

extension SampleMetadata: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        var remarks = Remarks()
        self.init(json, &remarks)
    }

    /// Reads the metadata that a producer sends with a sample, as far as it can be kept: numbers and Booleans as text,
    /// texts cut to `longestValue` bytes, the first `entryLimit` entries, the first value of a key that occurs twice.
    /// Values of other types and invalid keys are left out, `null` counts as absent.
    ///
    /// - Complexity: O(*n*) in the members.
    init(_ json: JSONValue, _ remarks: inout Remarks) {
        guard let object = json.objectView else {
            remarks.note(json.failure("expected an object, found \(json.kind.nameWithArticle): left out"))
            self = .none
            return
        }
        var entries: [Entry] = []
        for member in object where !member.value.isNull {
            guard entries.count < Self.entryLimit else {
                remarks.note(json.failure("more than \(Self.entryLimit) keys: the others are left out"))
                break
            }
            if let entry = Self.entry(member, json, &remarks) {
                if entries.contains(where: { $0.key == entry.key }) {
                    remarks.note(json.failure("key \(Self.quoted(entry.key)) stands twice: the first is kept"))
                } else {
                    entries.append(entry)
                }
            }
        }
        self = SampleMetadata(entries) ?? .none
    }

    private static func entry(_ member: JSONMember, _ json: JSONValue, _ remarks: inout Remarks) -> Entry? {
        guard (1...longestKey).contains(member.key.count) else {
            remarks.note(json.failure("expected keys of 1 to \(longestKey) bytes, found \(member.key.count): left out"))
            return nil
        }
        let key = member.name
        guard let text = try? member.value.string() else {
            let found = member.value.kind.nameWithArticle
            guard let text = member.value.scalarText else {
                remarks.note(json.failure("\(quoted(key)): expected text, found \(found): left out"))
                return nil
            }
            remarks.note(json.failure("\(quoted(key)): expected text, found \(found): taken as \"\(text)\""))
            return Entry(key: key, value: text)
        }
        if text.utf8.count > longestValue {
            remarks.note(
                json.failure("\(quoted(key)): expected at most \(longestValue) bytes, found \(text.utf8.count): cut")
            )
        }
        return Entry(key: key, value: text.truncated(toBytes: longestValue))
    }

    private static func quoted(_ key: String) -> String { "\"\(key)\"" }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            for entry in entries {
                writer.key(named: entry.key)
                writer.value(entry.value)
            }
        }
    }
}
