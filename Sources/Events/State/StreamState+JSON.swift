public import Acquisition
public import JSON
internal import Vocabulary

extension StreamFilter: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        self.init(rule: try object.value("rule"), ledger: try object.value("ledger"))
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("rule", rule)
            writer.member("ledger", ledger)
        }
    }
}

extension ShareLedger: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        self.init(
            credit: try object.int64("credit_millionths"),
            events: try object.int("events", in: 0...Int.max),
            asked: try object.int("asked", in: 0...Int.max)
        )
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("credit_millionths", credit)
            writer.member("events", events)
            writer.member("asked", asked)
        }
    }
}

extension StreamRule: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        let strategy: StreamStrategy = try object.choice("strategy")
        switch strategy {
        case .random: self = .random(RandomSampling())
        case .fixed: self = .fixed(FixedUncertainty(threshold: try object.double("threshold")))
        case .variable: self = .variable(VariableUncertainty(threshold: try object.double("threshold")))
        case .randomized: self = .randomized(RandomizedUncertainty(threshold: try object.double("threshold")))
        case .split: self = .split(SplitUncertainty(threshold: try object.double("threshold")))
        case .quantile, .adaptive:
            let filter = QuantileFilter(
                chance: try object.double("chance"),
                heedsPending: try object.bool("heeds_pending"),
                recent: try object.doubles("recent"),
                next: try object.int("next")
            )
            self = strategy == .quantile ? .quantile(filter) : .adaptive(filter)
        }
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("strategy", strategy.rawValue)
            switch self {
            case .random: break
            case .fixed(let rule): writer.member("threshold", rule.threshold)
            case .variable(let rule): writer.member("threshold", rule.threshold)
            case .randomized(let rule): writer.member("threshold", rule.variable.threshold)
            case .split(let rule): writer.member("threshold", rule.variable.threshold)
            case .quantile(let filter), .adaptive(let filter):
                writer.member("chance", filter.chance)
                writer.member("heeds_pending", filter.heedsPending)
                writer.array("recent", of: filter.recent)
                writer.member("next", filter.next)
            }
        }
    }
}

extension SliceAccount: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        self.init(
            firstAskedAt: try object.time("first_asked_at_ms"),
            windowStart: try object.time("window_start_ms"),
            votes: try object.int("votes")
        )
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("first_asked_at_ms", firstAskedAt)
            writer.member("window_start_ms", windowStart)
            writer.member("votes", votes)
        }
    }
}
