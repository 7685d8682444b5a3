internal import Synchronization

/// A clock that advances only on request.
public final class SimulatedClock: Sendable {
    private let milliseconds: Atomic<Int64>

    /// - Parameter start: Milliseconds since 1970.
    public init(_ start: Int64 = 1_700_000_000_000) { milliseconds = Atomic(start) }

    /// Milliseconds since 1970.
    public var now: Int64 { milliseconds.load(ordering: .acquiring) }

    /// Advances the clock by `span` milliseconds.
    public func advance(by span: Int64) { milliseconds.add(span, ordering: .acquiringAndReleasing) }

    /// Sets the clock to a time, which may also be earlier.
    public func set(to time: Int64) { milliseconds.store(time, ordering: .releasing) }
}
