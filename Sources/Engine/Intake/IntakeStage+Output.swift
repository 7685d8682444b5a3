internal import Events
internal import Flywheel
internal import JSON
public import StreamRuntime
internal import Vocabulary

/// What goes to the journal and to the dead letters.
extension IntakeStage {
    /// Writes an entry to its project's journal, ahead of it the revision that it was checked under, if that is news.
    func forward(_ entry: JournalEntry, _ project: ProjectConfigurationReference, into turn: inout Turn) {
        let name = project.configuration.project.rawValue
        let revision = project.configuration.revision
        if (announcing[name] ?? announced[name] ?? 0) < revision {
            announcing[name] = revision
            write(JournalEntry(project: entry.project, body: .configured(project.configuration)), project, into: &turn)
        }
        write(entry, project, into: &turn)
        turnCounts.forwarded += 1
    }

    private func write(_ entry: JournalEntry, _ project: ProjectConfigurationReference, into turn: inout Turn) {
        turn.write(
            OutputRecord(
                topic: topics[.journal],
                partition: project.configuration.partition,
                key: Array(entry.project.rawValue.utf8),
                value: entry.jsonBytes,
                headers: CloudEventHeaders.entry(
                    entry,
                    id: place,
                    role: .intake,
                    time: now(),
                    causation: place
                ).recordHeaders
            )
        )
    }

    /// The record in hand: an entry's id says where it comes from, so that one written twice can be told.
    var place: String { "\(topics[Self.inputs[current.topic]])/\(current.partition)/\(current.offset)" }

    func bury(
        _ record: RecordView,
        _ headers: [RecordHeader],
        _ rejection: Rejection,
        _ topic: String,
        isStub: Bool = false,
        into turn: inout Turn
    ) {
        turnCounts.dead[rejection.code.rawValue, default: 0] += 1
        turn.write(
            DeadLetter.record(
                to: topics[.deadLetters],
                key: record.key.baseAddress == nil ? nil : Array(record.key),
                value: record.value.baseAddress == nil ? nil : Array(record.value),
                headers: headers,
                cause: DeadLetter.Cause(
                    topic: topic,
                    partition: record.partition,
                    offset: record.offset,
                    stage: "intake",
                    code: rejection.code.rawValue,
                    text: rejection.text,
                    worker: worker,
                    at: now()
                ),
                isStub: isStub
            )
        )
    }

    // MARK: - Poison

    public var isolates: Bool { true }

    public func isolate(
        _ batch: RecordBatch,
        topics names: [String],
        because isolation: Isolation,
        into turn: inout Turn
    ) throws {
        for (index, record) in batch.records.enumerated() {
            turnCounts.read += 1
            let headers = isolation.isStubborn ? [] : batch.headers(at: index)
            let rejection = Rejection(.poison, isolation.text)
            bury(record, headers, rejection, names[record.topic], isStub: isolation.isStubborn, into: &turn)
            account(for: record, names[record.topic], into: &turn)
        }
    }

    /// Clients and projects that cannot be read have nothing to do with the records.
    public func isAboutRecord(_ error: any Error) -> Bool { !(error is StreamError) && !(error is EngineError) }
}
