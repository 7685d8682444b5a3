/// Fault in a command line, worded for the person who typed it.
public struct ArgumentsError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Reason in words: what was expected and what was found.
    public let reason: String
    /// The command it is about, as in `flywheel run`.
    public let command: String

    /// Creates an error about a command, for rules that only the caller knows.
    public init(_ reason: String, command: String) {
        self.reason = reason
        self.command = command
    }

    /// Two lines: the error, and the command that prints help.
    public var description: String { "\(reason)\nsee '\(command) --help'" }
}
