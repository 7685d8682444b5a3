import Statistics

/// Objective that fitting minimises: the mean log-loss plus ‖W‖² / (2 C n), with the intercepts left out of
/// ‖W‖².
///
/// It is 1 / (C n) times scikit-learn's C Σ log-loss + ½ ‖W‖², so both have the same minimum; the scale makes the
/// tolerance independent of how many samples there are.
struct SoftmaxObjective {
    let features: FeatureMatrix
    /// Index of each row's class among the classes being fitted, in 0..<classCount.
    let labels: [Int]
    /// One weight for each row, or none at all for equal weights.
    let sampleWeights: [Double]
    let classCount: Int
    /// 1 / (C n)
    let penalty: Double
    /// The sum of the sample weights.
    let totalWeight: Double

    init(features: FeatureMatrix, labels: [Int], sampleWeights: [Double], classCount: Int, inverseStrength: Double) {
        self.features = features
        self.labels = labels
        self.sampleWeights = sampleWeights
        self.classCount = classCount
        var total = 0.0
        for weight in sampleWeights { total += weight }
        totalWeight = sampleWeights.isEmpty ? Double(labels.count) : total
        penalty = 1 / (inverseStrength * totalWeight)
    }

    /// The value of the best model that uses no feature: the entropy of the classes' shares, in nats.
    var lossWithoutFeatures: Double {
        var shares = [Double](repeating: 0, count: classCount)
        for (row, label) in labels.enumerated() { shares[label] += sampleWeights.isEmpty ? 1 : sampleWeights[row] }
        var entropy = 0.0
        for share in shares where share > 0 {
            entropy -= share / totalWeight * Reproducible.log(share / totalWeight)
        }
        return entropy
    }

    /// The value at `weights`; its gradient overwrites `gradient`.
    func value(at weights: [Double], gradient: inout [Double]) -> Double {
        weights.withUnsafeBufferPointer { weights in
            gradient.withUnsafeMutableBufferPointer { gradient in
                features.withRows { rows in
                    guard let weights = weights.baseAddress, let gradient = gradient.baseAddress else { return 0 }
                    return value(rows, at: weights, gradient: gradient)
                }
            }
        }
    }

    private func value(
        _ rows: RowReader,
        at weights: UnsafePointer<Double>,
        gradient: UnsafeMutablePointer<Double>
    ) -> Double {
        let featureCount = features.columnCount
        let penalized = featureCount * classCount
        var loss = 0.0
        for index in 0..<penalized + classCount { gradient[index] = 0 }
        withUnsafeTemporaryAllocation(of: Double.self, capacity: classCount) { buffer in
            guard let scores = buffer.baseAddress else { return }
            for row in 0..<labels.count {
                let weight = sampleWeights.isEmpty ? 1 : sampleWeights[row]
                if weight == 0 { continue }
                guard let sample = rows.row(row) else { return }
                SoftmaxKernel.scores(of: sample, featureCount, weights, classCount, into: scores)
                let labelScore = scores[labels[row]]
                loss += weight * (SoftmaxKernel.normalize(scores, classCount) - labelScore)
                // From here on the scores are residuals: the probability minus 1 for the true class, minus 0 for the
                // others.
                scores[labels[row]] -= 1
                for index in 0..<classCount { scores[index] *= weight }
                accumulate(sample, scores, into: gradient)
            }
        }
        var squares = 0.0
        for index in 0..<penalized {
            squares += weights[index] * weights[index]
            gradient[index] = gradient[index] / totalWeight + penalty * weights[index]
        }
        for index in penalized..<penalized + classCount { gradient[index] /= totalWeight }
        return loss / totalWeight + 0.5 * penalty * squares
    }

    private func accumulate(
        _ sample: UnsafePointer<Double>,
        _ residuals: UnsafePointer<Double>,
        into gradient: UnsafeMutablePointer<Double>
    ) {
        for feature in 0..<features.columnCount {
            let value = sample[feature]
            if value == 0 { continue }
            let row = gradient + feature * classCount
            for index in 0..<classCount { row[index] += value * residuals[index] }
        }
        let intercepts = gradient + features.columnCount * classCount
        for index in 0..<classCount { intercepts[index] += residuals[index] }
    }
}
