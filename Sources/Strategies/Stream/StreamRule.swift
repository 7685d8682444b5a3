public import Statistics

/// Rules by which a stream's labels can be queried, one event after the other.
public enum StreamStrategy: String, Hashable, Sendable, CaseIterable {
    case random
    case fixed = "fixed_uncertainty"
    case variable = "var_uncertainty"
    case randomized = "rand_var_uncertainty"
    case split
    case quantile
    /// The quantile filter with a fifth of the stream judged at random, and with regard to pending labels: the default.
    case adaptive

    /// The rule before the first event.
    public var rule: StreamRule {
        switch self {
        case .random: .random(RandomSampling())
        case .fixed: .fixed(FixedUncertainty())
        case .variable: .variable(VariableUncertainty())
        case .randomized: .randomized(RandomizedUncertainty())
        case .split: .split(SplitUncertainty())
        case .quantile: .quantile(QuantileFilter())
        case .adaptive: .adaptive(QuantileFilter(chance: 0.2, adaptsToPending: true))
        }
    }
}

/// A budget rule and its state. It never queries more than its ledger holds.
public enum StreamRule: Hashable, Sendable {
    case random(RandomSampling)
    case fixed(FixedUncertainty)
    case variable(VariableUncertainty)
    case randomized(RandomizedUncertainty)
    case split(SplitUncertainty)
    case quantile(QuantileFilter)
    case adaptive(QuantileFilter)

    /// Judges one event; called for each event of the stream in its order.
    ///
    /// - Returns: Never a query if the ledger holds no label.
    /// - Complexity: O(1) in the length of the stream.
    public mutating func judge(_ event: StreamEvent, using generator: inout SplitMix64) -> StreamJudgement {
        switch self {
        case .random(let rule): return rule.judge(event, using: &generator)
        case .fixed(let rule): return rule.judge(event)
        case .variable(var rule):
            defer { self = .variable(rule) }
            return rule.judge(event)
        case .randomized(var rule):
            defer { self = .randomized(rule) }
            return rule.judge(event, using: &generator)
        case .split(var rule):
            defer { self = .split(rule) }
            return rule.judge(event, using: &generator)
        case .quantile(var rule):
            defer { self = .quantile(rule) }
            return rule.judge(event, using: &generator)
        case .adaptive(var rule):
            defer { self = .adaptive(rule) }
            return rule.judge(event, using: &generator)
        }
    }

    /// Strategy of the rule.
    public var strategy: StreamStrategy {
        switch self {
        case .random: .random
        case .fixed: .fixed
        case .variable: .variable
        case .randomized: .randomized
        case .split: .split
        case .quantile: .quantile
        case .adaptive: .adaptive
        }
    }
}
