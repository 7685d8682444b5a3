/// Limits a trigger to its rate, so that a condition that is always true cannot flood the journal.
///
/// A token bucket bounds the number of admitted samples; as long as it is more than half full, all are admitted. Below
/// that a sample's own hash value decides against a cut-off that follows the observed rate, so that of two models'
/// predictions of one sample both are admitted or neither. The limit affects which predictions are inspected, never a
/// decision.
public struct TriggerLimit: Sendable {
    /// Time over which the rate is measured, in milliseconds.
    private static let span = 60_000.0
    /// Part of the rate that selection by hash uses; the rest refills the bucket.
    private static let hashShare = 0.8

    private var perMillisecond = 0.0
    private var burst = 0.0
    private var tokens: Double
    private var cutoff = 1.0
    private var seen = 0.0
    private var began: Int64?
    private var last: Int64 = 0

    /// A limit without observations, and with a full bucket.
    ///
    /// - Parameter perHour: Admissions allowed per hour, above 0; a tenth of them, but at least two, may occur at once.
    public init(perHour: Double) {
        tokens = 0
        setRate(perHour: perHour)
        tokens = burst
    }

    /// Allows another rate from now on; the observations are kept, and the bucket is not refilled.
    public mutating func setRate(perHour: Double) {
        perMillisecond = perHour / 3_600_000
        burst = max(2, perHour / 10)
        tokens = min(tokens, burst)
    }

    /// Whether a sample is admitted.
    ///
    /// - Parameters:
    ///   - draw: The sample's hash value, in `0..<1`.
    ///   - time: Milliseconds; a decrease counts as no change.
    /// - Returns: False also if the sample's hash value alone excludes it.
    public mutating func admits(_ draw: Double, at time: Int64) -> Bool {
        if began == nil {
            began = time
            last = time
        }
        // When the clock moves back, the start of the measurement is moved back as well; otherwise nothing would be
        // admitted until the clock has caught up.
        if time < last {
            began = began.map { $0 - (last - time) }
            last = time
        }
        tokens = min(burst, tokens + Double(time - last) * perMillisecond)
        last = time
        let elapsed = Double(time - (began ?? time))
        if elapsed >= Self.span {
            cutoff = seen > 0 ? min(1, Self.hashShare * perMillisecond * elapsed / seen) : 1
            began = time
            seen = 0
        }
        seen += 1
        guard tokens >= 1, draw < cutoff || tokens > burst / 2 else { return false }
        tokens -= 1
        return true
    }
}
