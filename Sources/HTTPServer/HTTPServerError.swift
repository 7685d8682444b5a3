/// Error of a server that could not be started or run.
public struct HTTPServerError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Attempted operation, as in "listen on 127.0.0.1:8080".
    public let operation: String
    /// The reason in words.
    public let reason: String

    /// The error in one line.
    public var description: String { "could not \(operation): \(reason)" }
}
