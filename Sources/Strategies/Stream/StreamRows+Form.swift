public import Forms

extension StreamFilter: Formed {
    @inlinable public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        let rule = try f("rule", \.rule, Nested<StreamRule>())
        let ledger = try f("ledger", \.ledger, Nested<ShareLedger>())
        let passedOver = try f("passed_over", \.passedOver, Count.counted, implied: 0)
        self.init(rule: rule, ledger: ledger, passedOver: passedOver)
    }
}

extension ShareLedger: Formed {
    @inlinable public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        let credit = try f("credit_millionths", \.credit, Integer.any)
        let events = try f("events", \.events, Count(0...1 << 53))
        self.init(credit: credit, events: events, queried: try f("asked", \.queried, Count(0...1 << 53)))
    }
}

extension QuantileFilter: Formed {
    @inlinable public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        self.init(
            chance: try f("chance", \.chance, Number.any),
            adaptsToPending: try f("heeds_pending", \.adaptsToPending, Flag()),
            recent: try f("recent", \.recent, ListOf(Number.any)),
            next: try f("next", \.next, Count.any)
        )
    }
}

extension StreamRule: Formed {
    @usableFromInline var threshold: Double {
        switch self {
        case .random, .quantile, .adaptive: 0
        case .fixed(let rule): rule.threshold
        case .variable(let rule): rule.threshold
        case .randomized(let rule): rule.variable.threshold
        case .split(let rule): rule.variable.threshold
        }
    }

    @usableFromInline var filter: QuantileFilter {
        switch self {
        case .quantile(let filter), .adaptive(let filter): filter
        default: QuantileFilter()
        }
    }

    @inlinable public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        let (key, any): (StaticString, Number) = ("threshold", .any)
        switch try f.tag("strategy", \.strategy) {
        case .random: self = .random(RandomSampling())
        case .fixed: self = .fixed(FixedUncertainty(threshold: try f(key, \.threshold, any)))
        case .variable: self = .variable(VariableUncertainty(threshold: try f(key, \.threshold, any)))
        case .randomized: self = .randomized(RandomizedUncertainty(threshold: try f(key, \.threshold, any)))
        case .split: self = .split(SplitUncertainty(threshold: try f(key, \.threshold, any)))
        case .quantile: self = .quantile(try f.flattened(\.filter))
        case .adaptive: self = .adaptive(try f.flattened(\.filter))
        }
    }
}
