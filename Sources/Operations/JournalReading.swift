internal import EngineCore
internal import Events
internal import Flywheel
internal import JSON
internal import StreamRuntime

extension RecordView {
    /// The entry that a record of the journal holds.
    ///
    /// - Returns: The entry; nil if it cannot be read: the loop does not apply such an entry either.
    /// - Throws: `EngineError` if only a newer build can read the entry: its effect cannot be known here.
    func journalEntry(_ parser: JSONParser) throws(EngineError) -> JournalEntry? {
        do throws(JSONError) {
            return try JournalEntry(json: parser.parse(value))
        } catch {
            guard error.kind == .newerForm else { return nil }
            throw EngineError(
                "read the entry at offset \(offset) of partition \(partition) of the journal",
                error.reason,
                remedy: "run this command with the build that the workers run"
            )
        }
    }
}
