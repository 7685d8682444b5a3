public import Flywheel
internal import JSON
public import Vocabulary

/// Size limits of written records, in bytes of the encoded form: escapes, base64 and structure included.
///
/// A broker accepts records of up to 1,048,588 bytes unless configured otherwise. The sizes here are known before a
/// transaction begins, so that no record aborts it: every record that Intake accepts results in entries, tasks and
/// facts that every topic accepts.
///
///     task   = question with its classes + sample without its embedding + the rest
///     fact   = sample with its embedding + votes (100 at most) + the rest
///     entry  = the parsed content of a record + the record as received
public enum RecordLimits {
    /// Maximum size of a record with its key, headers and framing.
    public static let record = 1_040_000
    /// Maximum size of a sample without its embedding, as `labeling-tasks` contains it.
    public static let sample = 200_000
    /// Maximum size of the question and classes of a project, checked by `project apply`: together with the largest
    /// sample they must fit in a task.
    public static let question = 800_000
    /// Bytes of the other parts of a task: ids, the reason of its choice with all triggers, headers.
    public static let taskOverhead = 16_384
    /// Bytes that a class adds to a tally besides its name: quotes, colon, comma and the count.
    public static let tallyClassOverhead = 24
    /// Maximum number of bytes of class names with their counts in one record of `tallies`; more are split over several
    /// records.
    public static let tallyClassBytes = 900_000
    /// Maximum size of the text of a dead letter's reason.
    public static let reason = 4_096
    /// Maximum number of headers of a record that the journal keeps beside its value.
    public static let headerCount = 256
    /// Maximum size of the semantic version in an announcement of the materializer.
    public static let semanticVersion = 64

    /// Bytes of a text in the encoded form, without the quotes.
    ///
    /// - Complexity: O(*n*).
    public static func encodedSize(of text: String) -> Int { EncodedText.size(of: text) }
}

extension Question {
    /// Bytes of question and classes as a task contains them.
    ///
    /// - Complexity: O(*n*) in the bytes.
    public var encodedSize: Int {
        var writer = JSONWriter()
        writer.object { writer in writeTaskMembers(&writer) }
        return writer.bytes.count
    }
}

extension Sample {
    /// Bytes of the sample without its embedding as a task contains it: no more than it had as received.
    ///
    /// - Complexity: O(*n*) in its content.
    public var encodedSize: Int {
        var writer = JSONWriter()
        write(to: &writer, withEmbedding: false)
        return writer.bytes.count
    }
}

extension ProjectConfiguration {
    /// Checks whether records can hold the data that the project's classes require.
    ///
    /// - Parameter isNew: Whether the configuration is about to be applied: then the largest sample must fit beside the
    ///   classes. A configuration in force stays in force as long as it can be written at all.
    /// - Returns: The reason why records cannot hold the data; nil if they can.
    /// - Complexity: O(*n*) in the bytes of the configuration.
    public func sizeFault(isNew: Bool) -> String? {
        let (size, limit) = (question.encodedSize, RecordLimits.question)
        if isNew, size > limit {
            return
                "question and classes take \(size) bytes, of \(limit) that leave room for a sample on a task: shorten names, or use fewer classes"
        }
        let entrySize = JournalEntry(project: project, body: .configured(self)).jsonBytes.count + 1_024
        guard entrySize > RecordLimits.record else { return nil }
        return "the revision takes \(entrySize) bytes, of \(RecordLimits.record) that a record may have"
    }
}
