import Statistics

/// Multinomial logistic regression: a linear score per class, made into probabilities by softmax.
///
/// A value type: fitting returns a new value. The same data, options and seed give the same weights, bit for bit, on
/// any machine.
public struct SoftmaxRegression: Hashable, Sendable {
    /// Classes of the output's columns, in order; distinct, at least one.
    public let classes: [String]
    /// The number of features of a sample; at least 1.
    public let featureCount: Int
    /// `featureCount` + 1 rows of one weight per class; the last row holds the intercepts.
    public let weights: [Double]

    /// Creates a model from weights.
    ///
    /// - Throws: `LearnerError` if they do not fit `classes` and `featureCount`, or one is not finite.
    public init(classes: [String], featureCount: Int, weights: [Double]) throws(LearnerError) {
        guard !classes.isEmpty, Set(classes).count == classes.count else {
            throw LearnerError(.shape, "expected at least one class and no class twice")
        }
        guard featureCount > 0, weights.count == (featureCount + 1) * classes.count else {
            throw LearnerError(.shape, "expected \(classes.count) weights for each of \(featureCount) features and one")
        }
        guard weights.allSatisfy(\.isFinite) else { throw LearnerError(.value, "a weight is not finite") }
        self.init(unchecked: classes, featureCount: featureCount, weights: weights)
    }

    init(unchecked classes: [String], featureCount: Int, weights: [Double]) {
        self.classes = classes
        self.featureCount = featureCount
        self.weights = weights
    }

    /// Probability of each class, in the order of `classes`; they sum to 1.
    ///
    /// - Parameters:
    ///   - features: Exactly `featureCount` numbers.
    ///   - probabilities: Exactly as many elements as there are classes; overwritten.
    /// - Complexity: O(features × classes); no allocation.
    public func probabilities(
        of features: UnsafeBufferPointer<Double>,
        into probabilities: UnsafeMutableBufferPointer<Double>
    ) {
        precondition(features.count == featureCount && probabilities.count == classes.count, "another shape")
        guard let input = features.baseAddress, let output = probabilities.baseAddress else { return }
        weights.withUnsafeBufferPointer { weights in
            guard let weights = weights.baseAddress else { return }
            SoftmaxKernel.scores(of: input, featureCount, weights, classes.count, into: output)
        }
        _ = SoftmaxKernel.normalize(output, classes.count)
    }

    /// The probability of each class, in the order of `classes`; they sum to 1.
    public func probabilities(of features: some Collection<Double>) -> [Double] {
        let contiguous = Array(features)
        return [Double](unsafeUninitializedCapacity: classes.count) { buffer, count in
            let output = UnsafeMutableBufferPointer(rebasing: buffer[..<classes.count])
            contiguous.withUnsafeBufferPointer { probabilities(of: $0, into: output) }
            count = classes.count
        }
    }

    /// The probabilities of every row, one row of classes after the other.
    public func probabilities(of matrix: FeatureMatrix) -> [Double] {
        precondition(matrix.columnCount == featureCount, "another number of features")
        let count = matrix.rowCount * classes.count
        return [Double](unsafeUninitializedCapacity: count) { buffer, initialized in
            matrix.withRows { rows in
                for row in 0..<matrix.rowCount {
                    let features = UnsafeBufferPointer(start: rows.row(row), count: featureCount)
                    let indices = buffer[row * classes.count..<(row + 1) * classes.count]
                    probabilities(
                        of: features,
                        into: UnsafeMutableBufferPointer(rebasing: indices)
                    )
                }
            }
            initialized = count
        }
    }

    /// The index of the most probable class; of equals, the first.
    public func predict(_ features: some Collection<Double>) -> Int {
        let probabilities = probabilities(of: features)
        var best = 0
        for index in probabilities.indices where probabilities[index] > probabilities[best] { best = index }
        return best
    }

    /// The share of rows whose most probable class is the label; NaN without rows.
    public func accuracy(on matrix: FeatureMatrix, labels: [Int]) -> Double {
        precondition(matrix.rowCount == labels.count, "one label for each row")
        var hits = 0
        for row in 0..<matrix.rowCount where predict(matrix.row(row)) == labels[row] { hits += 1 }
        return Double(hits) / Double(matrix.rowCount)
    }
}
