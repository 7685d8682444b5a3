/// Holds a trigger to its rate, so that a condition that always holds cannot flood the journal.
///
/// A token bucket bounds what passes; as long as it is fuller than half everything does. Below that a sample's own draw
/// decides under a cut-off that follows the rate seen, so that of two models' predictions of one sample both pass or
/// neither. It informs what is looked at, never what is decided.
public struct TriggerLimit: Sendable {
    /// The rate is measured over so many milliseconds.
    private static let span = 60_000.0
    /// The part of the rate that draws use up; the rest fills the bucket again.
    private static let drawn = 0.8

    private var perMillisecond = 0.0
    private var burst = 0.0
    private var tokens: Double
    private var cutoff = 1.0
    private var seen = 0.0
    private var began: Int64?
    private var last: Int64 = 0

    /// An empty record of what was seen, and a full bucket.
    ///
    /// - Parameter perHour: Passes an hour that are allowed, above 0; a tenth of them, but two at least, may come at once.
    public init(perHour: Double) {
        tokens = 0
        setRate(perHour: perHour)
        tokens = burst
    }

    /// Allows another rate from now on; what was seen is not forgotten, and the bucket is not filled.
    public mutating func setRate(perHour: Double) {
        perMillisecond = perHour / 3_600_000
        burst = max(2, perHour / 10)
        tokens = min(tokens, burst)
    }

    /// Whether a sample passes.
    ///
    /// - Parameters:
    ///   - draw: Its own, in `0..<1`.
    ///   - time: Milliseconds; going back counts as standing still.
    /// - Returns: False also where its draw alone stands against it.
    public mutating func admits(_ draw: Double, at time: Int64) -> Bool {
        if began == nil {
            began = time
            last = time
        }
        // A clock that went back takes the past with it, or nothing would pass until it has caught up.
        if time < last {
            began = began.map { $0 - (last - time) }
            last = time
        }
        tokens = min(burst, tokens + Double(time - last) * perMillisecond)
        last = time
        let elapsed = Double(time - (began ?? time))
        if elapsed >= Self.span {
            cutoff = seen > 0 ? min(1, Self.drawn * perMillisecond * elapsed / seen) : 1
            began = time
            seen = 0
        }
        seen += 1
        guard tokens >= 1, draw < cutoff || tokens > burst / 2 else { return false }
        tokens -= 1
        return true
    }
}
