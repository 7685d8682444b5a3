extension Reproducible {
    /// ½ ln 2π
    static let halfLogTwoPi = 0x1.d67f1c864beb5p-1

    /// The natural logarithm of the gamma function.
    ///
    /// - Parameter x: Above 0.
    /// - Returns: Within 10⁻¹³ of the value, relatively; infinity for 0, NaN below.
    /// - SeeAlso: Abramowitz, Stegun (1964), 6.1.33 (the series about 2) and 6.1.40 (Stirling's).
    public static func lgamma(_ x: Double) -> Double {
        guard x > 0 else { return x == 0 ? .infinity : .nan }
        guard x < 0x1p1000 else { return .infinity }
        if x >= 10 { return (x - 0.5) * log(x) - x + halfLogTwoPi + stirlingSeries(x) }
        // Γ(x) = Γ(2 + x) / (x (1 + x))
        if x < 0.5 { return gammaSeries(x) - log1p(x) - log(x) }
        if x < 1.5 { return gammaSeries(x - 1) - log1p(x - 1) }
        var argument = x
        var product = 1.0
        while argument > 2.5 {
            argument -= 1
            product *= argument
        }
        return gammaSeries(argument - 2) + log(product)
    }

    /// ln Γ(2 + z) for z in −½...½.
    private static func gammaSeries(_ z: Double) -> Double {
        var sum = 0.0
        for coefficient in GammaCoefficients.taylor.reversed() { sum = sum * z + coefficient }
        return z * (GammaCoefficients.first + z * sum)
    }

    /// ln Γ(x) − (x − ½) ln x + x − ½ ln 2π for x of at least 10.
    private static func stirlingSeries(_ x: Double) -> Double {
        let inverse = 1 / x
        let square = inverse * inverse
        var sum = -3617.0 / 122_400
        sum = sum * square + 1.0 / 156
        sum = sum * square - 691.0 / 360_360
        sum = sum * square + 1.0 / 1188
        sum = sum * square - 1.0 / 1680
        sum = sum * square + 1.0 / 1260
        sum = sum * square - 1.0 / 360
        sum = sum * square + 1.0 / 12
        return sum * inverse
    }

    /// The error of Stirling's formula: ln Γ(z + 1) − (z + ½) ln z + z − ½ ln 2π, for z above 0.
    static func stirlingError(_ z: Double) -> Double {
        if z >= 10 { return stirlingSeries(z) }
        return lgamma(z + 1) - (z + 0.5) * log(z) + z - halfLogTwoPi
    }

    /// k ln (k / m) + m − k, without cancellation where k and m are close.
    ///
    /// - SeeAlso: Loader (2000), *Fast and accurate computation of binomial probabilities*.
    static func deviance(_ k: Double, _ m: Double) -> Double {
        if k == 0 { return m }
        let difference = k - m
        guard difference.magnitude < 0.4 * (k + m) else { return k * log(k / m) + m - k }
        let ratio = difference / (k + m)
        let square = ratio * ratio
        var sum = difference * ratio
        var term = 2 * k * ratio
        var divisor = 1.0
        while true {
            term *= square
            divisor += 2
            let next = sum + term / divisor
            if next == sum { return sum }
            sum = next
        }
    }
}
