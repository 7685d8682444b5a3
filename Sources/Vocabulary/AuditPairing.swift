/// Agreement of the two models of an audit sample's pair, as far as they have predicted.
public enum AuditStratum: String, Hashable, Sendable, CaseIterable {
    /// Both gave labels that agree wholly.
    case agree
    /// Their labels differ, or the challenger made no prediction in time.
    case disagree
    /// The sample has no pair, or its challenger may still predict it.
    case unknown = "none"
}

/// Facts about an audit candidate that are used when models are judged by its label.
public struct AuditPairing: Hashable, Sendable {
    /// When the candidate entered.
    public let enteredAt: StreamTime
    /// The number of its pair of champion and challenger; nil where it has none.
    public let pair: Int?
    /// Time at which its pair was fixed; meaningless without a pair.
    public let fixedAt: StreamTime
    /// `unknown` while the pair's challenger has made no prediction.
    public let stratum: AuditStratum
    /// The time until which the challenger's answer, requested from a trainer, is awaited; nil if no trainer was asked.
    public let awaitedUntil: StreamTime?

    public init(
        enteredAt: StreamTime,
        pair: Int? = nil,
        fixedAt: StreamTime = StreamTime(milliseconds: 0),
        stratum: AuditStratum = .unknown,
        awaitedUntil: StreamTime? = nil
    ) {
        self.awaitedUntil = awaitedUntil
        self.enteredAt = enteredAt
        self.pair = pair
        self.fixedAt = fixedAt
        self.stratum = stratum
    }

    /// Whether the pair's challenger has made no prediction yet.
    public var isSilent: Bool { pair != nil && stratum == .unknown }

    /// Stratum of the pair once no answer is awaited any more: a missing prediction is a disagreement.
    public var settled: AuditStratum { isSilent ? .disagree : stratum }

    /// Whether the sample may be queried: its pair's challenger has made its prediction, or its time has expired.
    ///
    /// - Parameters:
    ///   - time: Now.
    ///   - wait: Milliseconds that a challenger has, unless a trainer was asked.
    /// - Returns: False while a prediction is still awaited.
    public func isSettled(at time: StreamTime, wait: Int64) -> Bool {
        !isSilent || time >= waitDeadline(wait)
    }

    /// Time at which the wait for the prediction by the pair's challenger ends.
    public func waitDeadline(_ wait: Int64) -> StreamTime {
        awaitedUntil ?? StreamTime(milliseconds: fixedAt.milliseconds.adding(wait))
    }
}

/// Circumstances of the query of an audit sample: its cause, the stratum and the day.
public struct AuditOrigin: Hashable, Sendable {
    /// Whether it was queried because the current pair disagrees; else it was drawn at random.
    public let isDuel: Bool
    /// The stratum when the task opened.
    public let stratum: AuditStratum
    /// The day on which the candidate entered, in days of UTC since 1970-01-01.
    public let day: Int

    public init(isDuel: Bool, stratum: AuditStratum, day: Int) {
        self.isDuel = isDuel
        self.stratum = stratum
        self.day = day
    }
}
