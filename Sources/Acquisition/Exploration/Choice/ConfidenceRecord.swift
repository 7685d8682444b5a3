internal import Statistics

/// Outcomes of a model's confident predictions of one class, compared with their confidence.
///
/// The hypothesis that the model errs with probability 1 − confidence is tested against the alternative that it errs
/// beyond that in a part ε of all cases. The likelihood ratio is 1 − ε for a prediction that is right and 1 + ε ×
/// confidence / (1 − confidence) for a wrong one: a single error at confidence 0.9999 is stronger evidence than many
/// errors at confidence 0.9. Its mean over several ε is an e-value: if the hypothesis holds, it exceeds *x* with a
/// probability of at most 1 / *x*.
///
/// - SeeAlso: Vovk, Wang (2021), *E-values: calibration, combination and applications*, Annals of Statistics 49.
struct ConfidenceRecord: Equatable, Sendable {
    /// Values of ε over which the mean is taken.
    private static let surpluses = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5]
    /// Logarithms of 1 − ε.
    private static let logRight = surpluses.map { Reproducible.log(1 - $0) }

    /// Sum of the weights of the predictions counted.
    private(set) var count = 0.0
    /// Logarithms of the likelihood ratios so far, one for each ε.
    private var logRatios = [Double](repeating: 0, count: surpluses.count)

    /// Counts an outcome.
    ///
    /// - Parameters:
    ///   - isRight: Whether the label is the predicted one.
    ///   - doubt: 1 − confidence, in `0..<1` without 0.
    ///   - weight: Weight of the outcome, in `0...1`; the likelihood ratio raised to this power has a mean of at most
    ///     1, too.
    mutating func count(isRight: Bool, doubt: Double, weight: Double) {
        count += weight
        for (index, surplus) in Self.surpluses.enumerated() {
            let logRatio = isRight ? Self.logRight[index] : Reproducible.log(1 + surplus * (1 - doubt) / doubt)
            logRatios[index] += weight * logRatio
        }
    }

    /// Share of the predictions that are wrong in excess of the stated confidence: the mean of the ε, each weighted by
    /// its likelihood.
    ///
    /// - Parameter threshold: Lower bound of the e-value, above 0.
    /// - Returns: Nil if the e-value is below the threshold.
    func surplus(evidence threshold: Double) -> Double? {
        guard let most = logRatios.max() else { return nil }
        var (sum, mean) = (0.0, 0.0)
        for (surplus, logRatio) in zip(Self.surpluses, logRatios) {
            let likelihood = Reproducible.exp(logRatio - most)
            sum += likelihood
            mean += surplus * likelihood
        }
        let logValue = most + Reproducible.log(sum / Double(Self.surpluses.count))
        return logValue >= Reproducible.log(threshold) ? mean / sum : nil
    }
}
