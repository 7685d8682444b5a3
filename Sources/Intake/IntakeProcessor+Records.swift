internal import Acquisition
internal import EngineCore
internal import Events
internal import Flywheel
internal import Hashing
internal import JSON
internal import Kinds
internal import Rollout
internal import StreamRuntime
internal import Training
internal import Vocabulary

/// Handling of each kind of record.
extension IntakeProcessor {
    /// Decodes a record completely, and dispatches it. A prediction that was scanned already has its verdict, and is
    /// not judged again.
    ///
    /// - Throws: The reason why the record is refused; no part of it is counted then.
    func decode(
        _ record: RecordView,
        at index: Int,
        of batch: RecordBatch,
        verdict: IntakeVerdict? = nil,
        into transaction: inout PendingTransaction
    ) throws(RecordRejection) {
        guard record.value.baseAddress != nil, record.value.count > 0 else {
            throw RecordRejection(.empty, "the record has no value")
        }
        guard record.value.count <= Self.recordLimit else {
            throw Self.tooLarge(record.value.count)
        }
        let envelope: Envelope
        do throws(JSONError) {
            envelope = try Envelope(parser.parse(record.value))
        } catch {
            let isEnvelope = ["specversion", "data", "id", "source"].contains(error.path)
            throw isEnvelope
                ? RecordRejection(.badEnvelope, error.description) : RecordRejection(error, of: record.value)
        }
        let known = generation
        let name = try project(envelope.data, of: record)
        do throws(RecordRejection) {
            // A verdict is valid only for the revision under which it was reached.
            try dispatch(
                record,
                at: index,
                of: batch,
                as: envelope,
                to: name,
                verdict: generation == known ? verdict : nil,
                into: &transaction
            )
        } catch {
            guard error.code == .unknownClass else { throw error }
            // The class may have been added by a revision that is not read yet.
            let hasNewRevisions = readAgain(for: record)
            // The class that a user proposes as correct is no reason to ignore that the prediction was wrong.
            let isFeedback = Self.inputs[record.topic] == .feedback
            guard hasNewRevisions || isFeedback else { throw error }
            try dispatch(
                record,
                at: index,
                of: batch,
                as: envelope,
                to: name,
                verdict: nil,
                acceptsUnknownClass: isFeedback,
                into: &transaction
            )
        }
    }

    /// Returns the reason why a record of `size` bytes is refused.
    static func tooLarge(_ size: Int) -> RecordRejection {
        RecordRejection(.tooLarge, "expected at most \(recordLimit) bytes, found \(size)")
    }

    /// Decodes the event of a topic, checks it, and forwards its entry to the journal.
    private func dispatch(
        _ record: RecordView,
        at index: Int,
        of batch: RecordBatch,
        as envelope: Envelope,
        to name: String,
        verdict: IntakeVerdict?,
        acceptsUnknownClass: Bool = false,
        into transaction: inout PendingTransaction
    ) throws(RecordRejection) {
        guard let project = projects[name] else {
            throw RecordRejection(.unknownProject, "there is no project \"\(name.prefix(64))\"")
        }
        let configuration = project.pointee.configuration
        let (id, question) = (configuration.project, configuration.question)
        let object = envelope.data
        switch Self.inputs[record.topic] {
        case .predictions:
            // The whole record is decoded before anything is counted: a refused record does not change the tallies.
            var event = try PredictionEvent(
                object,
                project: id,
                question: question,
                initialClasses: configuration.shortestOutput
            )
            try event.checkNames()
            discardImplausible(&event.predictedAt, "predicted_at_ms", &event.remarks)
            try checkSample(event.sample, record.value.count, project)
            guard let verdict = verdict ?? judge(event, project, at: batchTime) else { return }
            try forward(event, verdict, at: batchTime, into: &transaction)
            note(event.remarks)
        case .feedback:
            var event = try FeedbackEvent(
                object,
                project: id,
                question: question,
                acceptsUnknownClass: acceptsUnknownClass
            )
            try event.checkNames()
            discardImplausible(&event.givenAt, "given_at_ms", &event.remarks)
            let entry = feedback(event, in: envelope, from: record, at: index, of: batch)
            if let drawn = admitFeedback(entry, project) {
                try forward(JournalEntry(project: id, body: .feedback(drawn)), configuration, into: &transaction)
            } else {
                pendingCounts.feedbackLeftOut += 1
            }
            count(event, project)
            note(event.remarks)
        case .annotations:
            var event = try AnnotationEvent(object, project: id, question: question)
            try event.checkNames()
            discardImplausible(&event.answeredAt, "answered_at_ms", &event.remarks)
            let hasValidToken = try hasValidToken(
                event.token,
                on: .labelingTasks,
                for: event.annotation.task.rawValue,
                under: configuration
            )
            let origin = try origin(record, index, batch)
            try forward(
                JournalEntry(project: id, body: .annotation(event.annotation), origin: origin),
                configuration,
                hasValidToken: hasValidToken,
                into: &transaction
            )
            note(event.remarks)
        case .trainingResults where PredictedEvent.matches(object):
            let event = try PredictedEvent(object, project: id, question: question)
            try event.checkNames()
            let hasValidToken = try hasValidToken(
                event.token,
                on: .trainingRequests,
                for: event.labels.request.rawValue,
                under: configuration
            )
            let origin = try origin(record, index, batch)
            try forward(
                JournalEntry(project: id, body: .predicted(event.labels), origin: origin),
                configuration,
                hasValidToken: hasValidToken,
                into: &transaction
            )
            note(event.remarks)
        case .trainingResults:
            let event = try TrainingResultEvent(object, project: id, kind: question.kind)
            try event.checkNames()
            let hasValidToken = try hasValidToken(
                event.token,
                on: .trainingRequests,
                for: event.result.request.rawValue,
                under: configuration
            )
            let origin = try origin(record, index, batch)
            let verified = try artifacts.check(event.result, allowed: configuration.training.artifacts)
            try forward(
                JournalEntry(project: id, body: .trainingResult(event.result.verified(verified)), origin: origin),
                configuration,
                hasValidToken: hasValidToken,
                into: &transaction
            )
            note(event.remarks)
        case .commands:
            let event = try CommandEvent(object, project: id)
            // The command's other statements about the model are the operator's responsibility.
            if case .register(let model) = event.command.action {
                _ = try artifacts.check(model.artifact, allowed: configuration.training.artifacts)
            }
            try event.checkNames()
            let origin = try origin(record, index, batch)
            try forward(
                JournalEntry(project: id, body: .command(event.command), origin: origin),
                configuration,
                into: &transaction
            )
        case .imports:
            var event = try ImportEvent(object, project: id, question: question)
            try event.checkNames()
            discardImplausible(&event.labeledAt, "labeled_at_ms", &event.remarks)
            try checkSample(event.sample, record.value.count, project)
            let origin = try origin(record, index, batch)
            try forward(
                JournalEntry(project: id, body: .importedLabel(event.label), origin: origin),
                configuration,
                into: &transaction
            )
            note(event.remarks)
        default:
            let event = try SealedVersionEvent(object, project: id)
            try forward(
                JournalEntry(project: id, body: .versionSealed(event.version)),
                configuration,
                into: &transaction
            )
        }
    }

    // MARK: - Feedback

    private func feedback(
        _ event: FeedbackEvent,
        in envelope: Envelope,
        from record: RecordView,
        at index: Int,
        of batch: RecordBatch
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
        // Without an id of its own an event is identified only by its partition and offset in the topic.
        // An id chosen by a sender never equals the partition and offset of a record without an id.
        let origin = source ?? ""
        let identity =
            id.map { "e\(origin.utf8.count) \(origin)\u{0}\($0)" } ?? "p\(record.partition)\u{0}\(record.offset)"
        return Feedback(
            key: xxh64(identity),
            sample: event.sample,
            modelVersion: event.modelVersion,
            user: UserDigest(String(userKey.digest(of: event.user).hex.prefix(16))),
            verdict: event.verdict,
            answer: event.answer,
            proposedClass: event.plainProposal
        )
    }

    /// Returns the feedback for the journal, with the probability with which its user was drawn.
    ///
    /// - Returns: Nil if the hour has no capacity for the feedback: then it is counted, and is neither forwarded nor
    ///   written to the dead letters. More of the same would add little information, and the users who are omitted are
    ///   drawn by a hash that cannot be computed from outside.
    private func admitFeedback(_ feedback: Feedback, _ project: ProjectTable.Slot) -> Feedback? {
        let configuration = project.pointee.configuration
        // Before the sample of users: a used-up budget of the worker affects all users alike.
        guard entryBudget.hasRoom(configuration.project, .feedback, at: batchTime, share: share) else { return nil }
        let probability = feedbackRoom.admit(
            configuration.project,
            limit: configuration.rollout.feedbackPerHour,
            draw: project.pointee.feedbackDraw.unit(key: feedback.user.rawValue),
            at: batchTime,
            share: share
        )
        return probability.map { feedback.drawn(with: $0) }
    }

    private func count(_ event: FeedbackEvent, _ project: ProjectTable.Slot) {
        var version = event.modelVersion.rawValue
        let stream = version.withUTF8 {
            project.pointee.stream(UnsafeRawBufferPointer($0), in: transactionNumber, share: share)
        }
        guard let stream else { return }
        project.pointee.withStream(stream) {
            $0.count(.champion, in: transactionNumber) { $0.countFeedback(isNegative: event.verdict.isNegative) }
        }
    }

    // MARK: - Parts

    /// Returns whether an answer contains the token of the request that it answers; `topic` is the topic of the
    /// request. Nothing else is checked, so that the result is known before anything is written.
    ///
    /// - Throws: If the token is wrong, or missing although the project requires it.
    private func hasValidToken(
        _ token: RequestToken?,
        on topic: Topic,
        for id: String,
        under configuration: ProjectConfiguration
    ) throws(RecordRejection) -> Bool {
        guard let token else {
            guard configuration.requiresTokens else { return false }
            throw RecordRejection(
                .missingToken,
                "token: project \(configuration.project) requires the token that the record of \(topics[topic]) carries, found none"
            )
        }
        guard tokens.accepts(token, on: topics[topic], of: configuration.project, for: id) else {
            throw RecordRejection(
                .badToken,
                "token: it is not that of \(id) on \(topics[topic]) under a secret of this worker (salt, tokens.secret)"
            )
        }
        return true
    }

    /// Removes an event's own time if it is not within bounds: the time is only informative.
    private func discardImplausible(_ time: inout Int64?, _ member: StaticString, _ remarks: inout Remarks) {
        guard let own = time, !isPlausible(own, at: batchTime) else { return }
        remarks.note(
            "\(member)",
            "\(RFC3339.text(milliseconds: own)) (\(own) ms) is before 2000 or more than a day in the future: left out"
        )
        time = nil
    }

    /// Counts the remarks on a record that was accepted.
    private func note(_ remarks: Remarks) {
        guard !remarks.all.isEmpty else { return }
        latestRemarks = remarks
        for member in Set(remarks.all.map(\.member)) { pendingCounts.remarked[member, default: 0] += 1 }
    }

    /// Returns the origin of a record and its complete content, so that it can be written to the dead letters
    /// unchanged.
    private func origin(_ record: RecordView, _ index: Int, _ batch: RecordBatch) throws(RecordRejection) -> EntryOrigin
    {
        let headers = batch.headers(at: index)
        // Each header takes some thirty bytes in the entry, however short it is.
        guard headers.count <= RecordLimits.headerCount else {
            throw RecordRejection(
                .tooLarge,
                "expected at most \(RecordLimits.headerCount) headers, found \(headers.count)"
            )
        }
        var size = record.key.count
        for header in headers { size += header.name.utf8.count + (header.value?.count ?? 0) }
        // In the journal, the key and the headers are stored beside the value: together they must fit into one record.
        guard size <= Self.headerLimit else {
            throw RecordRejection(
                .tooLarge,
                "expected at most \(Self.headerLimit) bytes of key and headers, found \(size)"
            )
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

extension ImportEvent {
    /// The label as it is stored in the journal, identified by its source and id.
    fileprivate var label: ImportedLabel {
        ImportedLabel(
            key: xxh64("\(origin.source.utf8.count) \(origin.source)\u{0}\(origin.id)"),
            origin: origin,
            sample: sample,
            answer: answer,
            isValidation: isValidation,
            labeledAt: labeledAt.map { StreamTime(milliseconds: $0) }
        )
    }
}
