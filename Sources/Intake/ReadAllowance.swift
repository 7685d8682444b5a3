/// Maximum time that Intake may wait for the end of `projects` before it reports a name as unknown: meanwhile the
/// records of all projects wait, and after an aborted transaction it takes half a second until an end is detected.
///
/// Several seconds may be spent at once, which is more than revisions applied by a person need; in the long run, a
/// fifth of the time, however many unknown names arrive. Times are milliseconds since 1970.
struct ReadAllowance {
    enum Decision: Hashable {
        /// The projects were read since the record was written, or cannot be read now.
        case unneeded
        /// A scan is due, and the allowance is spent.
        case spent
        case due
    }

    /// The most that may be spent at once, in milliseconds.
    static let maximum: Double = 5_000
    /// Allowance regained per millisecond, in milliseconds.
    static let rate = 0.2
    /// Milliseconds from a failed scan to the next.
    static let retryInterval: Int64 = 10_000

    /// Start time of the last scan.
    private var checkedAt: Int64 = 0
    /// Time of a failed scan, until a scan succeeds.
    private var failedAt: Int64?
    /// Allowance left, in milliseconds; below 0 after a read that took longer.
    private var left = Self.maximum
    private var countedAt: Int64 = 0

    /// Returns whether to scan for a record that was written at a given time.
    mutating func decide(for written: Int64, at time: Int64) -> Decision {
        // If the clock went back, the last scan is older than it seems.
        if time < checkedAt { checkedAt = 0 }
        // After a failed read no other one is tried for a while: a wait for each record would stop the stream.
        if let failedAt, time >= failedAt, time - failedAt < Self.retryInterval { return .unneeded }
        // A timestamp in the future does not show when the record was written.
        let isPast = written >= 0 && written <= time
        guard isPast ? written >= checkedAt : time - checkedAt >= 10 else { return .unneeded }
        left = min(Self.maximum, left + Self.rate * Double(max(0, time - countedAt)))
        countedAt = time
        return left > 0 ? .due : .spent
    }

    mutating func ended(began: Int64, at time: Int64, isRead: Bool) {
        left -= Double(max(0, time - began))
        countedAt = max(began, time)
        if isRead {
            (checkedAt, failedAt) = (began, nil)
        } else {
            failedAt = time
        }
    }
}
