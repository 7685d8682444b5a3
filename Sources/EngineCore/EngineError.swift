/// Error of the engine: the operation that failed, the reason, and the remedy.
public struct EngineError: Error, Hashable, Sendable, CustomStringConvertible {
    public let operation: String
    public let reason: String
    /// Remedy for a person to apply; empty if the reason says enough.
    public let remedy: String

    public init(_ operation: String, _ reason: String, remedy: String = "") {
        self.operation = operation
        self.reason = reason
        self.remedy = remedy
    }

    public var description: String {
        "could not \(operation): \(reason)" + (remedy.isEmpty ? "" : "; \(remedy)")
    }
}

/// The build that makes the decisions. Its version changes with every change of a decision.
public enum Build {
    /// Version that is written into journals as the `engine` entry and into the state's position.
    public static let version = "0.11.4"
}
