extension Reproducible {
    /// The regularised incomplete beta function Iₓ(a, b): the probability that a Beta(a, b) variable is at most `x`.
    ///
    /// - Parameters:
    ///   - x: In 0...1; NaN outside.
    ///   - a: Above 0; NaN otherwise.
    ///   - b: Above 0; NaN otherwise.
    /// - Returns: In 0...1, within 10⁻¹² of the value, relatively, for a and b in 0.1...10⁶.
    /// - Complexity: O(√max(a, b)).
    /// - SeeAlso: Didonato, Morris (1992), *Algorithm 708*, doi:10.1145/131766.131776; Loader (2000), *Fast and accurate
    ///   computation of binomial probabilities*, for the factor in front.
    public static func incompleteBeta(_ x: Double, _ a: Double, _ b: Double) -> Double {
        betaTails(x, 1 - x, a: a, b: b).lower
    }

    /// 1 − Iₓ(a, b), accurate also where the result is small.
    public static func incompleteBetaComplement(_ x: Double, _ a: Double, _ b: Double) -> Double {
        betaTails(x, 1 - x, a: a, b: b).upper
    }

    /// The natural logarithm of Iₓ(a, b), also where Iₓ(a, b) itself is too small for a `Double`.
    public static func logIncompleteBeta(_ x: Double, _ a: Double, _ b: Double) -> Double {
        guard x > 0, x < 1, a > 0, b > 0 else { return log(incompleteBeta(x, a, b)) }
        if x <= (a + 1) / (a + b + 2) {
            return logBetaKernel(x, 1 - x, a: a, b: b) - log(betaFraction(x, 1 - x, a: a, b: b))
        }
        return log1p(-betaTails(x, 1 - x, a: a, b: b).upper)
    }

    /// The quantile of the Beta(a, b) distribution at probability `p`: the inverse of `incompleteBeta`.
    ///
    /// - Returns: The smallest `Double` x with Iₓ(a, b) ≥ p, as this type computes it; NaN for parameters out of range.
    /// - Complexity: At most 62 times that of `incompleteBeta`.
    public static func betaQuantile(_ p: Double, _ a: Double, _ b: Double) -> Double {
        guard p >= 0, p <= 1, a > 0, b > 0 else { return .nan }
        guard p > 0, p < 1 else { return p }
        // The bit patterns of positive numbers have the same order as the numbers.
        var low: UInt64 = 0
        var high = (1.0).bitPattern
        while low + 1 < high {
            let middle = low + (high - low) / 2
            if incompleteBeta(Double(bitPattern: middle), a, b) >= p { high = middle } else { low = middle }
        }
        return Double(bitPattern: high)
    }

    /// Both tails at x, where y = 1 − x.
    static func betaTails(_ x: Double, _ y: Double, a: Double, b: Double) -> (lower: Double, upper: Double) {
        guard x >= 0, x <= 1, a > 0, b > 0, a < .infinity, b < .infinity else { return (.nan, .nan) }
        if x == 0 { return (0, 1) }
        if y == 0 { return (1, 0) }
        let kernel = exp(logBetaKernel(x, y, a: a, b: b))
        if x <= (a + 1) / (a + b + 2) {
            let lower = min(1, kernel / betaFraction(x, y, a: a, b: b))
            return (lower, 1 - lower)
        }
        let upper = min(1, kernel / betaFraction(y, x, a: b, b: a))
        return (1 - upper, upper)
    }

    /// ln (xᵃ yᵇ / B(a, b)), accurate for large a and b.
    private static func logBetaKernel(_ x: Double, _ y: Double, a: Double, b: Double) -> Double {
        let sum = a + b
        let correction = stirlingError(sum) - stirlingError(a) - stirlingError(b)
        let exponent = deviance(a, sum * x) + deviance(b, sum * y)
        return 0.5 * log(a * (b / sum)) - halfLogTwoPi + (correction - exponent)
    }

    /// Divisor of xᵃ yᵇ / B(a, b) that gives Iₓ(a, b): a continued fraction, by Lentz's method.
    ///
    /// Both x and y are parameters, so that there is no cancellation at either end of 0...1 (Didonato, Morris 1992,
    /// equation 9).
    private static func betaFraction(_ x: Double, _ y: Double, a: Double, b: Double) -> Double {
        let tiny = 0x1p-900
        func guarded(_ value: Double) -> Double { value.magnitude < tiny ? tiny : value }
        let excess = a * y - b * x + 1
        var result = guarded(a * excess / (a + 1))
        var ratio = result
        var inverse = 0.0
        var step = 1.0
        while step < 200_000 {
            let middle = a + 2 * step - 1
            let product = step * (b - step) * x
            let numerator = ((a + step - 1) / middle) * ((a + b + step - 1) / middle) * product * x
            let denominator = step + product / middle + (a + step) / (middle + 2) * (excess + step * (1 + y))
            inverse = 1 / guarded(denominator + numerator * inverse)
            ratio = guarded(denominator + numerator / ratio)
            let factor = inverse * ratio
            result *= factor
            if (factor - 1).magnitude < 0x1p-52 { break }
            step += 1
        }
        return result
    }
}
