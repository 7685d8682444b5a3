/// The Mann–Whitney U test (Wilcoxon's rank-sum test): whether numbers of one sample tend to be larger than those of another.
///
/// - SeeAlso: Mann, Whitney (1947), doi:10.1214/aoms/1177730491. SciPy's `mannwhitneyu` gives the same p-values, two-sided, with
///   its correction for continuity.
public struct MannWhitney: Hashable, Sendable {
    /// U: the number of pairs, of one number of each sample, in which the number of the first sample is larger; ties
    /// count half.
    public let statistic: Double
    /// The two-sided p-value, in 0...1.
    public let pValue: Double
    /// Whether the distribution of the statistic is the exact one; else it is the normal one, corrected for ties.
    public let isExact: Bool
    /// Cliff's delta, 2 U / (n m) − 1, in −1...1: the probability that a number of the first sample is larger than one
    /// of the second, minus the probability that it is smaller.
    public let cliffsDelta: Double

    /// Maximum size of each sample for which the exact distribution is computed.
    public static let exactLimit = 20

    /// Fails if a sample is empty or contains a NaN.
    ///
    /// - Complexity: O(*n* log *n*); O(*n*²*m*²) for the exact distribution, up to `exactLimit` and without ties.
    public init?(_ first: [Double], _ second: [Double]) {
        let (n, m) = (first.count, second.count)
        guard n > 0, m > 0, (first + second).allSatisfy({ !$0.isNaN }) else { return nil }
        let ranks = Ranks(first, second)
        let larger = ranks.sumOfFirst - Double(n * (n + 1)) / 2
        statistic = larger
        cliffsDelta = 2 * larger / (Double(n) * Double(m)) - 1
        let extreme = max(larger, Double(n) * Double(m) - larger)
        isExact = !ranks.hasTies && n <= Self.exactLimit && m <= Self.exactLimit
        pValue = isExact ? Self.exact(Int(extreme), n, m) : Self.normal(extreme, n: n, m: m, tieSum: ranks.tieSum)
    }

    /// Twice the probability of a statistic at least as high as `extreme`, over all orders of the numbers.
    private static func exact(_ extreme: Int, _ n: Int, _ m: Int) -> Double {
        // ways[count][sum] is the number of ways to reach the sum with `count` numbers of the first sample; at most
        // C(40, 20), and therefore exact.
        var ways = Array(repeating: Array(repeating: 0.0, count: n * m + 1), count: n + 1)
        ways[0][0] = 1
        // The k-th number of the first sample, in ascending order, exceeds 0...m numbers of the second, and no fewer
        // than its predecessor does.
        for above in 0...m {
            var next = ways
            for count in 1...n {
                for sum in 0...(n * m) where sum >= above { next[count][sum] += next[count - 1][sum - above] }
            }
            ways = next
        }
        let all = ways[n].reduce(0, +)
        let tail = ways[n][extreme...].reduce(0, +)
        return min(1, 2 * tail / all)
    }

    private static func normal(_ extreme: Double, n: Int, m: Int, tieSum: Double) -> Double {
        let (pairs, total) = (Double(n) * Double(m), Double(n + m))
        let variance = pairs / 12 * (total + 1 - tieSum / (total * (total - 1)))
        guard variance > 0 else { return 1 }
        let distance = (extreme - pairs / 2 - 0.5) / variance.squareRoot()
        return min(1, 2 * Reproducible.normalCDF(-distance))
    }
}

/// Ranks of the numbers of two samples combined; equal numbers have the mean of their ranks.
private struct Ranks {
    private(set) var sumOfFirst = 0.0
    /// Σ (t³ − t) over groups of t equal numbers.
    private(set) var tieSum = 0.0
    var hasTies: Bool { tieSum > 0 }

    init(_ first: [Double], _ second: [Double]) {
        let all = (first.map { (number: $0, isFirst: true) } + second.map { ($0, false) })
            .sorted { $0.number < $1.number }
        var start = 0
        while start < all.count {
            var end = start
            while end < all.count, all[end].number == all[start].number { end += 1 }
            let size = Double(end - start)
            let rank = Double(start + end + 1) / 2
            sumOfFirst += rank * Double(all[start..<end].count { $0.isFirst })
            tieSum += size * size * size - size
            start = end
        }
    }
}
