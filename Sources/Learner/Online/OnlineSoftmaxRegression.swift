/// Multinomial logistic regression that learns one sample at a time by stochastic gradient descent, on features that it
/// standardizes itself.
///
/// Old labels lose influence: at a constant rate the last few hundred labels count most, which suits a drifting stream.
/// With two classes it is binary logistic regression at twice the rate.
public struct OnlineSoftmaxRegression: Hashable, Sendable {
    /// Number of classes; at least 1.
    public let classCount: Int
    /// The learning rate, by which a sample moves the weights; above 0.
    public let rate: Double
    private var scale: OnlineStandardization
    private let featureCount: Int
    private var weights: [Double]

    /// Creates a model without labels: all classes have equal probability.
    public init(featureCount: Int, classCount: Int, rate: Double = 0.0125) {
        self.classCount = classCount
        self.featureCount = featureCount
        self.rate = rate
        scale = OnlineStandardization(featureCount: featureCount)
        weights = [Double](repeating: 0, count: (featureCount + 1) * classCount)
    }

    /// Updates the model with a sample whose label is not known.
    public mutating func observe(_ features: [Double]) { scale.observe(features) }

    /// The probability of each class; they sum to 1.
    public func probabilities(of features: [Double]) -> [Double] { softmax(scale.standardized(features)) }

    /// Moves the weights towards a label, an index below `classCount`.
    public mutating func learn(_ features: [Double], label: Int) {
        let scaled = scale.standardized(features)
        let probabilities = softmax(scaled)
        for index in 0..<classCount {
            let step = rate * ((index == label ? 1 : 0) - probabilities[index])
            for feature in 0..<featureCount { weights[feature * classCount + index] += step * scaled[feature] }
            weights[featureCount * classCount + index] += step
        }
    }

    private func softmax(_ scaled: [Double]) -> [Double] {
        [Double](unsafeUninitializedCapacity: classCount) { buffer, count in
            guard let output = buffer.baseAddress else { return }
            scaled.withUnsafeBufferPointer { features in
                weights.withUnsafeBufferPointer { weights in
                    guard let features = features.baseAddress, let weights = weights.baseAddress else { return }
                    SoftmaxKernel.scores(of: features, featureCount, weights, classCount, into: output)
                }
            }
            _ = SoftmaxKernel.normalize(output, classCount)
            count = classCount
        }
    }
}
