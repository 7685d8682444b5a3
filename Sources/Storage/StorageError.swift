import Glibc

/// Failed operation on stored bytes.
public struct StorageError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Kinds of failure, for control flow.
    public enum Kind: String, Hashable, Sendable {
        /// There is no such object.
        case notFound
        /// A name or URI that is not accepted.
        case invalidName
        /// Other bytes are stored under a name that identifies its content.
        case conflict
        /// The bytes stored under a name differ from those that were written there.
        case damaged
        /// More bytes than the caller wants.
        case tooLarge
        /// The system refused; the same call may work later.
        case system
        /// A server is unavailable, or answers with an error of its own; the same call may work later.
        case unavailable
        /// A server refuses the client, or the manner of its request; the call works once a person has corrected that.
        case forbidden
    }

    /// Kind of failure, for control flow.
    public let kind: Kind
    /// Attempted operation, as in "write".
    public let operation: String
    /// The path, name or URI.
    public let path: String
    /// The system's error number; 0 if no system call was involved.
    public let code: Int32
    /// The reason in words.
    public let reason: String

    /// An error of a store.
    public init(_ kind: Kind, _ operation: String, _ path: String, reason: String) {
        self.kind = kind
        self.operation = operation
        self.path = path
        self.reason = reason
        code = 0
    }

    /// The system's last error.
    init(_ operation: String, _ path: String) { self.init(operation, path, code: errno) }

    /// An error with the system's error number `code`.
    public init(_ operation: String, _ path: String, code: Int32) {
        kind = code == ENOENT ? .notFound : .system
        self.operation = operation
        self.path = path
        self.code = code
        reason = String(cString: strerror(code))
    }

    /// Whether the same call may work later: the disk is full or failing, the folder or the server is unavailable, or
    /// the server refuses the client.
    public var isTemporary: Bool { kind == .system || kind == .notFound || isRemote }

    /// Whether a server prevents access to an object that may well exist: it would be wrong to continue without the
    /// object.
    public var isRemote: Bool { kind == .unavailable || kind == .forbidden }

    /// The error in one line: `could not write /data/x: No space left on device`.
    public var description: String { "could not \(operation) \(path): \(reason)" }
}
