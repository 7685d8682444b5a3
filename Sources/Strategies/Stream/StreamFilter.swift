public import Statistics

/// Policy for querying labels one by one as candidates arrive, instead of in batches.
public struct StreamPolicy: Hashable, Sendable {
    public var strategy: StreamStrategy
    /// The share of candidates whose labels may be queried; with 0, no label is queried.
    public var share: LabelShare
    /// Labels that may be queried ahead of the share; at least 0.
    public var burst: Int
    /// Maximum number of labels that an unused share accumulates, at least 1; nil: no limit.
    public var savings: Int?

    public init(
        strategy: StreamStrategy = .adaptive,
        share: LabelShare = LabelShare(millionths: 50_000),
        burst: Int = 0,
        savings: Int? = nil
    ) {
        self.strategy = strategy
        self.share = share
        self.burst = burst
        self.savings = savings
    }
}

/// Budget rule with its ledger, which selects the events of a stream to query.
///
/// ```swift
/// let policy = StreamPolicy(strategy: .fixed, share: LabelShare(millionths: 500_000), burst: 1)
/// var filter = StreamFilter(policy)
/// var generator = SplitMix64(seed: 7)
/// let unsure = filter.judge(score: 0.8, confidence: 0.6, pending: 0, policy: policy, using: &generator)
/// let sure = filter.judge(score: 0.1, confidence: 0.99, pending: 0, policy: policy, using: &generator)
/// ```
public struct StreamFilter: Hashable, Sendable {
    public private(set) var rule: StreamRule
    public private(set) var ledger: ShareLedger
    /// Number of candidates passed over since the last one that was judged nevertheless; at most `skipLimit`.
    public private(set) var passedOver: Int

    /// Number of candidates skipped before one is judged, among those that resemble queried or unanswerable samples.
    public static let skipLimit = 99

    /// A filter before its first event.
    public init(_ policy: StreamPolicy) {
        self.init(rule: policy.strategy.rule, ledger: ShareLedger(burst: policy.burst))
    }

    /// A filter as it was stored.
    public init(rule: StreamRule, ledger: ShareLedger, passedOver: Int = 0) {
        self.rule = rule
        self.ledger = ledger
        self.passedOver = passedOver
    }

    /// Records a candidate from which hardly anything can be learnt.
    ///
    /// - Returns: Whether it is to be judged nevertheless.
    package mutating func passOver() -> Bool {
        guard passedOver < Self.skipLimit else {
            passedOver = 0
            return true
        }
        passedOver += 1
        return false
    }

    /// Judges the next event of the stream, and subtracts its label from the ledger if it is queried.
    ///
    /// - Parameters:
    ///   - score: How useful the label would be, in `0...1`.
    ///   - confidence: The probability of the likeliest class; nil if no model has seen the sample, and then every
    ///     event is queried for which the ledger has a label.
    ///   - pending: Queried labels that the model does not know yet.
    ///   - policy: Policy in force now. A change of strategy resets the rule; the ledger is kept.
    ///   - generator: Source of a rule's random numbers.
    /// - Returns: The probability with which the label was queried, above 0; nil if it was not.
    public mutating func judge(
        score: Double,
        confidence: Double?,
        pending: Int,
        policy: StreamPolicy,
        using generator: inout SplitMix64
    ) -> Double? {
        if rule.strategy != policy.strategy { rule = policy.strategy.rule }
        ledger.observe(policy.share, savings: policy.savings)
        guard policy.share.millionths > 0 else { return nil }
        guard let confidence else { return ledger.spendLabel() ? 1 : nil }
        let event = StreamEvent(
            score: score,
            confidence: confidence,
            pending: pending,
            share: policy.share,
            credit: ledger.labels
        )
        let judgement = rule.judge(event, using: &generator)
        guard judgement.isQueried, ledger.spendLabel() else { return nil }
        return judgement.propensity
    }
}
