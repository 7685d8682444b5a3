/// Monitors a stream of yes/no events and raises an alarm when their rate has risen.
///
/// The statistic is max(0, S) + ln (likelihood at `alarmRate` / likelihood at `normalRate`), the logarithm of a CUSUM
/// e-detector: while the rate is at most `normalRate`, a false alarm is preceded on average by at least
/// `averageRunLength` events.
///
/// ```swift
/// var errors = BernoulliCUSUM(normalRate: 0.05, alarmRate: 0.2, averageRunLength: 1_000)
/// for isError in [true, false, true, true, true, true, true] { errors?.observe(isError) }
/// let isAlarming = errors?.isAlarming
/// ```
///
/// - SeeAlso: Page (1954), *Continuous inspection schemes*, doi:10.1093/biomet/41.1-2.100; Shin, Ramdas, Rinaldo
///   (2022), *E-detectors: a nonparametric framework for sequential change detection*, arXiv:2203.03532.
public struct BernoulliCUSUM: Hashable, Sendable {
    /// The rate that is still acceptable, above 0 and below 1.
    public let normalRate: Double
    /// The rate to be detected soon, above `normalRate` and below 1.
    public let alarmRate: Double
    /// Value of the statistic at which the alarm is raised: ln of the average run length.
    public let threshold: Double
    /// Current value of the statistic.
    public private(set) var statistic: Double

    private let gainOfEvent: Double
    private let gainOfNone: Double

    /// Creates a monitor; nil unless 0 < `normalRate` < `alarmRate` < 1 and `averageRunLength` > 1.
    ///
    /// - Parameters:
    ///   - normalRate: The rate that is still acceptable.
    ///   - alarmRate: The rate to be detected soon.
    ///   - averageRunLength: The minimum average number of events between false alarms.
    ///   - statistic: The statistic at the end of an earlier run; 0 for a new monitor.
    public init?(normalRate: Double, alarmRate: Double, averageRunLength: Double, statistic: Double = 0) {
        guard normalRate > 0, normalRate < alarmRate, alarmRate < 1, averageRunLength > 1, averageRunLength < .infinity
        else { return nil }
        self.normalRate = normalRate
        self.alarmRate = alarmRate
        self.statistic = statistic
        threshold = Reproducible.log(averageRunLength)
        gainOfEvent = Reproducible.log(alarmRate / normalRate)
        gainOfNone = Reproducible.log1p(-alarmRate) - Reproducible.log1p(-normalRate)
    }

    /// Whether the statistic has reached the threshold.
    public var isAlarming: Bool { statistic >= threshold }

    /// Adds the next outcome.
    ///
    /// - Returns: Whether the alarm is raised.
    @discardableResult
    public mutating func observe(_ isEvent: Bool) -> Bool {
        statistic = max(0, statistic) + (isEvent ? gainOfEvent : gainOfNone)
        return isAlarming
    }

    /// Resets the statistic to 0, for use after an alarm has been handled.
    public mutating func reset() { statistic = 0 }
}
