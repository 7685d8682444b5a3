/// Ledger of queried labels against observed events: at every point of the stream, queried ≤ burst + share × events.
///
/// Every event adds its share of a label to the credit, and a query subtracts one whole label from it. All numbers are
/// integers, so nothing drifts. The usual estimate of the labels spent, a moving average of labels over the last
/// hundred events, allows 46 % more at a share of 1 %.
///
/// - SeeAlso: Žliobaitė, Bifet, Pfahringer, Holmes (2014), *Active Learning With Drifting Streaming Data*,
///   doi:10.1109/TNNLS.2012.2236570, for the estimate that this replaces.
public struct ShareLedger: Hashable, Sendable {
    /// Saved credit, in millionths of a label; never negative.
    public private(set) var credit: Int64
    /// Events seen.
    public private(set) var events: Int
    /// Queried labels.
    public private(set) var queried: Int

    /// A ledger before the first event.
    ///
    /// - Parameter burst: Labels that may be queried ahead of the stream; below 0 counts as 0.
    public init(burst: Int = 0) {
        self.init(credit: Int64(min(max(0, burst), Self.maximumSavings)) * LabelShare.whole, events: 0, queried: 0)
    }

    /// A ledger as it was stored.
    public init(credit: Int64, events: Int, queried: Int) {
        self.credit = max(0, credit)
        self.events = events
        self.queried = queried
    }

    /// Labels that can be queried now, including the fraction of the next; at least 0.
    public var labels: Double { Double(credit) / Double(LabelShare.whole) }

    /// Whether the credit holds a whole label.
    public var canQuery: Bool { credit >= LabelShare.whole }

    /// Records one more event of the stream.
    ///
    /// - Parameters:
    ///   - share: Share of a label that the event adds to the credit.
    ///   - savings: Labels that unused credit may grow to, at least 1; credit above it, as from a burst, is kept.
    public mutating func observe(_ share: LabelShare, savings: Int?) {
        events += 1
        let most = Int64(min(max(1, savings ?? Self.maximumSavings), Self.maximumSavings)) * LabelShare.whole
        if credit < most { credit = min(most, credit + share.millionths) }
    }

    /// Subtracts a label from the credit; returns false, and changes nothing, if there is no whole label.
    public mutating func spendLabel() -> Bool {
        guard canQuery else { return false }
        credit -= LabelShare.whole
        queried += 1
        return true
    }

    /// Limit on credit and burst in labels: more than any project queries, and its millionths fit in `Int64`.
    private static let maximumSavings = 1_000_000_000
}
