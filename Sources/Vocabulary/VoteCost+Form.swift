public import Forms

extension VoteCost: Formed {
    public static let standard: VoteCost? = VoteCost()

    public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        let (time, price) = (Span(0...Self.longestTime), Whole<Int64>(0...Self.highestPrice))
        maximumTime = try f("maximum_time", \.maximumTime, time, doc: "The most of a person's time charged for a vote.")
        perVote = try f("vote_micros", \.perVote, price, doc: "Money for each vote, in millionths.")
        perSecond = try f("second_micros", \.perSecond, price, doc: "Money for each second charged, in millionths.")
    }
}
