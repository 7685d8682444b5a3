internal import EngineCore
internal import Events
internal import Flywheel
internal import JSON
internal import StreamRuntime
internal import Vocabulary

/// Application of entries, and writing of their decisions to the topics.
extension LoopProcessor {
    func processEntry(
        _ record: RecordView,
        at index: Int,
        of batch: RecordBatch,
        in partition: LoopPartition,
        into transaction: inout PendingTransaction
    ) throws(JSONError) {
        if let name = pausedProject(of: record, partition) {
            return skipEntry(record, name, partition)
        }
        guard let entry = try decode(record, at: index, of: batch, into: &transaction) else { return }
        let name = entry.project.rawValue
        // The key need not name the entry's project, although all keys that Flywheel writes do.
        if partition.paused.contains(name) { return skipEntry(record, name, partition) }
        apply(entry, from: record, of: name, in: partition, into: &transaction)
    }

    /// Decodes an entry; nil for an entry that cannot be read, which is written to the dead letters.
    ///
    /// - Throws: `.newerForm` only: a dead letter would drop an entry that a newer build can read, and decisions would
    ///   differ.
    func decode(_ record: RecordView, at index: Int, of batch: RecordBatch, into transaction: inout PendingTransaction)
        throws(JSONError)
        -> JournalEntry?
    {
        do throws(JSONError) {
            return try JournalEntry(json: parser.parse(record.value))
        } catch {
            guard error.kind != .newerForm else { throw error }
            pendingCounts.unreadable += 1
            deadLetter(
                key: record.key,
                value: record.value,
                headers: batch.headers(at: index),
                because: cause(
                    topic: topics[.journal],
                    partition: record.partition,
                    offset: record.offset,
                    code: "unreadable_entry",
                    text: error.description
                ),
                into: &transaction
            )
            return nil
        }
    }

    func apply(
        _ entry: JournalEntry,
        from record: RecordView,
        of name: String,
        in partition: LoopPartition,
        into transaction: inout PendingTransaction
    ) {
        // Mutated in place: a project is too large to be removed and stored again for every entry.
        let decisions = partition.projects[name, default: LoopProject(project: entry.project)]
            .apply(entry, appendedAt: StreamTime(milliseconds: record.timestamp), offset: record.offset)
        pendingCounts.entries += 1
        for decision in decisions { write(decision, of: entry, from: record, into: &transaction) }
    }

    func write(
        _ decision: EncodedDecision,
        of entry: JournalEntry,
        from record: RecordView,
        into transaction: inout PendingTransaction
    ) {
        pendingCounts.decisions += 1
        if let refusal = decision.refusal {
            pendingCounts.refused[refusal.code.rawValue, default: 0] += 1
            guard decision.topic != nil else { return }
            let origin = entry.origin
            let why = cause(
                topic: origin?.topic ?? topics[.journal],
                partition: origin?.partition ?? record.partition,
                offset: origin?.offset ?? record.offset,
                code: refusal.code.rawValue,
                text: refusal.text
            )
            transaction.write(
                DeadLetterRecord.record(
                    to: topics[.deadLetters],
                    key: origin?.key,
                    value: origin?.value ?? Array(record.value),
                    headers: origin?.headers.map { RecordHeader($0.name, $0.value) } ?? [],
                    cause: why
                )
            )
            return
        }
        guard let topic = decision.topic else { return }
        // The token is added here and not in the decision, so that replay needs no secret.
        let token = decision.answerableID.map { tokens.token(on: topics[topic], of: entry.project, for: $0) }
        transaction.write(
            OutputRecord(
                topic: topics[topic],
                partition: record.partition,
                key: Array(decision.key.utf8),
                value: token?.added(to: decision.value) ?? decision.value,
                headers: decision.headers.recordHeaders
            )
        )
    }

    func cause(topic: String, partition: Int32, offset: Int64, code: String, text: String)
        -> DeadLetterRecord.Cause
    {
        DeadLetterRecord.Cause(
            topic: topic,
            partition: partition,
            offset: offset,
            stage: "loop",
            code: code,
            text: text,
            worker: worker,
            at: now()
        )
    }

    func deadLetter(
        key: UnsafeRawBufferPointer,
        value: UnsafeRawBufferPointer,
        headers: [RecordHeader],
        because cause: DeadLetterRecord.Cause,
        into transaction: inout PendingTransaction
    ) {
        transaction.write(
            DeadLetterRecord.record(
                to: topics[.deadLetters],
                key: key.baseAddress == nil ? nil : Array(key),
                value: value.baseAddress == nil ? nil : Array(value),
                headers: headers,
                cause: cause
            )
        )
    }
}
