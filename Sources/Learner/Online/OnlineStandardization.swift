/// Standardizes each feature to mean 0 and standard deviation 1 by the samples of the stream observed so far.
///
/// - SeeAlso: Welford (1962), doi:10.1080/00401706.1962.10490022.
public struct OnlineStandardization: Hashable, Sendable {
    /// Number of samples observed.
    public private(set) var count = 0
    private var mean: [Double]
    private var squaredDeviations: [Double]

    /// - Parameter featureCount: Number of features; at least 1.
    public init(featureCount: Int) {
        mean = [Double](repeating: 0, count: featureCount)
        squaredDeviations = mean
    }

    /// Updates the statistics with a sample; its label need not be known.
    ///
    /// - Parameter features: As many finite numbers as there are features.
    public mutating func observe(_ features: [Double]) {
        count += 1
        for index in mean.indices {
            let distance = features[index] - mean[index]
            mean[index] += distance / Double(count)
            squaredDeviations[index] += distance * (features[index] - mean[index])
        }
    }

    /// The variance of a feature over all samples observed, at least 0.
    public func variance(_ feature: Int) -> Double { count == 0 ? 0 : squaredDeviations[feature] / Double(count) }

    /// The standardized features; a feature that has not varied yet is 0.
    public func standardized(_ features: [Double]) -> [Double] {
        var scaled = features
        for index in scaled.indices {
            let variance = variance(index)
            scaled[index] = variance > 0 ? (features[index] - mean[index]) / variance.squareRoot() : 0
        }
        return scaled
    }
}
