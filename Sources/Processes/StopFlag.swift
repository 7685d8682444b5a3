internal import Synchronization

/// A flag that tells threads to end. It is raised once and never lowered.
public final class StopFlag: Sendable {
    private let raised = Atomic<Bool>(false)

    public init() {}

    /// Whether the flag is raised; memory written before `raise()` is visible once this is true.
    public var isRaised: Bool { raised.load(ordering: .acquiring) }
    /// Raises the flag. Safe from any thread, and more than once.
    public func raise() { raised.store(true, ordering: .releasing) }
}
