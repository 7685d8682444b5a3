/// Failure of an exchange with a server. An answer of any status is no failure.
public struct HTTPClientError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Kinds of failure, for control flow.
    public enum Kind: String, Hashable, Sendable {
        /// No server was reached: the request did nothing. The same may work later.
        case unreachable
        /// The exchange ended in the middle: what the request did is not known. The same may work later.
        case interrupted
        /// The server kept us waiting for too long: what the request did is not known. The same may work later.
        case silent
        /// The server's certificate is not trusted.
        case untrusted
        /// More bytes than the caller wants.
        case tooLarge
        /// A request that cannot be sent as it is.
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
