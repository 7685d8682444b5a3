public import JSON
public import Vocabulary

extension VoteCost: JSONCodable {
    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        let price = 0...Int(VoteCost.highestPrice)
        self.init(
            maximumTime: Int64(try object.int("maximum_time_ms", in: 0...Int(VoteCost.longestTime))),
            perVote: Int64(try object.int("vote_micros", in: price)),
            perSecond: Int64(try object.int("second_micros", in: price))
        )
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("maximum_time_ms", maximumTime)
            writer.member("vote_micros", perVote)
            writer.member("second_micros", perSecond)
        }
    }
}
