internal import EngineCore
internal import Events
internal import Flywheel
internal import JSON
public import StreamRuntime
internal import Vocabulary

/// Output to the journal and to the dead letters.
extension IntakeProcessor {
    /// Writes an entry to its project's journal, preceded by the revision that it was checked under, if the journal
    /// does not have that revision yet.
    ///
    /// `hasValidToken` states whether its record returned a token: such records have a budget of their own.
    ///
    /// - Throws: When the entry does not fit into a record, or the topic has used up the project's entries of the hour;
    ///   then nothing is written or counted.
    func forward(
        _ entry: JournalEntry,
        _ configuration: ProjectConfiguration,
        hasValidToken: Bool = false,
        into transaction: inout PendingTransaction
    ) throws(RecordRejection) {
        let record = record(entry, configuration)
        guard record.size <= RecordLimits.record else {
            throw RecordRejection(
                .tooLarge,
                "its journal entry would take \(record.size) bytes, of \(RecordLimits.record) that a record may have"
            )
        }
        let input = Self.inputs[current.topic]
        let project = configuration.project
        let isWithin = entryBudget.admits(
            project,
            input,
            size: record.size,
            hasValidToken: hasValidToken,
            at: batchTime,
            // A project's commands are in one partition, by its key: one worker reads them all.
            share: input == .commands ? 1 : share
        )
        guard isWithin else {
            throw RecordRejection(
                .entryBudget,
                "the records of \(topics[input]) have used up the journal entries that project \(project) may have of them in an hour (entry_budget of the worker's file)"
            )
        }
        if !isAnnounced(configuration) {
            announcing[project.rawValue] = configuration.revision
            let revision = self.record(
                JournalEntry(project: entry.project, body: .configured(configuration)),
                configuration
            )
            // The budget had capacity when the revision was adopted, and nothing else uses it.
            _ = entryBudget.admits(project, .projects, size: revision.size, at: batchTime, share: 1)
            transaction.write(revision)
        }
        transaction.write(record)
        pendingCounts.forwarded += 1
    }

    private func record(_ entry: JournalEntry, _ configuration: ProjectConfiguration) -> OutputRecord {
        writer.removeAll()
        entry.write(to: &writer)
        let (key, headers) = entryHeaders(entry, at: recordIDBytes, time: now())
        return OutputRecord(
            topic: topics[.journal],
            partition: configuration.partition,
            key: key,
            // A copy of exact size: the writer's memory is larger, and reused.
            value: writer.bytes.withUnsafeBufferPointer { Array($0) },
            headers: headers
        )
    }

    /// ID of the current record: an entry's id states its origin, so that an entry written twice can be recognized.
    var recordID: String { String(decoding: recordIDBytes, as: UTF8.self) }

    private var recordIDBytes: [UInt8] {
        var bytes = inputPrefixes[current.topic]
        bytes.append(contentsOf: String(current.partition).utf8)
        bytes.append(UInt8(ascii: "/"))
        bytes.append(contentsOf: String(current.offset).utf8)
        return bytes
    }

    /// Writes a refused record to the dead letters.
    ///
    /// Each source of records has a budget there: beyond it, a record is counted and omitted, and the last dead letter
    /// of the transaction states how many were omitted. Every transaction that refuses a record writes at least one
    /// dead letter; for a large record beyond the budget, it writes the beginning of the record. Records that crashed
    /// workers (`poison`) are always kept.
    func deadLetter(
        _ batch: RecordBatch,
        at index: Int,
        because rejection: RecordRejection,
        on topic: String,
        isStub: Bool = false,
        into transaction: inout PendingTransaction
    ) {
        let record = batch.records[index]
        let input = Self.inputs[record.topic]
        let source = DeadLetterSource(input, rejection.code)
        let isBounded = rejection.code != .poison
        var extent = isStub ? DeadLetterRecord.Extent.stub : .whole
        if rejection.code == .tooLarge { extent = Self.extent(ofTooLarge: record.value.count, on: input) }
        let size = min(record.value.count, extent.value)
        let isWithin = !isBounded || deadLetterQuotas[source].admits(size, at: batchTime)
        guard isWithin || pendingDeadLetter == nil else {
            pendingCounts.dropped[rejection.code.rawValue, default: 0] += 1
            leftOut += 1
            return
        }
        if !isWithin { extent = .beginning }
        pendingCounts.dead[rejection.code.rawValue, default: 0] += 1
        sendDeadLetter(into: &transaction)
        pendingDeadLetter = DeadLetterRecord.record(
            to: topics[.deadLetters],
            key: record.key.baseAddress == nil ? nil : Array(record.key),
            value: record.value.baseAddress == nil ? nil : Array(record.value),
            headers: isStub ? [] : batch.headers(at: index),
            cause: DeadLetterRecord.Cause(
                topic: topic,
                partition: record.partition,
                offset: record.offset,
                stage: "intake",
                code: rejection.code.rawValue,
                text: rejection.text,
                worker: worker,
                at: now()
            ),
            extent: extent
        )
        // Key and headers may be larger than the value, and are known only now.
        if isBounded, isWithin, let deadLetter = pendingDeadLetter {
            deadLetterQuotas[source].charge(
                deadLetter.headers.reduce(deadLetter.key?.count ?? 0) {
                    $0 + $1.name.utf8.count + ($1.value?.count ?? 0) + DeadLetterRecord.headerFraming
                }
            )
        }
    }

    /// Returns the extent that is kept of a record that is too large: parts that no configuration would accept are
    /// cut, and the rest may be sent again.
    private static func extent(ofTooLarge size: Int, on topic: Topic) -> DeadLetterRecord.Extent {
        guard size <= recordLimit else { return .beginning }
        var extent = DeadLetterRecord.Extent.whole
        guard !traffic.contains(topic) else { return extent }
        extent.headers = headerLimit + RecordLimits.headerCount * DeadLetterRecord.headerFraming
        extent.key = headerLimit
        return extent
    }

    /// Writes the dead letter that was held back: only with the next one, or the end of the transaction, is it known
    /// how many were omitted after it.
    func sendDeadLetter(into transaction: inout PendingTransaction) {
        guard var deadLetter = pendingDeadLetter else { return }
        if leftOut > 0 { deadLetter.headers.append(RecordHeader(DeadLetterRecord.leftOutHeader, String(leftOut))) }
        transaction.write(deadLetter)
        pendingDeadLetter = nil
        leftOut = 0
    }

    // MARK: - Poison

    public var quarantinesRecords: Bool { true }

    public func quarantine(
        _ batch: RecordBatch,
        topics names: [String],
        because reason: Quarantine,
        into transaction: inout PendingTransaction
    ) throws {
        for (index, record) in batch.records.enumerated() {
            pendingCounts.read += 1
            let rejection = RecordRejection(.poison, reason.text)
            deadLetter(
                batch,
                at: index,
                because: rejection,
                on: names[record.topic],
                isStub: reason.isStubborn,
                into: &transaction
            )
            offsets.note(record)
        }
        offsets.advance(&transaction, topics: names)
    }

    /// Whether an error may be caused by a record: errors of Kafka clients, and of projects that cannot be read, are
    /// not.
    public func isAboutRecord(_ error: any Error) -> Bool { !(error is StreamError) && !(error is EngineError) }
}
