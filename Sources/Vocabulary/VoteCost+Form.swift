public import Forms

extension VoteCost: Formed {
    public static let standard: VoteCost? = VoteCost()

    public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        let (time, price) = (Span(0...Self.longestTime), Integer<Int64>(0...Self.highestPrice))
        maximumTime = try f(
            "maximum_time",
            \.maximumTime,
            time,
            doc: "Working time that is reserved for a vote, and the most that is charged for it."
        )
        perVote = try f("vote_micros", \.perVote, price, doc: "Price of a vote, in millionths of your unit of money.")
        perSecond = try f(
            "second_micros",
            \.perSecond,
            price,
            doc: "Price of each second of the time charged, in millionths of your unit of money."
        )
    }
}
