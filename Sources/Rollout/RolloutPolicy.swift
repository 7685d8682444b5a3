/// When a challenger replaces the champion, and when a champion is taken back.
public struct RolloutPolicy: Hashable, Sendable {
    /// The chance that a challenger no better than the champion is ever promoted, in `0.0001...0.5`.
    public var alpha: Double
    /// A rise of the share of negative feedback by this much is tolerated, in `0...1`.
    public var tolerance: Double
    /// Feedback that a champion without a predecessor gets before it is watched, to learn its rate; at least 1.
    public var calibration: Int
    /// How many feedbacks pass on average before a champion that did not get worse is rolled back; at least 100.
    public var falseAlarmEvery: Double
    /// Feedback of one user (of one bucket of users) that counts within `userWindow`; at least 1.
    public var userCap: Int
    /// Milliseconds.
    public var userWindow: Int64

    public init(
        alpha: Double = 0.05,
        tolerance: Double = 0.1,
        calibration: Int = 50,
        falseAlarmEvery: Double = 100_000,
        userCap: Int = 5,
        userWindow: Int64 = 3_600_000
    ) {
        self.alpha = alpha
        self.tolerance = tolerance
        self.calibration = calibration
        self.falseAlarmEvery = falseAlarmEvery
        self.userCap = userCap
        self.userWindow = userWindow
    }
}
