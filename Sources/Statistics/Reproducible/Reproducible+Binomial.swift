extension Reproducible {
    /// The probability of exactly `k` successes in `n` trials of probability `p` each.
    ///
    /// - Returns: In 0...1, within 10⁻¹² of the value, relatively; NaN for `n` below 0 or `p` outside 0...1.
    public static func binomialMass(_ k: Int, of n: Int, _ p: Double) -> Double {
        exp(logBinomialMass(k, of: n, p))
    }

    /// The natural logarithm of `binomialMass`, also where that is too small for a `Double`.
    ///
    /// - SeeAlso: Loader (2000), *Fast and accurate computation of binomial probabilities*.
    public static func logBinomialMass(_ k: Int, of n: Int, _ p: Double) -> Double {
        guard n >= 0, p >= 0, p <= 1 else { return .nan }
        guard k >= 0, k <= n else { return -.infinity }
        return logBinomialMass(successes: Double(k), failures: Double(n - k), p)
    }

    /// The natural logarithm of the binomial mass for numbers of successes and failures that need not be whole,
    /// with Γ(*x* + 1) for *x*!.
    ///
    /// - Returns: NaN for numbers below 0, or `p` outside 0...1.
    public static func logBinomialMass(successes: Double, failures: Double, _ p: Double) -> Double {
        guard successes >= 0, failures >= 0, p >= 0, p <= 1 else { return .nan }
        if p == 0 { return successes == 0 ? 0 : -.infinity }
        if p == 1 { return failures == 0 ? 0 : -.infinity }
        let trials = successes + failures
        if successes == 0 { return trials * log1p(-p) }
        if failures == 0 { return trials * log(p) }
        let correction = stirlingError(trials) - stirlingError(successes) - stirlingError(failures)
        let exponent = deviance(successes, trials * p) + deviance(failures, trials * (1 - p))
        return 0.5 * log(trials / (successes * failures)) - halfLogTwoPi + (correction - exponent)
    }

    /// The probability of at most `k` successes in `n` trials of probability `p` each.
    ///
    /// - Returns: In 0...1, within 10⁻¹² of the value, relatively; NaN for `n` below 0 or `p` outside 0...1.
    public static func binomialCDF(_ k: Int, of n: Int, _ p: Double) -> Double {
        guard n >= 0, p >= 0, p <= 1 else { return .nan }
        if k < 0 { return 0 }
        if k >= n { return 1 }
        return betaTails(p, 1 - p, a: Double(k + 1), b: Double(n - k)).upper
    }

    /// The probability of at least `k` successes in `n` trials of probability `p` each.
    ///
    /// - Returns: In 0...1, within 10⁻¹² of the value, relatively; NaN for `n` below 0 or `p` outside 0...1.
    public static func binomialUpperTail(_ k: Int, of n: Int, _ p: Double) -> Double {
        guard n >= 0, p >= 0, p <= 1 else { return .nan }
        if k <= 0 { return 1 }
        if k > n { return 0 }
        return betaTails(p, 1 - p, a: Double(k), b: Double(n - k + 1)).lower
    }
}
