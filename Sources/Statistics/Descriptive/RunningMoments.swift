/// Mean and variance of numbers that arrive one at a time, without storing their sum or the numbers themselves.
///
/// - SeeAlso: Welford (1962), *Note on a method for calculating corrected sums of squares and products*,
///   doi:10.1080/00401706.1962.10490022; Chan, Golub, LeVeque (1983) for merging.
public struct RunningMoments: Hashable, Sendable {
    /// Number of numbers added.
    public private(set) var count: Int
    /// Mean of the numbers; 0 if there were none.
    public private(set) var mean: Double
    /// The sum of the squared distances from the mean.
    public private(set) var squaredDeviations: Double

    /// Creates empty moments, or restores stored ones.
    public init(count: Int = 0, mean: Double = 0, squaredDeviations: Double = 0) {
        self.count = count
        self.mean = mean
        self.squaredDeviations = squaredDeviations
    }

    /// The variance of a population of which the numbers are a sample (divided by n − 1); nil for fewer than two.
    public var variance: Double? { count < 2 ? nil : squaredDeviations / Double(count - 1) }

    /// The square root of `variance`.
    public var standardDeviation: Double? { variance?.squareRoot() }

    /// Adds a number.
    public mutating func add(_ number: Double) {
        count += 1
        let distance = number - mean
        mean += distance / Double(count)
        squaredDeviations += distance * (number - mean)
    }

    /// Adds all numbers that another instance has counted.
    public mutating func merge(_ other: RunningMoments) {
        guard other.count > 0 else { return }
        let total = Double(count + other.count)
        let distance = other.mean - mean
        let share = Double(other.count) / total
        squaredDeviations += other.squaredDeviations + distance * distance * Double(count) * share
        mean += distance * share
        count += other.count
    }
}
