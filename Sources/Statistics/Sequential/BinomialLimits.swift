/// Exact limits of Clopper and Pearson for the probability of success, from a number of successes in a number of
/// trials. Each limit holds with at least its level, for every value of the probability.
///
/// - SeeAlso: Clopper, Pearson (1934), *The use of confidence or fiducial limits illustrated in the case of the binomial*,
///   doi:10.1093/biomet/26.4.404.
public enum BinomialLimits {
    /// The upper limit.
    ///
    /// - Parameters:
    ///   - successes: In `0...trials`; need not be whole.
    ///   - trials: At least 0.
    ///   - level: The minimum probability that the limit is not below the true value, in `0...1`.
    /// - Returns: In `0...1`; 1 if all trials succeeded, or there were none.
    public static func upper(_ successes: Double, of trials: Double, level: Double) -> Double {
        guard successes < trials else { return 1 }
        return Reproducible.betaQuantile(level, successes + 1, trials - successes)
    }

    /// The lower limit, with the parameters of `upper`; 0 if no trial succeeded.
    public static func lower(_ successes: Double, of trials: Double, level: Double) -> Double {
        guard successes > 0 else { return 0 }
        return Reproducible.betaQuantile(1 - level, successes, trials - successes + 1)
    }

    /// The quantile of a binomial distribution.
    ///
    /// - Parameters:
    ///   - share: In `0...1`.
    ///   - trials: At least 0.
    ///   - probability: The probability of a success, in `0...1`.
    /// - Returns: The least number *k* with a probability of at least `share` that there are at most *k* successes: for
    ///   every smaller number this probability is below `share`.
    /// - Complexity: O(`trials`) values of the distribution.
    public static func quantile(_ share: Double, of trials: Int, _ probability: Double) -> Int {
        var least = 0
        while least < trials, Reproducible.binomialCDF(least, of: trials, probability) < share { least += 1 }
        return least
    }
}
