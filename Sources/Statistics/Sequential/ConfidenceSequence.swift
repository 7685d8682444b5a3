/// Intervals that hold at all times simultaneously: with a probability of at least the level, no interval seen while
/// numbers arrive ever excludes the true value. The interval may be inspected after every number, and sampling may stop
/// at any time.
///
/// The order of the numbers does not matter. Each number must have the same mean, given those before it.
public enum ConfidenceSequence {
    /// Limits for a probability.
    ///
    /// The interval contains all p at which the mixture of the likelihood ratios of θ to p, with θ uniform on 0...1,
    /// stays below 1/α. The mixture is 1/((n + 1) · P(successes of n at p)).
    ///
    /// - Parameters:
    ///   - successes: In `0...trials`.
    ///   - trials: At least 0.
    ///   - level: The confidence, in 0..<1.
    /// - Returns: The interval; 0...1 without trials.
    /// - Complexity: O(1), some 120 values of the binomial distribution.
    /// - SeeAlso: Robbins (1970), *Statistical methods related to the law of the iterated logarithm*,
    ///   doi:10.1214/aoms/1177696786, section 1; Ville (1939).
    public static func proportion(_ successes: Int, of trials: Int, level: Double = 0.95) -> Interval {
        precondition(successes >= 0 && successes <= trials, "there are no more successes than trials")
        let bound = Reproducible.log((1 - level) / Double(trials + 1))
        func isInside(_ p: Double) -> Bool { Reproducible.logBinomialMass(successes, of: trials, p) > bound }
        let mode = trials == 0 ? 0.5 : Double(successes) / Double(trials)
        return Interval(
            isInside(0) ? 0 : edge(outside: 0, inside: mode, isInside),
            isInside(1) ? 1 : edge(outside: 1, inside: mode, isInside)
        )
    }

    /// Limits for the mean of numbers in `0...1`.
    ///
    /// For each possible mean m, one capital bets that the numbers lie above m, another that they lie below. Each is
    /// spread evenly over 63 stakes: 1/64 to 63/64 of the amount that may be lost. m is inside while neither capital
    /// has grown to 2/α.
    ///
    /// - Parameters:
    ///   - numbers: Numbers in `0...1`; they are rounded to multiples of 2⁻²⁰, about a millionth.
    ///   - level: The confidence, in 0..<1.
    /// - Returns: The interval; 0...1 without numbers.
    /// - Complexity: O(*k*) for *k* different numbers, some 7,000 logarithms each.
    /// - SeeAlso: Waudby-Smith, Ramdas (2024), *Estimating means of bounded random variables by betting*,
    ///   arXiv:2010.09686, theorem 3 (hedged capital); Orabona, Jun (2021), *Tight concentrations and confidence
    ///   sequences from the regret of universal portfolio*, arXiv:2110.14099, for bets spread over all stakes.
    public static func mean(_ numbers: [Double], level: Double = 0.95) -> Interval {
        let counts = Counts(numbers)
        let bound = Reproducible.log(2 / (1 - level))
        return Interval(
            lower(counts, bound),
            // The upper limit for the numbers follows from the lower limit for their complements to 1.
            1 - lower(counts.mirrored, bound)
        )
    }

    /// Limits for the mean of differences in `-1...1`.
    ///
    /// - Returns: In `-1...1`; see `mean(_:level:)`.
    public static func meanDifference(_ differences: [Double], level: Double = 0.95) -> Interval {
        let interval = mean(differences.map { ($0 + 1) / 2 }, level: level)
        return Interval(2 * interval.lower - 1, 2 * interval.upper - 1)
    }

    /// Limits for a / (a + b) from limits of a and b: the result holds if both limits hold.
    ///
    /// - Returns: The limits. The lower one is 0 if a may be 0; the upper one is 1 if b may be 0.
    static func share(of a: Interval, beside b: Interval) -> Interval {
        Interval(
            a.lower > 0 ? a.lower / (a.lower + b.upper) : 0,
            b.lower > 0 ? a.upper / (a.upper + b.lower) : 1
        )
    }

    private static func edge(outside: Double, inside: Double, _ isInside: (Double) -> Bool) -> Double {
        var (outer, inner) = (outside, inside)
        for _ in 0..<60 {
            let middle = 0.5 * (outer + inner)
            if isInside(middle) { inner = middle } else { outer = middle }
        }
        // Returns the bound outside, so that rounding does not make the interval too narrow.
        return outer
    }

    /// The smallest mean at which the capital of the bets on larger numbers has not yet grown to the bound.
    private static func lower(_ counts: Counts, _ bound: Double) -> Double {
        guard !counts.isEmpty, counts.mean > 0 else { return 0 }
        return edge(outside: 0, inside: counts.mean) { $0 > 0 && counts.logCapital(above: $0) < bound }
    }

    /// Number of occurrences of each number: the capital depends on nothing else.
    private struct Counts {
        let rows: [(number: Double, count: Double)]
        let mean: Double
        var isEmpty: Bool { rows.isEmpty }

        init(_ numbers: [Double]) {
            var counts: [Int: Int] = [:]
            for number in numbers {
                precondition(number >= 0 && number <= 1, "numbers lie in 0...1")
                counts[Int((number * 0x1p20).rounded()), default: 0] += 1
            }
            self.init(counts.sorted { $0.key < $1.key }.map { (Double($0.key) / 0x1p20, Double($0.value)) })
        }

        private init(_ rows: [(number: Double, count: Double)]) {
            self.rows = rows
            let all = rows.reduce(0) { $0 + $1.count }
            mean = all == 0 ? 0 : rows.reduce(0) { $0 + $1.number * $1.count } / all
        }

        var mirrored: Counts { Counts(rows.reversed().map { (1 - $0.number, $0.count) }) }

        /// The logarithm of the current value of an initial capital of 1: the mean over stakes c of Π (1 − c + c x /
        /// m), in which each factor has a mean of at most 1.
        func logCapital(above m: Double) -> Double {
            let logs = (1...63).map { step in
                let stake = Double(step) / 64
                return rows.reduce(0.0) { $0 + $1.count * Reproducible.log1p(stake * ($1.number / m - 1)) }
            }
            let most = logs.max() ?? 0
            let sum = logs.reduce(0.0) { $0 + Reproducible.exp($1 - most) }
            return most + Reproducible.log(sum / 63)
        }
    }
}

/// Limits for several strata that hold at all times simultaneously: the error probability is divided among the strata.
extension ConfidenceSequence {
    /// The numbers of one stratum, and its weight.
    public struct Stratum: Hashable, Sendable {
        /// The stratum's share of all candidates, in `0...1`; the shares of all strata sum to 1.
        public let share: Double
        public let numbers: [Double]
        /// Whether one number determines all others, as for the difference of two models that predict the same.
        public let isSettled: Bool

        public init(share: Double, numbers: [Double], isSettled: Bool = false) {
            self.share = share
            self.numbers = numbers
            self.isSettled = isSettled && !numbers.isEmpty
        }
    }

    /// Limits for the mean over all candidates of numbers in `range`, which is `0...1` or `-1...1`.
    ///
    /// - Returns: The sum of the strata's limits, weighted by their shares; a stratum without numbers has the limits of
    ///   the range.
    /// - Complexity: That of `mean(_:level:)`, and of `proportion(_:of:level:)` where all numbers are 0 or 1.
    public static func mean(
        of strata: [Stratum],
        in range: ClosedRange<Double> = 0...1,
        level: Double = 0.95
    ) -> Interval {
        let open = strata.count { !$0.isSettled && !$0.numbers.isEmpty }
        let stratumLevel = 1 - (1 - level) / Double(max(1, open))
        return sum(strata) { stratum in
            if stratum.numbers.isEmpty { return Interval(range.lowerBound, range.upperBound) }
            if stratum.isSettled { return Interval(stratum.numbers[0], stratum.numbers[0]) }
            if range.lowerBound < 0 { return meanDifference(stratum.numbers, level: stratumLevel) }
            guard stratum.numbers.allSatisfy({ $0 == 0 || $0 == 1 }) else {
                return mean(stratum.numbers, level: stratumLevel)
            }
            return proportion(stratum.numbers.count { $0 == 1 }, of: stratum.numbers.count, level: stratumLevel)
        }
    }

    /// Limits for a share among candidates, such as precision and recall: the share of hits among the candidates that
    /// the numbers of a stratum do not exclude.
    ///
    /// - Parameters:
    ///   - strata: Their numbers are 1 for a hit, 0 for a miss, and any other number for an excluded candidate.
    ///   - level: The confidence, in 0..<1.
    /// - Returns: For one stratum the limits of the share itself; for several the limits that follow from those of hits
    ///   and of misses among all candidates, each with half of 1 − `level` as its error.
    public static func share(of strata: [Stratum], level: Double = 0.95) -> Interval {
        let occurring = strata.filter { $0.share > 0 }
        if occurring.count == 1 {
            let hits = occurring[0].numbers.count { $0 == 1 }
            return proportion(hits, of: hits + occurring[0].numbers.count { $0 == 0 }, level: level)
        }
        func limits(_ number: Double) -> Interval {
            let counted = occurring.map { stratum in
                Stratum(share: stratum.share, numbers: stratum.numbers.map { $0 == number ? 1 : 0 })
            }
            return mean(of: counted, level: (1 + level) / 2)
        }
        return share(of: limits(1), beside: limits(0))
    }

    private static func sum(_ strata: [Stratum], _ limits: (Stratum) -> Interval) -> Interval {
        strata.reduce(Interval(0, 0)) { sum, stratum in
            let stratumLimits = limits(stratum)
            return Interval(
                sum.lower + stratum.share * stratumLimits.lower,
                sum.upper + stratum.share * stratumLimits.upper
            )
        }
    }
}
