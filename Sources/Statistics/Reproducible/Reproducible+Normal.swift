extension Reproducible {
    private static let inverseRootPi = 0x1.20dd750429b6dp-1
    private static let rootHalf = 0x1.6a09e667f3bcdp-1
    private static let rootTwoPi = 0x1.40d931ff62706p+1

    /// The error function, 2/√π ∫ exp(−t²) dt from 0 to `x`.
    ///
    /// - Returns: In −1...1, within 10⁻¹⁴ of the value, relatively.
    public static func erf(_ x: Double) -> Double {
        if x.isNaN { return x }
        let magnitude = x.magnitude
        let value = magnitude < 2 ? erfSeries(magnitude) : 1 - erfcFraction(magnitude)
        return x < 0 ? -value : value
    }

    /// The complementary error function, 1 − erf(x), accurate in the upper tail.
    ///
    /// - Returns: In 0...2, within 5·10⁻¹³ of the value, relatively; 0 above 27.3.
    public static func erfc(_ x: Double) -> Double {
        if x.isNaN { return x }
        if x >= 2 { return erfcFraction(x) }
        if x > -2 { return x < 0 ? 1 + erfSeries(-x) : 1 - erfSeries(x) }
        return 2 - erfcFraction(-x)
    }

    /// erf(x) for x in 0..<2, by a series without cancellation (Abramowitz, Stegun 7.1.6).
    private static func erfSeries(_ x: Double) -> Double {
        let double = 2 * x * x
        var term = x
        var sum = x
        var divisor = 1.0
        while term > sum * 0x1p-56 {
            divisor += 2
            term *= double / divisor
            sum += term
        }
        return 2 * inverseRootPi * expOfNegativeSquare(x) * sum
    }

    /// erfc(x) for x of at least 2, by a continued fraction (Abramowitz, Stegun 7.1.14).
    private static func erfcFraction(_ x: Double) -> Double {
        guard x < 28 else { return 0 }
        var tail = x
        var index = x < 3 ? 100.0 : 50.0
        while index >= 1 {
            tail = x + 0.5 * index / tail
            index -= 1
        }
        return inverseRootPi * expOfNegativeSquare(x) / tail
    }

    /// exp(−x²), where the rounding of x² alone would cost 10⁻¹³.
    private static func expOfNegativeSquare(_ x: Double) -> Double {
        let high = Double(bitPattern: x.bitPattern & 0xffff_ffff_f800_0000)
        let low = x - high
        return exp(-high * high) * exp(-(low * (x + high)))
    }

    /// The probability that a standard normal variable is at most `x`.
    ///
    /// - Returns: In 0...1, within 10⁻¹² of the value, relatively, in the lower tail too.
    public static func normalCDF(_ x: Double) -> Double {
        0.5 * erfc(-x * rootHalf)
    }

    /// The standard normal density at `x`.
    public static func normalDensity(_ x: Double) -> Double {
        expOfNegativeSquare(x * rootHalf) / rootTwoPi
    }

    /// The quantile of the standard normal distribution at probability `p`: the inverse of `normalCDF`.
    ///
    /// - Parameter p: A probability; −infinity for 0, infinity for 1, NaN outside 0...1.
    /// - Returns: Within 10⁻¹² of the value, relatively.
    public static func normalQuantile(_ p: Double) -> Double {
        guard p > 0, p < 1 else { return p == 0 ? -.infinity : (p == 1 ? .infinity : .nan) }
        let offset = p - 0.5
        if offset.magnitude < 0.2 {
            // Newton's method on ½ erf(x/√2) = p − ½, which is exact.
            var x = offset * rootTwoPi
            for _ in 0..<5 { x -= (0.5 * erf(x * rootHalf) - offset) / normalDensity(x) }
            return x
        }
        // A first guess for the nearer tail (Abramowitz, Stegun 26.2.23), then Halley's method.
        let tail = p < 0.5 ? p : 1 - p
        let root = (-2 * log(tail)).squareRoot()
        let numerator = 2.515517 + root * (0.802853 + root * 0.010328)
        let denominator = 1 + root * (1.432788 + root * (0.189269 + root * 0.001308))
        var x = numerator / denominator - root
        for _ in 0..<4 {
            let density = normalDensity(x)
            guard density > 0 else { break }
            let step = (normalCDF(x) - tail) / density
            x -= step / (1 + 0.5 * x * step)
        }
        return p < 0.5 ? x : -x
    }
}
