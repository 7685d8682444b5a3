public import Acquisition
internal import Flywheel
public import JSON
internal import Vocabulary

extension JSONObject {
    /// A share in `0...1`.
    func share(_ key: StaticString) throws(JSONError) -> LabelShare {
        let value = try double(key)
        guard let share = LabelShare(value) else {
            throw failure(key, "expected a number in 0.0...1.0, found \(value)")
        }
        return share
    }
}

extension SlicePolicy: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        var shares: [Share] = []
        if object.optional("shares") != nil {
            for member in try object.object("shares") {
                let value = try member.value.double()
                guard let share = LabelShare(value), shares.count < Self.shareLimit,
                    member.name.utf8.count <= SampleMetadata.longestValue
                else {
                    throw object.failure(
                        "shares",
                        "expected at most \(Self.shareLimit) slices of at most \(SampleMetadata.longestValue) bytes, with shares in 0.0...1.0"
                    )
                }
                shares.append(Share(slice: member.name, share: share))
            }
        }
        guard Set(shares.map(\.slice)).count == shares.count else {
            throw object.failure("shares", "a slice stands twice")
        }
        let key = try object.string("key")
        guard (1...SampleMetadata.longestKey).contains(key.utf8.count) else {
            throw object.failure("key", "expected 1 to \(SampleMetadata.longestKey) bytes")
        }
        self.init(
            key: key,
            share: try object.share("share"),
            shares: shares,
            newShare: object.optional("new_share") == nil ? nil : try object.share("new_share"),
            newFor: Int64(try object.int("new_for_ms", in: 1...Int(ProjectConfiguration.longestSpan)))
        )
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("key", key)
            writer.member("share", share.value)
            if !shares.isEmpty {
                writer.object("shares") { writer in
                    for share in shares {
                        writer.key(named: share.slice)
                        writer.value(share.share.value)
                    }
                }
            }
            writer.member("new_share", ifPresent: newShare?.value)
            writer.member("new_for_ms", newFor)
        }
    }
}
