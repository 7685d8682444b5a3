import Statistics

/// The inner loops, on raw pointers: all sums run over rows and features in order, so that rounding is the same on
/// every machine.
enum SoftmaxKernel {
    /// Computes the linear scores of one sample. Features that are 0 are skipped.
    static func scores(
        of features: UnsafePointer<Double>,
        _ featureCount: Int,
        _ weights: UnsafePointer<Double>,
        _ classCount: Int,
        into scores: UnsafeMutablePointer<Double>
    ) {
        let intercepts = weights + featureCount * classCount
        for index in 0..<classCount { scores[index] = intercepts[index] }
        for feature in 0..<featureCount {
            let value = features[feature]
            if value == 0 { continue }
            let row = weights + feature * classCount
            for index in 0..<classCount { scores[index] += value * row[index] }
        }
    }

    /// Converts scores to probabilities, in place.
    ///
    /// - Returns: ln Σ exp(score).
    static func normalize(_ scores: UnsafeMutablePointer<Double>, _ classCount: Int) -> Double {
        var largest = scores[0]
        for index in 1..<max(1, classCount) where scores[index] > largest { largest = scores[index] }
        var sum = 0.0
        for index in 0..<classCount {
            let power = Reproducible.exp(scores[index] - largest)
            scores[index] = power
            sum += power
        }
        for index in 0..<classCount { scores[index] /= sum }
        return largest + Reproducible.log(sum)
    }
}
