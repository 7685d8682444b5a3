/// A bootstrap of the mean of paired differences: items are resampled with replacement, each with the results of both
/// models.
///
/// The seed is fixed, so the same differences in the same order give the same intervals everywhere.
///
/// - SeeAlso: Efron, Tibshirani (1993), *An Introduction to the Bootstrap*, chapters 13 and 14; SciPy's `bootstrap`
///   computes the same limits from the same resamples.
public struct PairedBootstrap: Sendable {
    /// The mean of the differences.
    public let mean: Double
    /// The means of the resamples, ascending.
    public let distribution: [Double]
    private let differences: [Double]

    /// Draws the resamples.
    ///
    /// - Parameters:
    ///   - differences: One per item; at least one.
    ///   - resamples: The number of resamples, at least 1.
    ///   - seed: The seed of the resampling.
    /// - Complexity: O(*resamples* · *n*).
    public init(_ differences: [Double], resamples: Int = 9_999, seed: UInt64 = 1) {
        precondition(!differences.isEmpty && resamples > 0, "there is nothing to draw from")
        var generator = SplitMix64(seed: seed)
        let count = differences.count
        var means: [Double] = []
        means.reserveCapacity(resamples)
        for _ in 0..<resamples {
            var sum = 0.0
            for _ in 0..<count { sum += differences[generator.next(below: count)] }
            means.append(sum / Double(count))
        }
        self.differences = differences
        mean = Statistics.mean(differences)
        distribution = means.sorted()
    }

    /// The standard deviation of the resamples' means (divided by their number minus 1).
    public var standardError: Double { Statistics.standardDeviation(distribution) }

    /// The percentile interval.
    ///
    /// - Parameter level: The confidence, in 0...1.
    /// - Returns: Quantiles of the resamples' means, interpolated between neighbours.
    public func percentile(level: Double = 0.95) -> Interval {
        Interval(quantile((1 - level) / 2), quantile((1 + level) / 2))
    }

    /// The bias-corrected and accelerated interval (BCa).
    ///
    /// - Parameter level: The confidence, in 0...1.
    /// - Returns: The percentile interval with corrected percentiles; nil where all differences are the same, and none is defined.
    public func biasCorrected(level: Double = 0.95) -> Interval? {
        // A resample whose mean equals the mean counts as half below it.
        let below = distribution.reduce(0.0) { $0 + ($1 < mean ? 1 : $1 == mean ? 0.5 : 0) }
        let bias = Reproducible.normalQuantile(below / Double(distribution.count))
        guard let acceleration, bias.isFinite else { return nil }
        func corrected(_ share: Double) -> Double {
            let sum = bias + Reproducible.normalQuantile(share)
            return Reproducible.normalCDF(bias + sum / (1 - acceleration * sum))
        }
        return Interval(quantile(corrected((1 - level) / 2)), quantile(corrected((1 + level) / 2)))
    }

    /// The acceleration, from the jackknife: a sixth of the skewness of the means that each omit one item.
    private var acceleration: Double? {
        guard differences.count > 1 else { return nil }
        let total = differences.reduce(0, +)
        let means = differences.map { (total - $0) / Double(differences.count - 1) }
        let centre = Statistics.mean(means)
        var (cubes, squares) = (0.0, 0.0)
        for mean in means {
            let distance = centre - mean
            squares += distance * distance
            cubes += distance * distance * distance
        }
        guard squares > 1e-24 else { return nil }
        return cubes / (6 * squares * squares.squareRoot())
    }

    private func quantile(_ share: Double) -> Double {
        let index = share * Double(distribution.count - 1)
        let low = min(max(0, Int(index)), distribution.count - 1)
        let high = min(low + 1, distribution.count - 1)
        return distribution[low] + (distribution[high] - distribution[low]) * (index - Double(low))
    }
}
