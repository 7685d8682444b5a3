/// Maximum time for which the same call is retried before the task fails: about a minute, even if the clock jumps.
struct RetryWait {
    private static let limit: Int64 = 60_000
    /// Longest duration of a single try.
    private static let step: Int64 = 35_000

    private var last: Int64
    private var spent: Int64 = 0

    init(_ now: Int64) { last = now }

    mutating func hasTimeLeft(at now: Int64) -> Bool {
        spent += min(max(0, now - last), Self.step)
        last = now
        return spent < Self.limit
    }
}
