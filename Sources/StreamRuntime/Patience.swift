/// How long the same call is tried again before the task gives up: about a minute, whatever a clock that jumps may say.
struct Patience {
    private static let limit: Int64 = 60_000
    /// The longest that a single try takes.
    private static let step: Int64 = 35_000

    private var last: Int64
    private var spent: Int64 = 0

    init(_ now: Int64) { last = now }

    mutating func lasts(at now: Int64) -> Bool {
        spent += min(max(0, now - last), Self.step)
        last = now
        return spent < Self.limit
    }
}
