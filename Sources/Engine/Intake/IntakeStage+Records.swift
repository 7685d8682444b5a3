internal import Acquisition
internal import Events
internal import Flywheel
internal import Hashing
internal import JSON
internal import StreamRuntime
internal import Vocabulary

/// What each kind of record becomes.
extension IntakeStage {
    func take(_ record: RecordView, at index: Int, of batch: RecordBatch, into turn: inout Turn) throws(Rejection) {
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
        let name = try project(envelope.data, of: record)
        do throws(Rejection) {
            try take(record, index, batch, envelope, name, into: &turn)
        } catch  where error.code == .unknownClass {
            // A class may have come with a revision that is not read yet.
            guard lookAgain(for: record) else { throw error }
            try take(record, index, batch, envelope, name, into: &turn)
        }
    }

    private func take(
        _ record: RecordView,
        _ index: Int,
        _ batch: RecordBatch,
        _ envelope: Envelope,
        _ name: String,
        into turn: inout Turn
    ) throws(Rejection) {
        guard let project = known[name] else { throw Rejection(.unknownProject, "there is no project \"\(name)\"") }
        let reference = ProjectConfigurationReference(configuration: project.configuration)
        let (id, schema) = (project.configuration.project, project.configuration.schema)
        let object = envelope.data
        switch Self.inputs[record.topic] {
        case .predictions: try prediction(object, record, name, into: &turn)
        case .feedback:
            let event = try FeedbackEvent(object, project: id, schema: schema)
            _ = try believable(event.givenAt)
            let entry = feedback(event, envelope, record, index, batch)
            forward(JournalEntry(project: id, body: .feedback(entry)), reference, into: &turn)
        case .annotations:
            let event = try AnnotationEvent(object, project: id, schema: schema)
            _ = try believable(event.answeredAt)
            let origin = try origin(record, index, batch)
            forward(
                JournalEntry(project: id, body: .annotation(event.annotation), origin: origin),
                reference,
                into: &turn
            )
        case .trainingResults:
            let event = try TrainingResultEvent(object, project: id)
            let origin = try origin(record, index, batch)
            forward(
                JournalEntry(project: id, body: .trainingResult(event.result), origin: origin),
                reference,
                into: &turn
            )
        case .commands:
            let event = try CommandEvent(object, project: id)
            let origin = try origin(record, index, batch)
            forward(JournalEntry(project: id, body: .command(event.command), origin: origin), reference, into: &turn)
        default:
            let event = try SealedVersionEvent(object, project: id)
            forward(JournalEntry(project: id, body: .versionSealed(event.version)), reference, into: &turn)
        }
    }

    // MARK: - Predictions

    private func prediction(
        _ object: JSONObject,
        _ record: RecordView,
        _ name: String,
        into turn: inout Turn
    ) throws(Rejection) {
        guard let configuration = known[name]?.configuration else { return }
        // Everything is decoded before anything is counted: a refused record leaves no trace in the tallies.
        let event = try PredictionEvent(object, project: configuration.project, schema: configuration.schema)
        let time = try believable(event.predictedAt)
        let version = event.model?.version.rawValue ?? ""
        var key = TallyKey(project: configuration.project, version: event.model?.version, role: event.model?.role)
        guard let score = known[name]?.score(event) else { return }
        let draw = known[name]?.audit.unit(key: event.sample.id.rawValue) ?? 1
        let isAudit = draw < configuration.acquisition.auditCutoff
        let admitted = known[name]?.admits(score, version: version, share: share, at: now()) ?? false
        let isExploration =
            event.output != nil
            && (known[name]?.explores(event.sample.id.rawValue, version: version, share: share, at: now()) ?? false)
        let passes = isAudit || admitted || isExploration
        let isNew = tallies[key] == nil && tallies.count >= Self.tallyLimit
        if isNew { key = TallyKey(project: configuration.project, version: nil, role: event.model?.role) }
        tallies[key, default: TallyBuilder()].count(event.output, score: score)
        guard passes else { return }
        tallies[key]?.forwarded += 1
        let candidate = Candidate(
            sample: event.sample,
            output: event.output,
            model: event.model,
            score: score,
            auditProbability: isAudit ? configuration.acquisition.auditCutoff : nil,
            auditDraw: draw,
            predictedAt: StreamTime(milliseconds: min(time ?? now(), now())),
            isExploration: isExploration && !isAudit
        )
        forward(
            JournalEntry(project: configuration.project, body: .candidate(candidate)),
            ProjectConfigurationReference(configuration: configuration),
            into: &turn
        )
    }

    // MARK: - Feedback

    private func feedback(
        _ event: FeedbackEvent,
        _ envelope: Envelope,
        _ record: RecordView,
        _ index: Int,
        _ batch: RecordBatch
    ) -> Feedback {
        let key = TallyKey(project: event.project, version: event.modelVersion, role: .champion)
        tallies[key, default: TallyBuilder()].feedback += 1
        if event.verdict.isNegative { tallies[key]?.negative += 1 }
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

    // MARK: - Parts

    /// An event's own time, if it lies within bounds.
    private func believable(_ time: Int64?) throws(Rejection) -> Int64? {
        guard let time else { return nil }
        guard time >= Self.earliestTime, time <= now() + Self.futureTolerance else {
            throw Rejection(
                .badTime,
                "\(RFC3339.text(milliseconds: time)) (\(time) ms) is before 2000 or more than a day in the future"
            )
        }
        return time
    }

    /// Where a record came from, and all of it, so that it can go to the dead letters as it came.
    private func origin(_ record: RecordView, _ index: Int, _ batch: RecordBatch) throws(Rejection) -> EntryOrigin {
        let headers = batch.headers(at: index)
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

extension IntakeProject {
    /// The acquisition score of a prediction: of its output, or the sample's own draw where nothing is judged.
    func score(_ event: PredictionEvent) -> Double {
        let policy = configuration.acquisition
        guard policy.function != .random, let prediction = event.scored else {
            if policy.function == .provided, let score = event.detail.score { return score }
            // A new draw for every model: the same samples would come to the front again and again.
            return random.unit(key: "\(event.sample.id)/\(event.model?.version.rawValue ?? "")")
        }
        return policy.function.score(
            prediction,
            classes: configuration.schema.classes.count,
            temperature: policy.temperature
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

extension PredictionEvent {
    /// What a score may be judged from; nil where no model has seen the sample.
    var scored: ScoredPrediction? {
        output.map {
            ScoredPrediction(output: $0, members: detail.members, logits: detail.logits, provided: detail.score)
        }
    }
}
