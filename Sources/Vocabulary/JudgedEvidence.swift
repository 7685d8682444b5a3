/// The figures of a promotion, from predictions that were entered before the samples were queried.
///
/// All counts are of one era: the time from one champion to the next.
public struct JudgedEvidence: Hashable, Sendable {
    /// Numbers of labels of pairs.
    public struct Tally: Hashable, Sendable {
        /// Number of audit labels of samples that the champion had predicted and the challenger could have predicted.
        public var labels: Int
        /// Number of labels in `labels` with which the challenger agrees better.
        public var wins: Int
        /// Number of labels in `labels` with which the champion agrees better.
        public var losses: Int

        public init(labels: Int = 0, wins: Int = 0, losses: Int = 0) {
            self.labels = labels
            self.wins = wins
            self.losses = losses
        }
    }

    /// The era's number; at least 1.
    public var era: Int
    /// Number of promotions before this era, over the project's lifetime.
    public var promotionsBefore: Int
    /// Quantity that `alpha` bounds.
    public var bound: PromotionBound
    /// The bound, in `0...1`.
    public var alpha: Double
    /// The level of this era: α γᵣ (R + 1), or α γᵣ.
    public var level: Double
    /// Labels of all pairs of the era, whichever challengers they belong to.
    public var all: Tally
    /// Labels of the pair of this champion and this challenger.
    public var own: Tally
    /// Number of labels in `all` that were queried because the two models disagreed.
    public var duels: Int
    /// Natural logarithm of the e-value.
    public var logE: Double
    /// Value that `logE` had to reach: -ln(level).
    public var threshold: Double
    /// Samples whose pair was settled when their task opened.
    public var settled: Int
    /// Number of samples in `settled` without a prediction by the challenger; a missing prediction counts as wrong.
    public var silent: Int
    /// Audit labels whose pair was of another era: no evidence.
    public var ofAnotherEra: Int
    /// Predictions of a pair's challenger that arrived after the task had opened: no evidence.
    public var lateLeftOut: Int
    /// Milliseconds from the first to the last of the tasks whose labels count.
    public var span: Int64

    public init(
        era: Int,
        promotionsBefore: Int,
        bound: PromotionBound,
        alpha: Double,
        level: Double,
        all: Tally,
        own: Tally,
        duels: Int,
        logE: Double,
        threshold: Double,
        settled: Int,
        silent: Int,
        ofAnotherEra: Int,
        lateLeftOut: Int,
        span: Int64
    ) {
        self.era = era
        self.promotionsBefore = promotionsBefore
        self.bound = bound
        self.alpha = alpha
        self.level = level
        self.all = all
        self.own = own
        self.duels = duels
        self.logE = logE
        self.threshold = threshold
        self.settled = settled
        self.silent = silent
        self.ofAnotherEra = ofAnotherEra
        self.lateLeftOut = lateLeftOut
        self.span = span
    }

    /// Share of the settled samples that the challenger had predicted, in `0...1`; 1 if none was settled.
    public var shadowCoverage: Double { settled == 0 ? 1 : Double(settled - silent) / Double(settled) }
}

/// Quantity that `rollout.alpha` bounds.
public enum PromotionBound: String, Hashable, Sendable, CaseIterable {
    /// Share of promotions that come from eras without a better challenger, over a project's whole lifetime.
    case share
    /// Probability of even one such promotion over a project's lifetime.
    case any
    /// Probability that one challenger that is no better is promoted, as before the introduction of eras: nothing is
    /// bounded over a project's lifetime. Revisions from that time keep this bound.
    case challenger
}
