internal import Acquisition
internal import Events
internal import Flywheel
internal import Hashing
internal import JSON
internal import StreamRuntime
internal import Training
internal import Vocabulary

/// What each kind of record becomes.
extension IntakeStage {
    /// Takes any record, parsed whole. `judged` is what a look at it, a prediction, said: it is not judged again.
    ///
    /// - Throws: Why it is refused; nothing of it is counted then.
    func take(
        _ record: RecordView,
        at index: Int,
        of batch: RecordBatch,
        judged: Judgement? = nil,
        into turn: inout Turn
    ) throws(Rejection) {
        guard record.value.baseAddress != nil, record.value.count > 0 else {
            throw Rejection(.empty, "the record has no value")
        }
        guard record.value.count <= Self.recordLimit else {
            throw Rejection(.tooLarge, "expected at most \(Self.recordLimit) bytes, found \(record.value.count)")
        }
        let envelope: Envelope
        do throws(JSONError) {
            envelope = try Envelope(parser.parse(record.value))
        } catch {
            let isEnvelope = ["specversion", "data", "id", "source"].contains(error.path)
            throw isEnvelope ? Rejection(.badEnvelope, error.description) : Rejection(error)
        }
        let known = generation
        let name = try project(envelope.data, of: record)
        do throws(Rejection) {
            // A judgement holds for the revision that it was made under.
            try take(record, index, batch, envelope, name, generation == known ? judged : nil, into: &turn)
        } catch  where error.code == .unknownClass {
            // A class may have come with a revision that is not read yet.
            guard lookAgain(for: record) else { throw error }
            try take(record, index, batch, envelope, name, nil, into: &turn)
        }
    }

    private func take(
        _ record: RecordView,
        _ index: Int,
        _ batch: RecordBatch,
        _ envelope: Envelope,
        _ name: String,
        _ judged: Judgement?,
        into turn: inout Turn
    ) throws(Rejection) {
        guard let project = projects[name] else {
            throw Rejection(.unknownProject, "there is no project \"\(name.prefix(64))\"")
        }
        let configuration = project.pointee.configuration
        let (id, schema) = (configuration.project, configuration.schema)
        let object = envelope.data
        switch Self.inputs[record.topic] {
        case .predictions:
            // Everything is decoded before anything is counted: a refused record leaves no trace in the tallies.
            let event = try PredictionEvent(object, project: id, schema: schema)
            try event.checkNames()
            _ = try believable(event.predictedAt)
            try checkSample(event.sample, record.value.count, project)
            guard let judgement = judged ?? judge(event, project, at: batchTime) else { return }
            try take(event, judgement, at: batchTime, into: &turn)
        case .feedback:
            let event = try FeedbackEvent(object, project: id, schema: schema)
            try event.checkNames()
            _ = try believable(event.givenAt)
            let entry = feedback(event, envelope, record, index, batch)
            try forward(JournalEntry(project: id, body: .feedback(entry)), configuration, into: &turn)
            count(event, project)
        case .annotations:
            let event = try AnnotationEvent(object, project: id, schema: schema)
            try event.checkNames()
            _ = try believable(event.answeredAt)
            let isVouched = try isVouched(event.token, .labelingTasks, event.annotation.task.rawValue, configuration)
            let origin = try origin(record, index, batch)
            try forward(
                JournalEntry(project: id, body: .annotation(event.annotation), origin: origin),
                configuration,
                isVouched: isVouched,
                into: &turn
            )
        case .trainingResults:
            let event = try TrainingResultEvent(object, project: id)
            try event.checkNames()
            let isVouched = try isVouched(event.token, .trainingRequests, event.result.request.rawValue, configuration)
            let origin = try origin(record, index, batch)
            let verified = try artifacts.check(event.result, allowed: configuration.training.artifacts)
            try forward(
                JournalEntry(project: id, body: .trainingResult(event.result.verified(verified)), origin: origin),
                configuration,
                isVouched: isVouched,
                into: &turn
            )
        case .commands:
            let event = try CommandEvent(object, project: id)
            try event.checkNames()
            let origin = try origin(record, index, batch)
            try forward(
                JournalEntry(project: id, body: .command(event.command), origin: origin),
                configuration,
                into: &turn
            )
        default:
            let event = try SealedVersionEvent(object, project: id)
            try forward(JournalEntry(project: id, body: .versionSealed(event.version)), configuration, into: &turn)
        }
    }

    // MARK: - Feedback

    private func feedback(
        _ event: FeedbackEvent,
        _ envelope: Envelope,
        _ record: RecordView,
        _ index: Int,
        _ batch: RecordBatch
    ) -> Feedback {
        var id = event.id ?? envelope.id
        var source = event.source ?? envelope.source
        if id == nil {
            for header in batch.headers(at: index) {
                let text = header.value.map { String(decoding: $0, as: UTF8.self) }
                switch header.name.lowercased() {
                case "ce_id", "ce-id": id = text
                case "ce_source", "ce-source": source = source ?? text
                default: break
                }
            }
        }
        // Without an id of its own an event is only as distinct as its place in the topic.
        let identity = id.map { "\(source ?? "")\u{0}\($0)" } ?? "\(record.partition)\u{0}\(record.offset)"
        return Feedback(
            key: xxh64(identity),
            sample: event.sample,
            modelVersion: event.modelVersion,
            user: UserDigest(String(userKey.digest(of: event.user).hex.prefix(16))),
            verdict: event.verdict,
            answer: event.answer
        )
    }

    private func count(_ event: FeedbackEvent, _ project: ProjectTable.Place) {
        var version = event.modelVersion.rawValue
        let stream = version.withUTF8 {
            project.pointee.stream(UnsafeRawBufferPointer($0), in: turnNumber, share: share)
        }
        guard let stream else { return }
        project.pointee.withStream(stream) {
            $0.count(.champion, in: turnNumber) { $0.countFeedback(isNegative: event.verdict.isNegative) }
        }
    }

    // MARK: - Parts

    /// Whether an answer gives back the token of what it answers, a record of `topic`. Nothing else is asked, so that it is
    /// known before anything is written.
    ///
    /// - Throws: Of a wrong one, and of none where the project requires one.
    private func isVouched(
        _ token: RequestToken?,
        _ topic: Topic,
        _ id: String,
        _ configuration: ProjectConfiguration
    ) throws(Rejection) -> Bool {
        guard let token else {
            guard configuration.requiresTokens else { return false }
            throw Rejection(
                .missingToken,
                "token: project \(configuration.project) requires the token that the record of \(topics[topic]) carries, found none"
            )
        }
        guard tokens.accept(token, on: topics[topic], of: configuration.project, for: id) else {
            throw Rejection(
                .badToken,
                "token: it is not that of \(id) on \(topics[topic]) under a secret of this worker (salt, tokens.secret)"
            )
        }
        return true
    }

    /// An event's own time, if it lies within bounds.
    private func believable(_ time: Int64?) throws(Rejection) -> Int64? {
        guard let time, !isBelievable(time, at: batchTime) else { return time }
        throw Rejection(
            .badTime,
            "\(RFC3339.text(milliseconds: time)) (\(time) ms) is before 2000 or more than a day in the future"
        )
    }

    /// Where a record came from, and all of it, so that it can go to the dead letters as it came.
    private func origin(_ record: RecordView, _ index: Int, _ batch: RecordBatch) throws(Rejection) -> EntryOrigin {
        let headers = batch.headers(at: index)
        // Each takes some thirty bytes in the entry, however short it is.
        guard headers.count <= RecordLimits.headerCount else {
            throw Rejection(.tooLarge, "expected at most \(RecordLimits.headerCount) headers, found \(headers.count)")
        }
        var size = record.key.count
        for header in headers { size += header.name.utf8.count + (header.value?.count ?? 0) }
        // In the journal these stand beside the value: together they must fit into one record.
        guard size <= Self.headerLimit else {
            throw Rejection(.tooLarge, "expected at most \(Self.headerLimit) bytes of key and headers, found \(size)")
        }
        return EntryOrigin(
            topic: topics[Self.inputs[record.topic]],
            partition: record.partition,
            offset: record.offset,
            value: Array(record.value),
            key: record.key.baseAddress == nil ? nil : Array(record.key),
            headers: headers.map { OriginHeader(name: $0.name, value: $0.value) }
        )
    }
}

/// A value, or the data of a CloudEvent in structured mode.
struct Envelope {
    let data: JSONObject
    let id: String?
    let source: String?

    init(_ json: JSONValue) throws(JSONError) {
        let object = try json.object()
        guard let version = try object.optionalString("specversion"), object.optional("data") != nil else {
            data = object
            id = nil
            source = nil
            return
        }
        guard version == "1.0" else {
            throw object.failure("specversion", "expected 1.0, found \"\(version.prefix(16))\"")
        }
        data = try object.object("data")
        id = try object.string("id")
        source = try object.string("source")
    }
}
