/// A permutation test of paired differences: if neither model is better, each difference could equally well have the
/// opposite sign.
///
/// Differences are rounded to multiples of 2⁻⁴⁰, and sums that differ only by rounding count as ties: the result does
/// not depend on the order of summation. Differences of 0 have no effect.
///
/// - SeeAlso: Fisher (1935), *The Design of Experiments*, section 21; Phipson, Smyth (2010), *Permutation p-values
///   should never be zero*, doi:10.2202/1544-6115.1585, for the estimate from sampled permutations. SciPy's
///   `permutation_test` with `permutation_type="samples"` gives the same result when it is exact.
public struct PairedPermutation: Hashable, Sendable {
    /// The two-sided p-value: twice the lesser one-sided one, at most 1.
    public let pValue: Double
    /// The probability of a mean at least as high as the observed one.
    public let greater: Double
    /// The probability of a mean no higher than the observed one.
    public let less: Double
    /// Whether all permutations were counted; otherwise they were sampled.
    public let isExact: Bool

    /// Maximum number of nonzero differences for which all 2ⁿ combinations of signs are counted.
    public static let exactLimit = 20

    /// Tests the differences.
    ///
    /// All combinations of signs are counted for up to `exactLimit` nonzero differences, and for any number of
    /// differences of one magnitude.
    ///
    /// - Parameters:
    ///   - differences: One per item, each in −1,000...1,000.
    ///   - resamples: The number of sampled permutations if not all are counted; at least 1.
    ///   - seed: The seed of the sampling.
    /// - Complexity: O(2ⁿ), O(*n*) or O(*resamples* · *n*), with *n* differences other than 0.
    public init(_ differences: [Double], resamples: Int = 9_999, seed: UInt64 = 1) {
        let parts = differences.map { difference in
            precondition(difference.magnitude <= 1_000, "differences lie in -1000...1000")
            return Int((difference * 0x1p40).rounded())
        }.filter { $0 != 0 }
        let observed = parts.reduce(0, +)
        // Each part is rounded by at most half a multiple, and a change of its sign counts the rounding twice.
        let ties = (observed - parts.count)...(observed + parts.count)
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

    /// Counts the combinations of signs whose sum is no higher, and no lower, than the observed one. They are visited
    /// in the order of a Gray code, so that each step changes one sign.
    private static func countAll(_ magnitudes: [Int], against observed: ClosedRange<Int>) -> (below: Int, above: Int) {
        var signed = magnitudes
        var sum = magnitudes.reduce(0, +)
        var (below, above) = (0, 0)
        var step = 0
        while true {
            if sum <= observed.upperBound { below += 1 }
            if sum >= observed.lowerBound { above += 1 }
            step += 1
            let index = step.trailingZeroBitCount
            guard index < signed.count else { return (below, above) }
            sum -= 2 * signed[index]
            signed[index] = -signed[index]
        }
    }

    private static func draw(
        _ count: Int,
        _ magnitudes: [Int],
        against observed: ClosedRange<Int>,
        _ seed: UInt64
    ) -> (below: Int, above: Int) {
        var generator = SplitMix64(seed: seed)
        var (below, above) = (0, 0)
        for _ in 0..<count {
            var sum = 0
            var bits: UInt64 = 0
            for (index, magnitude) in magnitudes.enumerated() {
                if index & 63 == 0 { bits = generator.next() }
                sum += bits & 1 == 0 ? magnitude : -magnitude
                bits >>= 1
            }
            if sum <= observed.upperBound { below += 1 }
            if sum >= observed.lowerBound { above += 1 }
        }
        return (below, above)
    }
}
