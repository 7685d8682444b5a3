/// The reason why a model could not be fitted, used or read.
public struct LearnerError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Kinds of errors.
    public enum Kind: String, Hashable, Sendable {
        /// Numbers of rows, columns, labels or classes that do not fit together.
        case shape
        /// A number that is not finite, a label that names no class, a negative weight.
        case value
        /// Bytes that are not a model.
        case format
    }

    /// Kind of the error.
    public let kind: Kind
    /// Reason in words: what was expected and what was found.
    public let reason: String

    init(_ kind: Kind, _ reason: String) {
        self.kind = kind
        self.reason = reason
    }

    /// The error in one line.
    public var description: String { reason }
}
