public import Statistics

/// Queries the events with the highest scores among the last hundred, as many as the budget's share; the threshold is
/// lowered while unused budget builds up.
///
/// Two features can be added. A part of the stream selected at random finds samples on which the model is wrongly
/// confident. And while labels are pending that the model does not know yet, its scores are outdated: the same
/// kind of sample would be queried until they arrive. The more labels are pending, the more of the last scores are
/// accepted, up to two thirds, so that the budget is spent evenly on all samples except those on which the model is
/// most confident.
///
/// - SeeAlso: Kottke, Krempl, Spiliopoulou (2015), *Probabilistic Active Learning in Datastreams*,
///   doi:10.1007/978-3-319-24465-5_13 (balanced incremental quantile filter).
public struct QuantileFilter: Hashable, Sendable {
    /// Scores that a new one is compared with.
    public static let window = 100
    /// Labels of unused budget that lower the threshold by the whole range.
    public static let slack = 5.0
    /// Largest part of the last scores that is accepted because of pending labels.
    public static let widest = 2.0 / 3
    /// Number of pending labels that raises the accepted part halfway to `widest`.
    public static let halfwayPending = 5.0

    /// The part of the stream that is judged at random, in `0...1`.
    public let chance: Double
    /// Whether the threshold is lowered while labels are pending.
    public let adaptsToPending: Bool
    /// The last scores, at most `window`; the oldest is the next to be replaced.
    public private(set) var recent: [Double]
    /// Index at which the next score is stored.
    public private(set) var next: Int

    /// A filter, empty or as it was stored.
    public init(chance: Double = 0, adaptsToPending: Bool = false, recent: [Double] = [], next: Int = 0) {
        self.chance = chance
        self.adaptsToPending = adaptsToPending
        self.recent = Array(recent.prefix(Self.window))
        self.next = self.recent.indices.contains(next) ? next : 0
    }

    /// - Complexity: O(`window`).
    public mutating func judge(_ event: StreamEvent, using generator: inout SplitMix64) -> StreamJudgement {
        let draw = generator.nextUnit()
        let passes = probabilityOfPassing(event)
        remember(event.score)
        guard event.canQuery else { return .no }
        let propensity = chance * event.share.value + (1 - chance) * passes
        return StreamJudgement(isQueried: draw < propensity, propensity: propensity)
    }

    /// 1 above the threshold and 0 below it; of equal scores, as many are accepted as the threshold has capacity for.
    private func probabilityOfPassing(_ event: StreamEvent) -> Double {
        var reach = event.share.value + event.credit / Self.slack
        if adaptsToPending, reach < Self.widest {
            let pending = Double(max(0, event.pending))
            reach += (Self.widest - reach) * pending / (pending + Self.halfwayPending)
        }
        var (above, equal) = (0, 0)
        for score in recent {
            if score > event.score { above += 1 } else if score == event.score { equal += 1 }
        }
        let room = reach * Double(recent.count) - Double(above)
        guard equal > 0 else { return recent.isEmpty || room > 0 ? 1 : 0 }
        return min(1, max(0, room / Double(equal)))
    }

    private mutating func remember(_ score: Double) {
        guard recent.count == Self.window else {
            recent.append(score)
            return
        }
        recent[next] = score
        next = (next + 1) % Self.window
    }
}
