/// Error of a text that is not JSON, or not the JSON that was expected.
public struct JSONError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Kinds of errors.
    public enum Kind: String, Hashable, Sendable {
        /// The text ends inside a value; an empty text, too.
        case truncated
        /// The bytes are not UTF-8, or an escape names half a surrogate pair.
        case invalidUTF8
        /// Nested deeper than the parser's limit.
        case tooDeep
        /// More bytes than the parser's limit.
        case tooLarge
        /// Not the grammar of RFC 8259; `NaN` and `Infinity` are not JSON.
        case syntax
        /// A number that neither 64-bit integers nor a finite `Double` can hold.
        case numberOutOfRange
        /// A required member is missing.
        case missing
        /// A value of another type than expected.
        case wrongType
        /// A value of the right type that its reader does not accept.
        case invalidValue
        /// A format, or a kind of record, that is newer than its reader and unknown to it.
        case newerForm
    }

    /// Kind of the error.
    public let kind: Kind
    /// Position in the document, as in `sample.tags[3].id`; empty for the document itself.
    public let path: String
    /// The first offending byte, counted from 0, when the text is not JSON and the position is known.
    public let offset: Int?
    /// Reason in words: what was expected and what was found.
    public let reason: String

    /// Makes an error.
    public init(_ kind: Kind, path: String = "", offset: Int? = nil, reason: String) {
        self.kind = kind
        self.path = path
        self.offset = offset
        self.reason = reason
    }

    /// The error in one line: `sample.id: expected a string, found a number`.
    public var description: String {
        var text = path.isEmpty ? reason : "\(path): \(reason)"
        if let offset { text += " at byte \(offset)" }
        return text
    }
}
