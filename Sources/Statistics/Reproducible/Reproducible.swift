/// Elementary and special functions that give the same bits on every processor and every system.
///
/// Only + − × ÷ √ on `Double` are used, each correctly rounded by IEEE 754, in a fixed order and never fused, because
/// the C library's functions differ between processors. The accuracy is stated at each function; tests compare with
/// Boost.Math in extended precision.
public enum Reproducible {}

extension Reproducible {
    /// e to the power of `x`.
    ///
    /// - Returns: Within 1 unit in the last place; infinity above 709.79, 0 below −745.2.
    /// - SeeAlso: Tang (1989), *Table-driven implementation of the exponential function in IEEE floating-point arithmetic*,
    ///   doi:10.1145/63522.214389.
    public static func exp(_ x: Double) -> Double {
        guard x < 709.8 else { return x.isNaN ? x : .infinity }
        guard x > -745.2 else { return 0 }
        // x = step · ln 2 / 32 + rest, and step · high is exact.
        let step = nearestInteger(x * ExponentialTables.inverseStep)
        let rest = (x - step * ExponentialTables.step.high) - step * ExponentialTables.step.low
        let index = Int(step)
        let power = ExponentialTables.powers[index & 31]
        let series = rest + rest * rest * expTail(rest)
        return scale(power.high + (power.low + power.high * series), byPowerOfTwo: index >> 5)
    }

    /// The nearest whole number, ties to even, for magnitudes below 2⁵¹; `rounded` is not used, because it may call the
    /// C library.
    private static func nearestInteger(_ x: Double) -> Double { (x + 0x1.8p52) - 0x1.8p52 }

    /// (eʳ − 1 − r) / r² for small r, below 0.011.
    private static func expTail(_ rest: Double) -> Double {
        var sum = 1.0 / 5040
        sum = sum * rest + 1.0 / 720
        sum = sum * rest + 1.0 / 120
        sum = sum * rest + 1.0 / 24
        sum = sum * rest + 1.0 / 6
        return sum * rest + 0.5
    }

    /// `value` · 2^exponent, rounded once.
    private static func scale(_ value: Double, byPowerOfTwo exponent: Int) -> Double {
        if exponent > 1023 { return value * 2 * powerOfTwo(exponent - 1) }
        if exponent >= -1021 { return value * powerOfTwo(exponent) }
        return value * powerOfTwo(exponent + 1000) * 0x1p-1000
    }

    /// 2^exponent for exponents of normal numbers.
    private static func powerOfTwo(_ exponent: Int) -> Double {
        Double(bitPattern: UInt64(exponent + 1023) << 52)
    }

    /// e to the power of `x`, less 1, accurate for small `x`.
    ///
    /// - Returns: Within 3 units in the last place; −1 for large negative `x`.
    public static func expm1(_ x: Double) -> Double {
        guard x.magnitude < 0.35 else { return exp(x) - 1 }
        guard x.magnitude > 0x1p-54 else { return x }
        var sum = 0.0
        var divisor = 16.0
        while divisor >= 3 {
            sum = (sum + 1) * x / divisor
            divisor -= 1
        }
        return x + x * x * 0.5 * (1 + sum)
    }

    /// The natural logarithm of `x`.
    ///
    /// - Returns: Within 2 units in the last place; −infinity for 0, NaN below.
    /// - SeeAlso: Tang (1990), *Table-driven implementation of the logarithm function in IEEE floating-point arithmetic*,
    ///   doi:10.1145/98267.98294.
    public static func log(_ x: Double) -> Double { log(x, correction: 0) }

    /// ln x + `correction`, which is small compared with ln x.
    private static func log(_ x: Double, correction: Double) -> Double {
        guard x > 0 else { return x == 0 ? -.infinity : .nan }
        guard x < .infinity else { return x }
        var bits = x.bitPattern
        var exponent = 0
        if bits >> 52 == 0 {
            bits = (x * 0x1p54).bitPattern
            exponent = -54
        }
        exponent += Int(bits >> 52) - 1023
        var mantissa = Double(bitPattern: bits & 0x000f_ffff_ffff_ffff | 0x3ff0_0000_0000_0000)
        if mantissa > 0x1.6a09e667f3bcdp+0 {
            mantissa *= 0.5
            exponent += 1
        }
        // x = 2^exponent · (centre + distance), centre a multiple of 1/128.
        let position = nearestInteger(mantissa * 128)
        let centre = position * 0x1p-7
        let distance = mantissa - centre
        let ratio = distance / (mantissa + centre)
        let table = ExponentialTables.logarithms[Int(position) - 90]
        let scaled = Double(exponent)
        let high = scaled * ExponentialTables.ln2.high + table.high
        let low = scaled * ExponentialTables.ln2.low + table.low + correction
        let square = ratio * ratio
        let series = 2 * ratio * square * (1.0 / 3 + square * (1.0 / 5 + square * (1.0 / 7)))
        guard position == 128 else { return high + (2 * ratio + (series + low)) }
        // Near 1 the rounding error of the ratio would be visible: 2 · ratio = distance − ratio · distance.
        return high + (distance - (ratio * distance - (series + low)))
    }

    /// The natural logarithm of 1 + `x`, accurate for small `x`.
    ///
    /// - Returns: Within 3 units in the last place; −infinity for −1, NaN below.
    public static func log1p(_ x: Double) -> Double {
        guard x > -1, x < .infinity else { return x == -1 ? -.infinity : (x > 0 ? x : .nan) }
        guard x.magnitude > 0x1p-54 else { return x }
        if x.magnitude < 0x1p-7 {
            let ratio = x / (2 + x)
            let square = ratio * ratio
            let series = square * (1.0 / 3 + square * (1.0 / 5 + square * (1.0 / 7 + square * (1.0 / 9))))
            return x - (ratio * x - 2 * ratio * series)
        }
        let sum = 1 + x
        let missing = x.magnitude < 1 ? x - (sum - 1) : 1 - (sum - x)
        return log(sum, correction: missing / sum)
    }

    /// `base` to the power of `exponent`, with the special cases of IEEE 754.
    ///
    /// - Returns: Within 4·10⁻¹³ of the value, relatively; the product itself for whole exponents up to 64.
    public static func pow(_ base: Double, _ exponent: Double) -> Double {
        if exponent == 0 || base == 1 { return 1 }
        if base.isNaN || exponent.isNaN { return .nan }
        let isWhole = exponent.magnitude >= 0x1p53 || exponent == Double(Int64(exponent))
        if isWhole, exponent.magnitude <= 64 {
            let power = product(base, Int(exponent.magnitude))
            // 1 / power would lose a result that is subnormal when power overflows.
            if exponent > 0 || (power.isFinite && power != 0) { return exponent > 0 ? power : 1 / power }
        }
        let isOdd = isWhole && exponent.magnitude < 0x1p53 && Int64(exponent) & 1 == 1
        if base == 0 || base.isInfinite {
            let isLarge = base.isInfinite == (exponent > 0)
            let magnitude = isLarge ? Double.infinity : 0
            return base.sign == .minus && isOdd ? -magnitude : magnitude
        }
        if exponent.isInfinite {
            if base == -1 { return 1 }
            return (base.magnitude > 1) == (exponent > 0) ? .infinity : 0
        }
        guard base > 0 || isWhole else { return .nan }
        let magnitude = exp(exponent * log(base.magnitude))
        return base < 0 && isOdd ? -magnitude : magnitude
    }

    private static func product(_ base: Double, _ count: Int) -> Double {
        var result = 1.0
        var square = base
        var left = count
        while left > 0 {
            if left & 1 == 1 { result *= square }
            left >>= 1
            if left > 0 { square *= square }
        }
        return result
    }
}
