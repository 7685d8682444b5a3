internal import Events
internal import JSON
internal import Vocabulary

/// The reason why a partition of the dataset log cannot be processed any further.
struct PermanentFailure: Error { let reason: String }

/// Reads facts of the dataset log, and checks that none is skipped: a version sealed without a fact would be wrong
/// permanently.
struct FactReader {
    private let parser = JSONParser(maximumDepth: 64, maximumSize: 16 << 20)
    /// The sequence number of the fact read last, by partition and project.
    private var last: [Int32: [String: Int64]] = [:]

    /// Reads the fact in a record.
    ///
    /// - Returns: The fact with its project; nil for a record without a project or sequence number: Flywheel did not
    ///   write it, and no fact is missing without it.
    /// - Throws: `PermanentFailure` for a fact that cannot be read, such as one of a kind this build does not know.
    func read(_ value: UnsafeRawBufferPointer) throws(PermanentFailure) -> (ProjectID, DatasetLogRecord)? {
        guard let json = try? parser.parse(value), let object = try? json.object(),
            let name = try? object.string("project"), let project = ProjectID(checking: name),
            (try? object.int64("sequence")) != nil
        else { return nil }
        do throws(JSONError) {
            return (project, try DatasetLogRecord(json: json))
        } catch {
            let remedy = "upgrade this worker, or find out who wrote to the topic"
            let reason = error.kind == .newerForm ? error.reason : "\(error); \(remedy)"
            throw PermanentFailure(reason: "a fact of project \(project) cannot be read: \(reason)")
        }
    }

    /// Checks that the facts of a project are numbered without a gap; after a restart the first fact may have any
    /// number.
    ///
    /// - Throws: `PermanentFailure` with both numbers.
    func check(_ fact: DatasetLogRecord, of project: ProjectID, in partition: Int32) throws(PermanentFailure) {
        guard let last = last[partition]?[project.rawValue], fact.sequence - 1 != last else { return }
        throw PermanentFailure(
            reason: "fact \(fact.sequence) of project \(project) follows fact \(last); "
                + "find out who wrote to the topic or deleted from it, and restore it from a copy"
        )
    }

    mutating func record(_ fact: DatasetLogRecord, of project: ProjectID, in partition: Int32) {
        last[partition, default: [:]][project.rawValue] = fact.sequence
    }

    /// Continues after facts that were read by an earlier run.
    mutating func resume(_ waiting: WaitingLabels, in partition: Int32) {
        for (project, labels) in waiting.projects { last[partition, default: [:]][project] = labels.sequence }
    }

    /// Removes the record of a partition, which is read again or revoked.
    mutating func forget(_ partition: Int32) { last[partition] = nil }
}
