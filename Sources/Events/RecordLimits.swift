public import Flywheel
internal import JSON
public import Vocabulary

/// Size limits of written records, in bytes of the encoded form: escapes, base64 and structure included.
///
/// A broker accepts records of up to 1,048,588 bytes unless configured otherwise. The sizes here are known before a
/// transaction begins, so that no record aborts it: every record that Intake accepts results in entries, tasks and
/// facts that every topic accepts.
///
///     task   = vocabulary (question, classes) + sample without its embedding + the rest
///     fact   = sample with its embedding + votes (100 at most) + the rest
///     entry  = the parsed content of a record + the record as received
public enum RecordLimits {
    /// A record with its key, headers and framing.
    public static let record = 1_040_000
    /// A sample without its embedding, as `labeling-tasks` has it.
    public static let sample = 200_000
    /// Question and classes of a project, for `project apply`: with the largest sample they make a task.
    public static let vocabulary = 800_000
    /// Bytes of the other parts of a task: ids, the reason of its choice with all triggers, headers.
    public static let taskRest = 16_384
    /// Bytes of the entry of a label or version in a tally beside the class's name: quotes, colon, comma and the count.
    public static let tallyCount = 24
    /// Bytes of class names with their counts that one record of `tallies` holds at most; with more there are several.
    public static let tallyClasses = 900_000
    /// The text of a dead letter's reason.
    public static let reason = 4_096
    /// Headers of a record that the journal keeps beside its value.
    public static let headerCount = 256
    /// Bytes of the version's number in an announcement of the materializer.
    public static let semanticVersion = 64

    /// Bytes of a text between its quotes.
    ///
    /// - Complexity: O(*n*).
    public static func encodedSize(of text: String) -> Int { EncodedText.size(of: text) }
}

extension Question {
    /// Bytes of question and classes as a task contains them.
    ///
    /// - Complexity: O(*n*) in them.
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
    /// - Returns: The reason if they cannot, or nil.
    /// - Complexity: O(*n*) in the bytes of the configuration.
    public func sizeFault(isNew: Bool) -> String? {
        let (words, limit) = (question.encodedSize, RecordLimits.vocabulary)
        if isNew, words > limit {
            return
                "question and classes take \(words) bytes, of \(limit) that leave room for a sample on a task: shorten names, or use fewer classes"
        }
        let entry = JournalEntry(project: project, body: .configured(self)).jsonBytes.count + 1_024
        guard entry > RecordLimits.record else { return nil }
        return "the revision takes \(entry) bytes, of \(RecordLimits.record) that a record may have"
    }
}
