/// Two limits that enclose a figure with a stated confidence.
public struct Interval: Hashable, Sendable {
    /// The lower limit; at most `upper`.
    public let lower: Double
    public let upper: Double

    public init(_ lower: Double, _ upper: Double) {
        self.lower = lower
        self.upper = upper
    }

    /// Whether a number is between the limits, both included.
    public func contains(_ number: Double) -> Bool { lower <= number && number <= upper }

    /// The upper limit minus the lower limit.
    public var width: Double { upper - lower }
}
