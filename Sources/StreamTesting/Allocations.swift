internal import CAllocations

/// Counts memory allocations of the calling thread, for tests that a hot path allocates nothing.
public enum Allocations {
    /// Number of memory allocations by `body`.
    public static func count(_ body: () throws -> Void) rethrows -> UInt64 {
        let before = flywheel_allocations()
        try body()
        return flywheel_allocations() - before
    }
}
