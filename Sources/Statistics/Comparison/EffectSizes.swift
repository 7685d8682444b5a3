/// Measures of the size of a difference, independent of its significance.
public enum EffectSize {
    /// Cohen's d of two samples: the difference between their means in units of the pooled standard deviation.
    ///
    /// - Returns: Nil where a sample has fewer than two numbers, or nothing varies.
    /// - SeeAlso: Cohen (1988), *Statistical Power Analysis for the Behavioral Sciences*, section 2.2: 0.2 is small, 0.5 medium, 0.8
    ///   large.
    public static func cohensD(_ first: [Double], _ second: [Double]) -> Double? {
        guard first.count > 1, second.count > 1 else { return nil }
        func squares(_ numbers: [Double]) -> Double {
            let deviation = Statistics.standardDeviation(numbers)
            return deviation * deviation * Double(numbers.count - 1)
        }
        let pooled = ((squares(first) + squares(second)) / Double(first.count + second.count - 2)).squareRoot()
        guard pooled > 0 else { return nil }
        return (Statistics.mean(first) - Statistics.mean(second)) / pooled
    }

    /// Cohen's d of paired differences (d_z): their mean divided by their standard deviation.
    ///
    /// - Returns: Nil for fewer than two differences, or where they do not vary.
    /// - SeeAlso: Lakens (2013), *Calculating and reporting effect sizes*, doi:10.3389/fpsyg.2013.00863, equation 6.
    public static func cohensD(paired differences: [Double]) -> Double? {
        guard differences.count > 1 else { return nil }
        let deviation = Statistics.standardDeviation(differences)
        return deviation > 0 ? Statistics.mean(differences) / deviation : nil
    }

    /// Cliff's delta: the probability that a number of the first sample is larger than a number of the second, minus
    /// the probability that it is smaller; ties count as neither.
    ///
    /// - Returns: In −1...1; nil where a sample is empty.
    /// - SeeAlso: Cliff (1993), *Dominance statistics*, doi:10.1037/0033-2909.114.3.494.
    public static func cliffsDelta(_ first: [Double], _ second: [Double]) -> Double? {
        MannWhitney(first, second)?.cliffsDelta
    }

    /// The odds ratio of matched pairs: the number of items that only the first model got right per item that only the
    /// second got right.
    ///
    /// - Parameters:
    ///   - wins: Items that only the first model got right; at least 0.
    ///   - losses: Items that only the second model got right; at least 0.
    ///   - level: The confidence of the interval, in 0...1.
    /// - Returns: The conditional maximum likelihood estimate and its exact limits, from those of Clopper and Pearson for the
    ///   share of wins; infinity without losses; nil without discordant items.
    /// - SeeAlso: Breslow, Day (1980), *Statistical Methods in Cancer Research* I, section 5.2.
    public static func oddsRatio(wins: Int, losses: Int, level: Double = 0.95) -> (ratio: Double, interval: Interval)? {
        guard wins >= 0, losses >= 0, wins + losses > 0 else { return nil }
        let (won, all, side) = (Double(wins), Double(wins + losses), (1 + level) / 2)
        func odds(_ share: Double) -> Double { share >= 1 ? .infinity : share / (1 - share) }
        let limits = Interval(
            odds(BinomialLimits.lower(won, of: all, level: side)),
            odds(BinomialLimits.upper(won, of: all, level: side))
        )
        return (losses == 0 ? .infinity : won / Double(losses), limits)
    }
}
