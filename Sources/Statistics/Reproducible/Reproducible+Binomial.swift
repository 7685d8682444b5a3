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
        if p == 0 { return k == 0 ? 0 : -.infinity }
        if p == 1 { return k == n ? 0 : -.infinity }
        let trials = Double(n)
        if k == 0 { return trials * log1p(-p) }
        if k == n { return trials * log(p) }
        let successes = Double(k)
        let failures = Double(n - k)
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
        return betaTails(p, 1 - p, Double(k + 1), Double(n - k)).upper
    }

    /// The probability of at least `k` successes in `n` trials of probability `p` each.
    ///
    /// - Returns: In 0...1, within 10⁻¹² of the value, relatively; NaN for `n` below 0 or `p` outside 0...1.
    public static func binomialUpperTail(_ k: Int, of n: Int, _ p: Double) -> Double {
        guard n >= 0, p >= 0, p <= 1 else { return .nan }
        if k <= 0 { return 1 }
        if k > n { return 0 }
        return betaTails(p, 1 - p, Double(k), Double(n - k + 1)).lower
    }
}
