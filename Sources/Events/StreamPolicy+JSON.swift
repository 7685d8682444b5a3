public import Acquisition
public import JSON

extension StreamPolicy: JSONCodable {
    /// The most labels that `burst` and `savings` may name.
    public static let longestSavings = 1_000_000

    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        self.init(
            strategy: try object.choice("strategy"),
            share: try object.share("share"),
            burst: try object.optionalInt("burst", in: 0...Self.longestSavings) ?? 0,
            savings: try object.optionalInt("savings", in: 1...Self.longestSavings)
        )
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("strategy", strategy.rawValue)
            writer.member("share", share.value)
            writer.member("burst", burst)
            writer.member("savings", ifPresent: savings)
        }
    }
}
