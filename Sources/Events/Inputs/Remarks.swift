internal import JSON
internal import Vocabulary

/// Remarks on informative members of an event that are not as expected: each member was read as closely as possible, or
/// left out. None of them is a reason to refuse the event.
///
/// `docs/reference/events.md` lists these members; if any other member is unusable, the event is refused.
public struct Remarks: Hashable, Sendable {
    /// A remark: the member, and how it was treated.
    public struct Remark: Hashable, Sendable, CustomStringConvertible {
        /// The path of the member, as in `sample.metadata`: it contains no name that a producer chose.
        public let member: String
        public let text: String

        public var description: String { "\(member): \(text)" }
    }

    /// Maximum number of remarks that are kept for an event.
    public static let limit = 16

    public private(set) var all: [Remark] = []

    public init() {}

    /// Records a remark on a member. `error` contains the path of the member and the reason.
    mutating func note(_ error: JSONError) {
        // The path of a member is the same, whether or not its event is in an envelope.
        let path = error.path.hasPrefix("data.") ? String(error.path.dropFirst(5)) : error.path
        note(path, error.reason)
    }

    /// Records a remark on the member at a path.
    public mutating func note(_ member: String, _ text: String) {
        guard all.count < Self.limit else { return }
        all.append(Remark(member: member, text: text))
    }
}

/// Reading of informative members.
extension JSONObject {
    /// Reads a text; a number or Boolean is read as its JSON text. Nil for any other value, which causes a remark.
    func informativeText(_ key: StaticString, _ remarks: inout Remarks) -> String? {
        guard let member = optional(key) else { return nil }
        if let text = try? member.string() { return text }
        guard let text = member.scalarText else {
            remarks.note(failure(key, "expected text, found \(member.kind.nameWithArticle): left out"))
            return nil
        }
        remarks.note(failure(key, "expected text, found \(member.kind.nameWithArticle): taken as \"\(text)\""))
        return text
    }

    /// Milliseconds, rounded to an integer (ties away from 0). Nil for any other value, and for a number beyond 2⁵³ in
    /// either direction that is not an integer; both cause a remark.
    func informativeMilliseconds(_ key: StaticString, _ remarks: inout Remarks) -> Int64? {
        guard let member = optional(key) else { return nil }
        guard member.kind == .number else {
            remarks.note(failure(key, "expected milliseconds, found \(member.kind.nameWithArticle): left out"))
            return nil
        }
        if let integer = try? member.int64() { return integer }
        guard let number = try? member.double(), number.magnitude <= 0x1p53 else {
            remarks.note(failure(key, "expected milliseconds that 64 bits hold: left out"))
            return nil
        }
        let rounded = Int64(number.rounded(.toNearestOrAwayFromZero))
        remarks.note(failure(key, "expected whole milliseconds, found \(number): taken as \(rounded)"))
        return rounded
    }

    /// A number in `0...1`; a number outside by no more than `ClassDistribution.rounding` is replaced by the nearest
    /// limit. Nil for any other value, which causes a remark.
    func informativeShare(_ key: StaticString, _ remarks: inout Remarks) -> Double? {
        guard let member = optional(key) else { return nil }
        guard let number = try? member.double() else {
            remarks.note(failure(key, "expected a number in 0...1, found \(member.kind.nameWithArticle): left out"))
            return nil
        }
        let tolerance = ClassDistribution.rounding
        guard number >= -tolerance, number <= 1 + tolerance else {
            remarks.note(failure(key, "expected a number in 0...1, found \(number): left out"))
            return nil
        }
        return number < 0 ? 0 : Swift.min(1, number)
    }
}

extension JSONValue {
    /// The JSON text of a number or Boolean; nil for any other value.
    var scalarText: String? {
        guard kind == .number || kind == .bool else { return nil }
        var writer = JSONWriter()
        writer.value(self)
        return writer.text
    }
}

extension JSONValue.Kind {
    /// Name of the kind with an article, for messages.
    var nameWithArticle: String {
        switch self {
        case .object: "an object"
        case .array: "a list"
        case .string: "text"
        case .number: "a number"
        case .bool: "true or false"
        case .null: "null"
        }
    }
}

extension String {
    /// The text, or its longest prefix of at most `limit` bytes that ends between two Unicode scalars.
    func truncated(toBytes limit: Int) -> String {
        guard utf8.count > limit else { return self }
        var end = utf8.index(utf8.startIndex, offsetBy: limit)
        while end > utf8.startIndex, UTF8.isContinuation(utf8[end]) { end = utf8.index(before: end) }
        return String(decoding: utf8[..<end], as: UTF8.self)
    }
}
