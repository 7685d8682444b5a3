internal import Statistics

/// Gaussian naive Bayes that learns one sample at a time. The variance of a class is estimated as if it had one more
/// sample with the variance of the whole stream, so that a class seen once or twice is usable; a class never seen has
/// probability 0.
public struct OnlineNaiveBayes: Hashable, Sendable {
    /// Number of classes; at least 1.
    public let classCount: Int
    private let featureCount: Int
    private var stream: OnlineStandardization
    private var counts: [Int]
    private var means: [Double]
    private var squaredDeviations: [Double]

    /// Creates a model without labels: all classes have equal probability.
    public init(featureCount: Int, classCount: Int) {
        self.classCount = classCount
        self.featureCount = featureCount
        stream = OnlineStandardization(featureCount: featureCount)
        counts = [Int](repeating: 0, count: classCount)
        means = [Double](repeating: 0, count: classCount * featureCount)
        squaredDeviations = means
    }

    /// Updates the model with a sample whose label is not known.
    public mutating func observe(_ features: [Double]) { stream.observe(features) }

    /// Updates the model with a label, an index below `classCount`.
    public mutating func learn(_ features: [Double], label: Int) {
        counts[label] += 1
        for feature in 0..<featureCount {
            let cell = label * featureCount + feature
            let distance = features[feature] - means[cell]
            means[cell] += distance / Double(counts[label])
            squaredDeviations[cell] += distance * (features[feature] - means[cell])
        }
    }

    /// The probability of each class; they sum to 1.
    ///
    /// - Complexity: O(features × classes).
    public func probabilities(of features: [Double]) -> [Double] {
        let known = (0..<classCount).filter { counts[$0] > 0 }
        guard !known.isEmpty else { return [Double](repeating: 1 / Double(classCount), count: classCount) }
        var scores = known.map { Reproducible.log(Double(counts[$0])) }
        for feature in 0..<featureCount {
            let shared = stream.variance(feature)
            // A feature that has never varied does not distinguish classes.
            guard shared > 0 else { continue }
            for (index, label) in known.enumerated() {
                let cell = label * featureCount + feature
                let variance = (squaredDeviations[cell] + shared) / Double(counts[label] + 1)
                let distance = features[feature] - means[cell]
                scores[index] -= (Reproducible.log(variance) + distance * distance / variance) / 2
            }
        }
        scores.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return }
            _ = SoftmaxKernel.normalize(base, buffer.count)
        }
        var probabilities = [Double](repeating: 0, count: classCount)
        for (index, label) in known.enumerated() { probabilities[label] = scores[index] }
        return probabilities
    }
}
