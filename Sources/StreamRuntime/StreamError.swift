/// Failed operation of a transport, and the action that it requires.
public struct StreamError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Action required of the caller.
    public enum Disposition: Hashable, Sendable {
        /// Make the same call again, after a pause.
        case retry
        /// Abort the transaction, undo the tables, rewind to the committed offsets, go on.
        case abortTransaction
        /// The client object is of no further use: close it, make a new one, rewind, go on.
        case fatal
    }

    public let disposition: Disposition
    /// Attempted operation, as in "commit the transaction".
    public let operation: String
    /// The client's code, as in `_FENCED`.
    public let code: String
    public let reason: String
    /// Whether the content of a record cannot be written, so that the same error will occur again.
    public let isAboutRecord: Bool

    public init(
        _ disposition: Disposition,
        operation: String,
        code: String,
        reason: String,
        isAboutRecord: Bool = false
    ) {
        self.isAboutRecord = isAboutRecord
        self.disposition = disposition
        self.operation = operation
        self.code = code
        self.reason = reason
    }

    /// Whether a permission is missing, so that the same error will occur until it is granted.
    public var isForbidden: Bool { code.hasSuffix("_AUTHORIZATION_FAILED") }

    /// Whether a later producer has taken over the transactional id.
    public var isFenced: Bool { ["_FENCED", "PRODUCER_FENCED", "INVALID_PRODUCER_EPOCH"].contains(code) }

    public var description: String { "could not \(operation): \(reason) (\(code))" }
}
