extension Reproducible {
    /// The two-sided tail probability of Student's t distribution: the probability of a value at least as far from 0 as
    /// `t`.
    ///
    /// - Parameters:
    ///   - t: Any number.
    ///   - degrees: Degrees of freedom, above 0, not necessarily whole; NaN otherwise.
    /// - Returns: In 0...1, within 10⁻¹¹ of the value, relatively, also where it is tiny.
    public static func studentTails(_ t: Double, degrees: Double) -> Double {
        guard degrees > 0, !t.isNaN else { return .nan }
        guard t.magnitude < .infinity else { return 0 }
        let square = t * t
        let sum = degrees + square
        guard sum < .infinity else { return 0 }
        // Both arguments are given: near t = 0 one of them would cancel.
        return betaTails(degrees / sum, square / sum, a: degrees / 2, b: 0.5).lower
    }

    /// The quantile of Student's t distribution at probability `p`.
    ///
    /// - Returns: Within 10⁻¹⁰ of the value, relatively; −infinity for 0, infinity for 1, NaN for arguments out of range.
    public static func studentQuantile(_ p: Double, degrees: Double) -> Double {
        guard p >= 0, p <= 1, degrees > 0 else { return .nan }
        guard p != 0.5 else { return 0 }
        let tails = 2 * min(p, 1 - p)
        guard tails > 0 else { return p == 0 ? -.infinity : .infinity }
        // Finds |t| for its two tails by bisection of bit patterns, which have the same order as the positive numbers.
        var (low, high): (UInt64, UInt64) = (0, (0x1p500).bitPattern)
        while low + 1 < high {
            let middle = low + (high - low) / 2
            if studentTails(Double(bitPattern: middle), degrees: degrees) > tails {
                low = middle
            } else {
                high = middle
            }
        }
        let magnitude = Double(bitPattern: high)
        return p < 0.5 ? -magnitude : magnitude
    }
}
