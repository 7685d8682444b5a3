/// Summary statistics of a set of numbers.
public struct Summary: Hashable, Sendable {
    /// Number of numbers; at least one.
    public let count: Int
    /// Mean of the numbers.
    public let mean: Double
    /// The standard deviation of a population of which they are a sample (divided by n − 1); 0 for a single number.
    public let standardDeviation: Double
    /// The smallest number.
    public let minimum: Double
    /// The largest number.
    public let maximum: Double
    /// The middle number in ascending order, or the mean of the two in the middle.
    public let median: Double

    /// Fails if there is no number, or one that is not finite.
    ///
    /// - Complexity: O(*n* log *n*).
    public init?(of numbers: [Double]) {
        guard !numbers.isEmpty, numbers.allSatisfy(\.isFinite) else { return nil }
        let sorted = numbers.sorted()
        let middle = sorted.count / 2
        count = numbers.count
        mean = Statistics.mean(numbers)
        standardDeviation = Statistics.standardDeviation(numbers)
        minimum = sorted[0]
        maximum = sorted[sorted.count - 1]
        median = sorted.count % 2 == 1 ? sorted[middle] : 0.5 * (sorted[middle - 1] + sorted[middle])
    }
}

/// The mean of `numbers`; NaN if there are none.
public func mean(_ numbers: [Double]) -> Double {
    var sum = 0.0
    for number in numbers { sum += number }
    return sum / Double(numbers.count)
}

/// The standard deviation of a population of which `numbers` are a sample (divided by n − 1); 0 for fewer than two.
public func standardDeviation(_ numbers: [Double]) -> Double {
    guard numbers.count > 1 else { return 0 }
    let center = mean(numbers)
    var sum = 0.0
    for number in numbers { sum += (number - center) * (number - center) }
    return (sum / Double(numbers.count - 1)).squareRoot()
}
