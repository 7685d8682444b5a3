/// What the engine cannot do, and what a person can do about it.
public struct EngineError: Error, Hashable, Sendable, CustomStringConvertible {
    public let operation: String
    public let reason: String
    /// What to do next; empty when there is nothing but to look at the reason.
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

/// The build that decides. It changes with every change of a decision.
public enum Build {
    /// Written into journals as the `engine` entry and into the state's position.
    public static let version = "0.11.3"
}
