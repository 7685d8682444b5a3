public import Events

/// Job of a worker: the processor of one stream task, or the console.
public enum Role: String, Hashable, Sendable, CaseIterable {
    case intake, loop, materializer, trainer, console

    /// The role as one of the parties that use the topics.
    public var party: Party {
        switch self {
        case .intake: .intake
        case .loop: .loop
        case .materializer: .materializer
        case .trainer: .trainer
        case .console: .console
        }
    }
}
