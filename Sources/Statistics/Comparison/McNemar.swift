/// McNemar's test of two models on the same items: how surprising the items are that exactly one of the models
/// classified correctly, if neither model is better.
///
/// It is valid for a single evaluation at a number of items fixed beforehand.
///
/// - SeeAlso: McNemar (1947), *Note on the sampling error of the difference between correlated proportions*,
///   doi:10.1007/BF02295996; Edwards (1948) for the correction; Fagerland, Lydersen, Laake (2013), *The McNemar test
///   for binary matched-pairs data: mid-p and asymptotic are better than exact conditional*,
///   doi:10.1186/1471-2288-13-91.
public struct McNemar: Hashable, Sendable {
    /// Items that only the first model got right; at least 0.
    public let wins: Int
    /// Items that only the second model got right; at least 0.
    public let losses: Int

    public init(wins: Int, losses: Int) {
        precondition(wins >= 0 && losses >= 0, "counts are not negative")
        self.wins = wins
        self.losses = losses
    }

    /// The two-sided p-value of the exact binomial test; in 0...1, and 1 without discordant items.
    public var exact: Double { mcNemarPValue(wins: wins, losses: losses) }

    /// The mid-p variant of `exact`, in which the observed counts contribute only half their probability: less
    /// conservative, and closer to the nominal level.
    public var midP: Double {
        guard wins + losses > 0 else { return 1 }
        return min(1, exact - (wins == losses ? 0.5 : 1) * Reproducible.binomialMass(wins, of: wins + losses, 0.5))
    }

    /// (wins − losses)² / (wins + losses); 0 without discordant items.
    public var statistic: Double { statistic(less: 0) }

    /// (|wins − losses| − 1)² / (wins + losses), with Edwards' correction for continuity; 0 without discordant items.
    public var correctedStatistic: Double { statistic(less: 1) }

    /// The p-value of `statistic` under χ² with one degree of freedom.
    public var asymptotic: Double { Self.tail(statistic) }

    /// The p-value of `correctedStatistic` under χ² with one degree of freedom.
    public var corrected: Double { Self.tail(correctedStatistic) }

    /// The p-value to report: the exact one below 25 discordant items, else the corrected asymptotic one.
    public var pValue: Double { wins + losses < 25 ? exact : corrected }

    private func statistic(less correction: Double) -> Double {
        guard wins + losses > 0 else { return 0 }
        let excess = Double(abs(wins - losses)) - correction
        return excess * excess / Double(wins + losses)
    }

    private static func tail(_ statistic: Double) -> Double { Reproducible.erfc((statistic / 2).squareRoot()) }
}
