import Glibc

/// Failed operation on a process, with the system's reason.
public struct ProcessError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Attempted operation, as in "start kafka-server".
    public let operation: String
    /// The system's error number; 0 if no system call was made.
    public let code: Int32
    /// The reason in words.
    public let reason: String

    /// An error detected by this module.
    init(_ operation: String, reason: String) {
        self.operation = operation
        self.reason = reason
        code = 0
    }

    /// An error reported by the operating system.
    init(_ operation: String, code: Int32) {
        self.operation = operation
        self.code = code
        reason = String(cString: strerror(code))
    }

    /// The error in one line.
    public var description: String { "could not \(operation): \(reason)" }
}
