internal import Synchronization

/// Signals threads to end. Raised once, never lowered.
public final class StopFlag: Sendable {
    private let raised = Atomic<Bool>(false)

    public init() {}

    /// Whether the flag is raised; what was written before `raise()` is visible once this is true.
    public var isRaised: Bool { raised.load(ordering: .acquiring) }
    /// Safe from any thread, and more than once.
    public func raise() { raised.store(true, ordering: .releasing) }
}
