internal import EngineCore
internal import Events
internal import Flywheel
internal import JSON
internal import StreamRuntime

extension RecordView {
    /// The entry that a record of the journal holds.
    ///
    /// - Returns: Nil of one that cannot be read: the loop does not apply it either.
    /// - Throws: `EngineError` of one that only a newer build can read; what follows from it cannot be known here.
    func journalEntry(_ parser: JSONParser) throws(EngineError) -> JournalEntry? {
        do throws(JSONError) {
            return try JournalEntry(json: parser.parse(value))
        } catch {
            guard error.kind == .newerForm else { return nil }
            throw EngineError(
                "read the entry at offset \(offset) of partition \(partition) of the journal",
                error.reason,
                remedy: "run this command of the build that the workers run"
            )
        }
    }
}
