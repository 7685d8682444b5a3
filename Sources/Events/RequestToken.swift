public import JSON

/// Token of a record that a client outside answers, returned with the answer: proof that the client has read the
/// record.
///
/// It is the last member of the record, beside the decision: `token`, 32 lower-case hexadecimal digits. It is not part
/// of the decision, nor of the data that replay compares. Descriptions and dumps show asterisks.
public struct RequestToken: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    private let text: String

    /// Wraps any text: a returned text need not be a token.
    public init(_ text: String) { self.text = text }

    /// The token itself, for code that sends or compares it.
    public func reveal() -> String { text }

    /// The text that replaces any token in output for people.
    public static let mask = "***"
    public var description: String { Self.mask }
    public var debugDescription: String { Self.mask }
    public var customMirror: Mirror { Mirror(self, children: []) }

    /// Reads the token that a record carries, or that an answer returns; nil if there is none.
    public init?(of object: JSONObject) throws(JSONError) {
        guard let text = try object.optionalString("token") else { return nil }
        self.init(text)
    }

    // MARK: - Beside a decision

    private static let opening = Array(#","token":""#.utf8)
    private static let closing = Array(#""}"#.utf8)
    private static let digits = 32

    /// Returns the record of a decision, an object with at least one member, with the token as its last member.
    public func added(to value: [UInt8]) -> [UInt8] {
        precondition(value.last == UInt8(ascii: "}"), "a decision is an object")
        var record = Array(value.dropLast())
        record += Self.opening
        record += text.utf8
        record += Self.closing
        return record
    }

    /// The decision in a record, byte for byte: without the token after it, if any.
    public static func removed(from value: UnsafeRawBufferPointer) -> [UInt8] {
        let size = opening.count + digits + closing.count
        let suffix = value.suffix(size)
        let digit: (UInt8) -> Bool = { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
        guard suffix.count == size, suffix.starts(with: opening), suffix.suffix(closing.count).elementsEqual(closing),
            suffix.dropFirst(opening.count).prefix(digits).allSatisfy(digit)
        else { return Array(value) }
        var decision = Array(value.dropLast(size))
        decision.append(UInt8(ascii: "}"))
        return decision
    }
}

extension JSONWriter {
    /// Writes a token as a member; nothing if there is none.
    public mutating func member(_ key: StaticString, ifPresent token: RequestToken?) {
        member(key, ifPresent: token?.reveal())
    }
}

extension Topic {
    /// Whether clients outside answer the topic's records, so that the records carry a token.
    public var carriesTokens: Bool { self == .labelingTasks || self == .trainingRequests }
}
