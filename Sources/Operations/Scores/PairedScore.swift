internal import Kinds
internal import Rollout
public import Statistics
public import Vocabulary

/// Comparison of two models on the same labels. Differences are the second minus the first.
public struct PairedScore: Sendable {
    public let first: ModelScore
    public let second: ModelScore
    /// Labels that both had answered; at least 1.
    public let labels: Int
    /// Mean difference in agreement, in `-1...1`.
    public let difference: ModelScore.Figure
    /// McNemar's test of the labels with which the second model agrees better (wins) and those with which the first
    /// does (losses).
    public let mcNemar: McNemar
    /// Permutation test of the differences on the labels as they are, unweighted.
    public let permutation: PairedPermutation
    public let percentile: Interval
    /// Nil where all differences are the same.
    public let biasCorrected: Interval?
    /// Mean difference in standard deviations (d_z); nil where differences do not vary.
    public let cohensD: Double?
    /// Ratio of the second model's wins to the first's, with a 95 % interval; nil without any win.
    public let odds: (ratio: Double, interval: Interval)?
    /// The share of these labels that is expected to be wrong, by the reliability of the annotators: a smaller
    /// difference may be due to wrong labels as well as to the models.
    public let noiseFloor: Double

    /// Whether the difference is below the noise floor.
    public var isBelowNoise: Bool { difference.value.magnitude < noiseFloor }

    /// Compares two models; nil if there is no label that both have answered.
    ///
    /// - Parameters:
    ///   - first: The version that is the basis of the comparison.
    ///   - second: The other version.
    ///   - items: Labels; those that only one version has answered are excluded.
    ///   - weighting: Weights by the distribution of the project's candidates.
    ///   - question: The question of the project.
    public init?(
        _ first: ModelVersion,
        _ second: ModelVersion,
        on items: [ScoreBook.Item],
        weighting: PostStratification,
        question: Question
    ) {
        let common = items.filter { $0.answers[first] != nil && $0.answers[second] != nil }
        guard let firstScore = ModelScore(first, on: common, weighting, question),
            let secondScore = ModelScore(second, on: common, weighting, question)
        else { return nil }
        let pairs = common.compactMap { item in
            item.answers[first].flatMap { old in item.answers[second].map { (item: item, old: old, new: $0) } }
        }
        let differences = pairs.map { item, old, new in
            new.label.agreement(with: item.label) - old.label.agreement(with: item.label)
        }
        // In the stratum `agree`, the two models of a pair answer alike on every sample, so their difference is 0
        // there. The two models compared here are taken for such a pair if they never differ in that stratum.
        let isPair = pairs.allSatisfy { item, old, new in
            item.cell.stratum != AuditStratum.agree.index || new.label.agreement(with: old.label) == 1
        }
        let strata = Strata(common.map(\.cell), weighting)
        let settled: Set<Int> = isPair ? [AuditStratum.agree.index] : []
        guard let difference = strata.figure(differences, in: -1...1, settled: settled) else { return nil }
        (self.first, self.second, self.difference) = (firstScore, secondScore, difference)
        labels = common.count
        mcNemar = McNemar(wins: differences.count { $0 > 0 }, losses: differences.count { $0 < 0 })
        permutation = PairedPermutation(differences)
        let bootstrap = PairedBootstrap(differences)
        percentile = bootstrap.percentile()
        biasCorrected = bootstrap.biasCorrected()
        cohensD = EffectSize.cohensD(paired: differences)
        odds = EffectSize.oddsRatio(wins: mcNemar.wins, losses: mcNemar.losses)
        noiseFloor = common.reduce(0.0) { $0 + 1 - $1.confidence } / Double(common.count)
    }
}
