package import Storage

/// Pause of work that a store, a disk or a bucket, refuses temporarily: it is retried with growing, jittered pauses,
/// while nothing more is read.
public struct StorageBackoff: Sendable {
    /// Reason in the store's last refusal; nil while nothing is paused.
    public private(set) var reason: String?
    /// Number of consecutive refusals.
    public private(set) var attempts = 0
    /// Milliseconds since 1970; nil until the next call of `isDue`, which supplies the time.
    private var dueAt: Int64?

    /// The longest pause, in milliseconds.
    static let longestPause: Int64 = 10_000

    public init() {}

    /// Whether work waits for the store.
    public var isActive: Bool { reason != nil }

    /// Records that the store has refused the work.
    package mutating func recordRefusal(_ error: StorageError) {
        reason = error.description
        attempts += 1
        dueAt = nil
    }

    /// Ends the pause: the store has accepted the work, or it is no longer needed.
    package mutating func reset() { self = StorageBackoff() }

    /// Whether a retry is due: at once if nothing waits. `now` is in milliseconds since 1970, and a clock that is set
    /// back does not prolong a pause; `jitter` is in `0..<1`.
    package mutating func isDue(at now: Int64, jitter: Double) -> Bool {
        guard isActive else { return true }
        if let dueAt, dueAt - now <= Self.longestPause { return now >= dueAt }
        let pause = Double(min(Self.longestPause, 50 << Int64(min(attempts, 8))))
        dueAt = now + Int64(pause * (0.5 + 0.5 * jitter))
        return false
    }
}

/// A processor whose work may be paused by a cause outside of Kafka.
package protocol PausingProcessor: AnyObject {
    var backoff: StorageBackoff { get }
    /// Called with every refusal, and once more, with nothing paused, when the pause has ended.
    var storagePaused: (StorageBackoff) -> Void { get set }
}
