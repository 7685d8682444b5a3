internal import Statistics
public import Vocabulary

/// Temperature scaling: each probability is raised to the power of `1/T`, and all are normalized to sum to 1; this
/// equals the softmax of the logits divided by `T`.
///
/// A temperature above 1 makes an over-confident model less sure, below 1 the reverse; the order of classes is kept.
/// The trainer of a model fits its temperature, on labels that the model has not seen.
///
/// - SeeAlso: Guo, Pleiss, Sun, Weinberger (2017), *On Calibration of Modern Neural Networks*, arXiv:1706.04599.
public enum Calibration {
    /// Returns the output to score, with the temperature applied.
    ///
    /// If there are fewer logits than classes, they belong to the first classes, as in a model that was trained before
    /// the others were appended: the others are left out of the softmax, and have probability 0.
    ///
    /// - Parameters:
    ///   - temperature: Above 0.
    ///   - prediction: The prediction: its logits, if it has them, else its output. Equal probabilities stay equal, 0
    ///     stays 0.
    ///   - classes: *k*, at least 2.
    /// - Returns: A distribution of the same form; the unchanged output if there is nothing to do.
    /// - Complexity: O(*k*) in the number of entries.
    public static func apply(_ temperature: Double, to prediction: ScoredPrediction, classes: Int) -> ClassDistribution
    {
        if let logits = prediction.logits, logits.count > 1, logits.count <= classes {
            return distribution(of: logits, temperature) ?? prediction.output
        }
        guard temperature != 1 else { return prediction.output }
        let output = prediction.output
        let unnamed = Double(classes - output.entries.count)
        let share = unnamed > 0 ? output.remainder / unnamed : 0
        // The highest probability is scaled to 1 before summing, so that the sum does not underflow at low
        // temperatures.
        let largest = max(output.entries[0].probability, share)
        guard largest > 0 else { return output }
        func power(_ probability: Double) -> Double {
            probability > 0 ? Reproducible.exp(Reproducible.log(probability / largest) / temperature) : 0
        }
        let weights = output.entries.map { power($0.probability) }
        let unnamedWeight = unnamed > 0 ? unnamed * power(share) : 0
        var sum = unnamedWeight
        for weight in weights { sum += weight }
        let entries = zip(output.entries, weights).map { entry, weight in
            ClassDistribution.Entry(label: entry.label, probability: weight / sum)
        }
        return ClassDistribution(entries, remainder: unnamedWeight / sum) ?? output
    }

    /// Softmax of the logits over the temperature.
    private static func distribution(of logits: [Double], _ temperature: Double) -> ClassDistribution? {
        guard let largest = logits.max() else { return nil }
        // Each is halved first, because the difference of two finite numbers may be infinite.
        let weights = logits.map { Reproducible.exp(($0 / 2 - largest / 2) / temperature * 2) }
        var sum = 0.0
        for weight in weights { sum += weight }
        return ClassDistribution(
            weights.enumerated().map { .init(label: ClassIndex($0.offset), probability: $0.element / sum) }
        )
    }
}
