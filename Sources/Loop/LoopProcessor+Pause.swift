internal import EngineCore
internal import Events
internal import Flywheel
internal import JSON
public import StreamRuntime
internal import Vocabulary

/// Pausing of projects: a project with an entry that crashes workers waits, and the others of its partition continue.
extension LoopProcessor {
    public var quarantinesRecords: Bool { true }

    /// False for errors of the broker, which are no fault of the entry.
    public func isAboutRecord(_ error: any Error) -> Bool { !(error is StreamError) && !(error is EngineError) }

    public func quarantine(
        _ batch: RecordBatch,
        topics names: [String],
        because reason: Quarantine,
        into transaction: inout PendingTransaction
    ) throws {
        for (index, record) in batch.records.enumerated() {
            guard let partition = partitions[record.partition] else {
                throw EngineError("pass over an entry", "partition \(record.partition) is not assigned")
            }
            if Self.inputs[record.topic] == .tallies {
                // Tallies inform and never decide.
                partition.tallies.skip(offset: record.offset, now: now())
                continue
            }
            if let stop = partition.stop, record.offset >= stop.offset { continue }
            if let name = projectName(of: record) {
                pause(
                    name,
                    at: record.offset,
                    because: reason.text,
                    isReported: !reason.isStubborn,
                    number: record.partition,
                    in: partition,
                    into: &transaction
                )
            } else {
                // The record belongs to no project that could be paused.
                let why = cause(
                    topic: topics[.journal],
                    partition: record.partition,
                    offset: record.offset,
                    code: "poison",
                    text: reason.text
                )
                deadLetter(
                    key: record.key,
                    value: record.value,
                    headers: reason.isStubborn ? [] : batch.headers(at: index),
                    because: why,
                    into: &transaction
                )
            }
            partition.journalOffset = record.offset + 1
            partition.isTouched = true
            transaction.advance(TopicPartition(names[record.topic], record.partition), to: record.offset + 1)
        }
    }

    /// Name of the project according to the record's key; the value is not read, because it may crash every worker.
    func projectName(of record: RecordView) -> String? {
        guard record.key.baseAddress != nil, record.key.count <= 64 else { return nil }
        return ProjectID(checking: String(decoding: record.key, as: UTF8.self))?.rawValue
    }

    private func pause(
        _ name: String,
        at offset: Int64,
        because reason: String,
        isReported: Bool,
        number: Int32,
        in partition: LoopPartition,
        into transaction: inout PendingTransaction
    ) {
        // Records after its pause are not processed anyway.
        guard !partition.paused.contains(name) else { return }
        if partition.projects[name] == nil { partition.projects[name] = LoopProject(project: ProjectID(name)) }
        let pause = ProjectPause(next: offset, since: now(), reason: reason)
        partition.pause(name, pause)
        pauseChanges.append((name, pause))
        guard isReported else { return }
        let text =
            "paused at journal offset \(offset): \(reason); once the cause is mended: flywheel project resume \(name)"
        writeNotice(
            name,
            notice: Notice(kind: .projectPaused, text: text),
            id: "paused-\(offset)",
            number: number,
            into: &transaction
        )
    }

    /// Writes a notice that follows from no entry; replay does not search for it.
    func writeNotice(
        _ name: String,
        notice: Notice,
        id: String,
        number: Int32,
        into transaction: inout PendingTransaction
    ) {
        var writer = JSONWriter()
        notice.write(to: &writer, project: ProjectID(name))
        let headers = CloudEventHeaders(
            id: "\(name)-\(id)",
            source: "flywheel/\(name)/loop",
            type: "io.flywheel.notice.given.v1",
            time: now(),
            correlation: nil,
            causation: nil
        )
        transaction.write(
            OutputRecord(
                topic: topics[.notices],
                partition: number,
                key: Array(name.utf8),
                value: writer.bytes,
                headers: headers.recordHeaders
            )
        )
    }

    // MARK: - Behind a pause

    /// The name of the paused project that a record belongs to, by its key alone.
    func pausedProject(of record: RecordView, _ partition: LoopPartition) -> String? {
        guard !partition.paused.isEmpty, record.key.baseAddress != nil else { return nil }
        let name = String(decoding: record.key, as: UTF8.self)
        return partition.paused.contains(name) ? name : nil
    }

    /// Skips an entry of a paused project, which is applied when the project is read again. Only a request to resume is
    /// processed now.
    func skipEntry(_ record: RecordView, _ name: String, _ partition: LoopPartition) {
        guard var pause = partition.projects[name]?.pause, !pause.isResuming, isResumeRequest(record) else { return }
        pause.isResuming = true
        pause.deaths = 0
        partition.pause(name, pause)
        pauseChanges.append((name, pause))
    }

    /// Whether a record is a request to resume; decodes no more of it than necessary.
    private func isResumeRequest(_ record: RecordView) -> Bool {
        guard record.value.baseAddress != nil, let json = try? parser.parse(record.value),
            let object = try? json.object(), (try? object.string("kind")) == "command",
            let entry = try? JournalEntry(json: json), case .command(let command) = entry.body
        else { return false }
        return command.action == .resume
    }
}
