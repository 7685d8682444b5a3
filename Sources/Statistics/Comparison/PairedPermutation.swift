/// A permutation test of paired differences: if neither model is better, each difference could as well have had the other sign.
///
/// Differences are taken in multiples of 2⁻⁴⁰, and sums that differ by rounding alone are ties: nothing depends on the order of
/// summation. Differences of 0 decide nothing.
///
/// - SeeAlso: Fisher (1935), *The Design of Experiments*, section 21; Phipson, Smyth (2010), *Permutation p-values should never be
///   zero*, doi:10.2202/1544-6115.1585, for the estimate from drawn permutations. SciPy's `permutation_test` with
///   `permutation_type="samples"` gives the same where it is exact.
public struct PairedPermutation: Hashable, Sendable {
    /// The two-sided p-value: twice the lesser one-sided one, at most 1.
    public let pValue: Double
    /// The chance of a mean at least as high as the one seen.
    public let greater: Double
    /// The chance of a mean no higher than the one seen.
    public let less: Double
    /// Whether all permutations were counted; else they were drawn.
    public let isExact: Bool

    /// Differences other than 0 up to which all 2ⁿ signs are tried.
    public static let exactLimit = 20

    /// Tests the differences.
    ///
    /// All signs are counted for up to `exactLimit` differences other than 0, and for any number of the same magnitude.
    ///
    /// - Parameters:
    ///   - differences: One of each item, each in −1,000...1,000.
    ///   - resamples: Permutations that are drawn where not all are counted; at least 1.
    ///   - seed: Of the draws.
    /// - Complexity: O(2ⁿ), O(*n*) or O(*resamples* · *n*), where *n* differences are not 0.
    public init(_ differences: [Double], resamples: Int = 9_999, seed: UInt64 = 1) {
        let parts = differences.map { difference in
            precondition(difference.magnitude <= 1_000, "differences lie in -1000...1000")
            return Int((difference * 0x1p40).rounded())
        }.filter { $0 != 0 }
        let seen = parts.reduce(0, +)
        // Each part is rounded by half a multiple at most, and a sign turns it twice.
        let ties = (seen - parts.count)...(seen + parts.count)
        let magnitudes = parts.map { abs($0) }
        if let first = magnitudes.first, magnitudes.allSatisfy({ $0 == first }) {
            let wins = parts.count { $0 > 0 }
            self.init(
                less: Reproducible.binomialCDF(wins, of: parts.count, 0.5),
                greater: Reproducible.binomialUpperTail(wins, of: parts.count, 0.5),
                isExact: true
            )
        } else if parts.count <= Self.exactLimit {
            let (below, above) = Self.countAll(magnitudes, against: ties)
            let all = Double(1 << parts.count)
            self.init(less: Double(below) / all, greater: Double(above) / all, isExact: true)
        } else {
            let (below, above) = Self.draw(resamples, magnitudes, against: ties, seed)
            let all = Double(resamples + 1)
            self.init(less: Double(below + 1) / all, greater: Double(above + 1) / all, isExact: false)
        }
    }

    private init(less: Double, greater: Double, isExact: Bool) {
        self.less = less
        self.greater = greater
        self.isExact = isExact
        pValue = min(1, 2 * min(less, greater))
    }

    /// Signs with a sum no higher, and no lower, than the one seen; by a Gray code, so that each differs from the last in one.
    private static func countAll(_ magnitudes: [Int], against seen: ClosedRange<Int>) -> (below: Int, above: Int) {
        var signed = magnitudes
        var sum = magnitudes.reduce(0, +)
        var (below, above) = (0, 0)
        var step = 0
        while true {
            if sum <= seen.upperBound { below += 1 }
            if sum >= seen.lowerBound { above += 1 }
            step += 1
            let place = step.trailingZeroBitCount
            guard place < signed.count else { return (below, above) }
            sum -= 2 * signed[place]
            signed[place] = -signed[place]
        }
    }

    private static func draw(
        _ count: Int,
        _ magnitudes: [Int],
        against seen: ClosedRange<Int>,
        _ seed: UInt64
    ) -> (below: Int, above: Int) {
        var generator = SplitMix64(seed: seed)
        var (below, above) = (0, 0)
        for _ in 0..<count {
            var sum = 0
            var bits: UInt64 = 0
            for (place, magnitude) in magnitudes.enumerated() {
                if place & 63 == 0 { bits = generator.next() }
                sum += bits & 1 == 0 ? magnitude : -magnitude
                bits >>= 1
            }
            if sum <= seen.upperBound { below += 1 }
            if sum >= seen.lowerBound { above += 1 }
        }
        return (below, above)
    }
}
