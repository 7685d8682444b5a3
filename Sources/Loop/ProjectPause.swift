public import Events
public import JSON

/// Pause of a project: why its entries wait, and the position at which they continue; a row of `state` beside its
/// tables.
public struct ProjectPause: Hashable, Sendable, JSONCodable {
    /// The journal offset of the first entry that is not applied.
    public internal(set) var next: Int64
    /// Start of the pause, in milliseconds since 1970.
    public let since: Int64
    /// Reason of the pause, for people.
    public internal(set) var reason: String
    /// Whether resuming was requested: its entries are read again, up to the position of the others.
    public internal(set) var isResuming = false
    /// Number of workers that died while reading the entry at `next` again.
    var deaths = 0
    /// Whether the entry at `next` is about to be read again, alone, with no other entry in hand.
    var isInHand = false

    static let table = "loop.pause"

    package static func key(of project: String) -> String { "\(project)/\(table)/_" }

    init(next: Int64, since: Int64, reason: String) {
        self.next = next
        self.since = since
        self.reason = reason
    }

    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        next = max(0, try object.int64("next"))
        since = try object.int64("since_ms")
        reason = try object.string("reason")
        isResuming = try object.bool("resuming")
        deaths = try object.int("deaths", in: 0...Counting.limit)
        isInHand = try object.optionalBool("in_hand") ?? false
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("next", next)
            writer.member("since_ms", since)
            writer.member("reason", reason)
            writer.member("resuming", isResuming)
            writer.member("deaths", deaths)
            if isInHand { writer.member("in_hand", true) }
        }
    }

    /// One line for people.
    public var text: String {
        isResuming ? "resuming from journal offset \(next)" : "paused at journal offset \(next): \(reason)"
    }
}
