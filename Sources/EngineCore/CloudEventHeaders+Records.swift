package import Events
package import Flywheel
package import StreamRuntime
internal import Vocabulary

extension CloudEventHeaders {
    /// The headers in the form of record headers.
    package var recordHeaders: [RecordHeader] { pairs.map { RecordHeader($0.0, $0.1) } }

    /// Builds the headers of an entry that Intake or the loop's timers write. The id names its origin: a position
    /// in a topic, or a time.
    package static func entry(
        _ entry: JournalEntry,
        id: String,
        role: Role,
        time: Int64,
        causation: String? = nil
    ) -> CloudEventHeaders {
        CloudEventHeaders(
            id: id,
            source: "flywheel/\(entry.project)/\(role.rawValue)",
            type: "io.flywheel.entry.\(entry.body.kind).v1",
            time: time,
            correlation: nil,
            causation: causation
        )
    }
}
