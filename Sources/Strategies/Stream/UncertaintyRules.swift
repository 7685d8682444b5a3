public import Statistics

/// Queries every event with the same probability: the share itself.
public struct RandomSampling: Hashable, Sendable {
    public init() {}

    public func judge(_ event: StreamEvent, using generator: inout SplitMix64) -> StreamJudgement {
        let draw = generator.nextUnit()
        guard event.canQuery else { return .no }
        return StreamJudgement(isQueried: draw < event.share.value, propensity: event.share.value)
    }
}

/// Queries every event for which the model's confidence is below a fixed threshold.
///
/// If the confidence is never below the threshold, nothing is queried, whatever changes.
///
/// - SeeAlso: Žliobaitė et al. (2014), doi:10.1109/TNNLS.2012.2236570, strategy *fixed uncertainty*.
public struct FixedUncertainty: Hashable, Sendable {
    /// Confidence below which an event is queried, in `0...1`.
    public let threshold: Double

    public init(threshold: Double = 0.9) { self.threshold = threshold }

    public func judge(_ event: StreamEvent) -> StreamJudgement {
        guard event.canQuery, event.confidence < threshold else { return .no }
        return StreamJudgement(isQueried: true, propensity: 1)
    }
}

/// A threshold on the model's confidence that falls with every query and rises with every event that is not queried.
///
/// It moves only while the budget holds a label. So with a confident model the events of least confidence are queried,
/// and with an uncertain model not all events are queried at once.
///
/// - SeeAlso: Žliobaitė et al. (2014), doi:10.1109/TNNLS.2012.2236570, strategy *variable uncertainty*.
public struct VariableUncertainty: Hashable, Sendable {
    /// Relative change of the threshold with each event.
    public static let step = 0.01

    /// Confidence below which an event is queried now; above 0.
    public private(set) var threshold: Double

    public init(threshold: Double = 1) { self.threshold = threshold }

    public mutating func judge(_ event: StreamEvent) -> StreamJudgement {
        guard event.canQuery else { return .no }
        let isQueried = event.confidence < threshold
        move(isQueried)
        return StreamJudgement(isQueried: isQueried, propensity: isQueried ? 1 : 0)
    }

    mutating func move(_ queried: Bool) { threshold *= queried ? 1 - Self.step : 1 + Self.step }
}

/// Variable threshold that is randomized about its own value for every event, so that any part of the space may
/// be queried.
///
/// - SeeAlso: Žliobaitė et al. (2014), doi:10.1109/TNNLS.2012.2236570, strategy *variable uncertainty with randomization*.
public struct RandomizedUncertainty: Hashable, Sendable {
    public private(set) var variable: VariableUncertainty

    public init(threshold: Double = 1) { variable = VariableUncertainty(threshold: threshold) }

    public mutating func judge(_ event: StreamEvent, using generator: inout SplitMix64) -> StreamJudgement {
        let draw = generator.nextUnit()
        guard event.canQuery else { return .no }
        // The probability that the threshold times a normal variate of mean 1 and deviation 1 exceeds the confidence.
        let propensity = 1 - Reproducible.normalCDF(event.confidence / variable.threshold - 1)
        let isQueried = draw < propensity
        variable.move(isQueried)
        return StreamJudgement(isQueried: isQueried, propensity: propensity)
    }
}

/// A part of the stream is selected at random, the rest by a variable threshold: a change of the data is also observed
/// where the model is sure.
///
/// - SeeAlso: Žliobaitė et al. (2014), doi:10.1109/TNNLS.2012.2236570, strategy *split*.
public struct SplitUncertainty: Hashable, Sendable {
    /// The part of the stream that is selected at random.
    public static let chance = 0.2

    public private(set) var variable: VariableUncertainty

    public init(threshold: Double = 1) { variable = VariableUncertainty(threshold: threshold) }

    public mutating func judge(_ event: StreamEvent, using generator: inout SplitMix64) -> StreamJudgement {
        let (branch, draw) = (generator.nextUnit(), generator.nextUnit())
        guard event.canQuery else { return .no }
        let isUncertain = event.confidence < variable.threshold
        let propensity = Self.chance * event.share.value + (isUncertain ? 1 - Self.chance : 0)
        guard branch < Self.chance else {
            variable.move(isUncertain)
            return StreamJudgement(isQueried: isUncertain, propensity: propensity)
        }
        return StreamJudgement(isQueried: draw < event.share.value, propensity: propensity)
    }
}
