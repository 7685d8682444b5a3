/// Failure of an exchange with a server. An answer is not a failure, whatever its status.
public struct HTTPClientError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Kinds of failure, for control flow.
    public enum Kind: String, Hashable, Sendable {
        /// No server was reached: the request had no effect. A retry may succeed later.
        case unreachable
        /// The exchange ended in the middle: the effect of the request is not known. A retry may succeed later.
        case interrupted
        /// The server did not respond for too long: the effect of the request is not known. A retry may succeed later.
        case silent
        /// The server's certificate is not trusted.
        case untrusted
        /// The answer has more bytes than the caller accepts.
        case tooLarge
        /// The request cannot be sent as it is.
        case invalid
    }

    /// Kind of failure, for control flow.
    public let kind: Kind
    /// The reason in words.
    public let reason: String

    init(_ kind: Kind, _ reason: String) {
        self.kind = kind
        self.reason = reason
    }

    /// The reason in words.
    public var description: String { reason }
}
