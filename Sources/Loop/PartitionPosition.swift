public import Events
public import JSON

/// Position of the loop in a partition; every transaction of the partition writes one record of it.
public struct PartitionPosition: Hashable, Sendable, JSONCodable {
    /// The next journal offset.
    public let journalOffset: Int64
    public let clusterID: String
    public let build: String
    /// Identifier given when the partition's state begins, and kept: a `state` topic that was created again has another
    /// one. Empty in states that older builds wrote.
    public let history: String

    /// The version of the forms in `state`; a later one is refused.
    public static let formVersion = 1
    /// Key of the record that holds the position.
    public static let key = "position"

    public init(journalOffset: Int64, clusterID: String, build: String, history: String = "") {
        self.history = history
        self.journalOffset = journalOffset
        self.clusterID = clusterID
        self.build = build
    }

    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        let version = try object.int("v")
        guard version <= Self.formVersion else {
            throw object.failure("v", "this state was written by a newer build; upgrade this worker")
        }
        journalOffset = try object.int64("journal_offset")
        clusterID = try object.string("cluster_id")
        build = try object.string("build")
        history = try object.optionalString("history") ?? ""
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("v", Self.formVersion)
            writer.member("journal_offset", journalOffset)
            writer.member("cluster_id", clusterID)
            writer.member("build", build)
            if !history.isEmpty { writer.member("history", history) }
        }
    }
}
