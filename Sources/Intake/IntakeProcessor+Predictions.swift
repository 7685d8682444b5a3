internal import Acquisition
internal import EngineCore
internal import Events
internal import Flywheel
internal import Hashing
internal import JSON
internal import Kinds
internal import StreamRuntime
internal import Vocabulary

/// Intake's verdict on a prediction whose form is valid.
struct IntakeVerdict {
    let project: ProjectTable.Slot
    /// Position of the model version among the project's streams.
    let stream: Int
    let role: ModelRole?
    /// In `0...1`.
    let score: Double
    /// Index of the most probable class, if the output has one, and the probability of the prediction that the model
    /// considers most probable.
    let top: Int?
    let confidence: Double
    /// Hash that identifies the sample.
    let hash: UInt64
    /// Status of the sample in the loop's state.
    let status: SampleTable.Status
    /// The draw of the sample, or of its group, for the audit sample, in `0..<1`.
    let draw: Double
    let isAudit: Bool
    let isExploration: Bool
    /// Whether the prediction is forwarded to the journal.
    var passes: Bool
    var triggers = TriggerSet.Outcome()
    /// Whether the prediction is forwarded only for its triggers, or because users dispute a prediction for its sample.
    var isBelowThreshold = false

    /// Whether triggers may evaluate the prediction: audit samples are not marked, because their labels are for tests
    /// and no condition may select among them; and queried samples are not queried again.
    var isOpenToTriggers: Bool { !isAudit && status != .queried }
}

/// Handling of predictions: they are nearly all of the traffic, and nearly all of them are counted and not forwarded.
extension IntakeProcessor {
    /// Scans a prediction without parsing it completely.
    ///
    /// - Returns: Nil if the record is not in plain form, and for every record that may be refused: those records are
    ///   decoded.
    ///
    /// - Complexity: O(*n*) in its bytes; no allocation and no reference counting once all its names are known.
    func scan(_ record: RecordView, at time: Int64) -> IntakeVerdict? {
        var reading = PredictionReading()
        guard record.value.count <= Self.recordLimit, let text = scanner.scan(record.value),
            reader.read(text, projectView, into: &reading), let project = reading.project,
            isPlausible(reading.predictedAt, at: time), !project.pointee.readsMetadata,
            record.value.count <= project.pointee.sampleLimit, project.pointee.door.admits(reading.embedding)
        else { return nil }
        // Temperature scaling needs the complete output: such a prediction is decoded.
        guard !reading.hasOutput || project.pointee.temperature == 1 else { return nil }
        let verdict = judge(
            project,
            sample: reading.sample,
            group: reading.group,
            version: reading.version,
            role: reading.role,
            score: score(reading, project),
            hasOutput: reading.hasOutput,
            top: reading.hasOutput ? reading.output.top : nil,
            confidence: reading.hasOutput ? reading.output.first : 0,
            at: time
        )
        guard var verdict, project.pointee.hasTriggers else { return verdict }
        considerTriggers(&verdict, &reading, at: time)
        return verdict
    }

    /// Acquisition score of a prediction that was scanned, in `0...1`: equal to `PredictionEvent.score` of the same
    /// prediction when it is parsed completely.
    private func score(_ reading: PredictionReading, _ project: ProjectTable.Slot) -> Double {
        let function = project.pointee.function
        guard reading.hasOutput, function != .random else {
            return Self.draw(project, prefix: "", sample: reading.sample, version: reading.version)
        }
        return reading.output.score(function, classes: project.pointee.classCount)
    }

    /// Judges a prediction that was decoded completely.
    func judge(_ event: PredictionEvent, _ project: ProjectTable.Slot, at time: Int64) -> IntakeVerdict? {
        var (sample, version) = (event.sample.id.rawValue, event.model?.version.rawValue ?? "")
        var group = event.sample.group?.rawValue ?? ""
        let verdict = sample.withUTF8 { sample in
            version.withUTF8 { version in
                group.withUTF8 { group in
                    judge(
                        project,
                        sample: UnsafeRawBufferPointer(sample),
                        group: UnsafeRawBufferPointer(group),
                        version: UnsafeRawBufferPointer(version),
                        role: event.model?.role,
                        score: event.score(project.pointee.configuration, random: project.pointee.random) ?? 0,
                        hasOutput: event.output != nil,
                        top: event.output?.distribution?.top.label.rawValue,
                        confidence: event.output?.confidence ?? 0,
                        at: time
                    )
                }
            }
        }
        guard var verdict, project.pointee.hasTriggers else { return verdict }
        considerTriggers(&verdict, event, at: time)
        return verdict
    }

    /// Returns the draw of a sample for a model.
    private static func draw(
        _ project: ProjectTable.Slot,
        prefix: StaticString,
        sample: UnsafeRawBufferPointer,
        version: UnsafeRawBufferPointer
    ) -> Double {
        let prefix = UnsafeRawBufferPointer(start: prefix.utf8Start, count: prefix.utf8CodeUnitCount)
        return withUnsafeTemporaryAllocation(byteCount: prefix.count + sample.count + version.count + 1, alignment: 1) {
            var end = 0
            for part in [prefix, sample] {
                UnsafeMutableRawBufferPointer(rebasing: $0[end...]).copyMemory(from: part)
                end += part.count
            }
            $0[end] = UInt8(ascii: "/")
            UnsafeMutableRawBufferPointer(rebasing: $0[(end + 1)...]).copyMemory(from: version)
            return project.pointee.random.unit(key: UnsafeRawBufferPointer($0))
        }
    }

    private func judge(
        _ project: ProjectTable.Slot,
        sample: UnsafeRawBufferPointer,
        group: UnsafeRawBufferPointer,
        version: UnsafeRawBufferPointer,
        role: ModelRole?,
        score: Double,
        hasOutput: Bool,
        top: Int?,
        confidence: Double,
        at time: Int64
    ) -> IntakeVerdict? {
        guard let stream = project.pointee.stream(version, in: transactionNumber, share: share) else { return nil }
        let hash = project.pointee.audit.hash(key: sample)
        // All members of a group are on one side, so the draw is that of the group.
        let draw = StableHash.unit(hash: group.isEmpty ? hash : project.pointee.audit.hash(key: group))
        let isAudit = draw < project.pointee.auditCutoff
        let status = samples?.status(of: hash) ?? .unknown
        // Versions beyond the distinguished ones have no threshold. Queried samples do not need one: further
        // predictions matter only for queried samples of the audit sample.
        let usesThreshold = stream != IntakeProject.others && status != .queried
        var passes = usesThreshold && project.pointee.withStream(stream) { $0.admits(score, at: time) }
        var isExploration = false
        if usesThreshold, hasOutput, project.pointee.withStream(stream, { $0.explores }) {
            let chance = Self.draw(project, prefix: "exploration/", sample: sample, version: version)
            isExploration = project.pointee.withStream(stream) { $0.explores(chance, at: time) }
        }
        passes = passes || isAudit || isExploration
        // Checked here: a call of `wants` would copy the table, with its three references, for each prediction.
        if usesThreshold, !passes, status == .pooled || project.pointee.filling.hasRoom {
            passes = project.pointee.filling.wants(hash, status, project.pointee.withStream(stream) { $0.hash })
        }
        let isDisputed =
            project.pointee.hasDisputed && !passes && status == .unknown && project.pointee.admitsDisputed(hash)
        return IntakeVerdict(
            project: project,
            stream: stream,
            role: role,
            score: score,
            top: top,
            confidence: confidence,
            hash: hash,
            status: status,
            draw: draw,
            isAudit: isAudit,
            isExploration: isExploration,
            passes: passes || isDisputed,
            isBelowThreshold: isDisputed
        )
    }

    @inline(__always)
    func count(_ verdict: IntakeVerdict) {
        verdict.project.pointee.withStream(verdict.stream) { stream in
            stream.count(verdict.role, in: transactionNumber) { tally in
                tally.count(score: verdict.score, top: verdict.top, confidence: verdict.confidence)
                if verdict.passes { tally.countForwarded() }
            }
        }
    }

    /// Counts a prediction, and forwards it as a candidate if it passes.
    ///
    /// - Throws: If its entry does not fit into a record or the budget; then the prediction is not counted.
    func forward(
        _ event: PredictionEvent,
        _ verdict: IntakeVerdict,
        at time: Int64,
        into transaction: inout PendingTransaction
    ) throws(RecordRejection) {
        guard verdict.passes else { return count(verdict) }
        let configuration = verdict.project.pointee.configuration
        let triggers = verdict.triggers.isEmpty ? nil : verdict.project.pointee.triggers
        let candidate = Candidate(
            sample: event.sample,
            output: event.output,
            model: event.model,
            score: verdict.score,
            auditProbability: verdict.isAudit ? configuration.acquisition.auditCutoff : nil,
            auditDraw: verdict.draw,
            predictedAt: StreamTime(milliseconds: min(event.predictedAt ?? time, time)),
            isExploration: verdict.isExploration && !verdict.isAudit,
            triggers: triggers?.names(of: verdict.triggers.fired) ?? [],
            pendingTriggers: triggers?.names(of: verdict.triggers.pending) ?? [],
            isBelowThreshold: verdict.isBelowThreshold
        )
        let entry = JournalEntry(project: configuration.project, body: .candidate(candidate))
        try forward(entry, configuration, into: &transaction)
        count(verdict)
        guard verdict.isOpenToTriggers, !verdict.isBelowThreshold else { return }
        let version = verdict.project.pointee.withStream(verdict.stream) { $0.hash }
        verdict.project.pointee.filling.note(verdict.hash, verdict.status, version, at: time)
    }

    /// Checks that the sample of a record of `size` bytes fits into a task, whichever entry opens the task, and is in
    /// the project's space. Predictions that are only counted must pass the check, too: the refusal of a record must
    /// not depend on chance.
    func checkSample(_ sample: Sample, _ size: Int, _ project: ProjectTable.Slot) throws(RecordRejection) {
        if let fault = project.pointee.space.fault(of: sample) { throw RecordRejection(.wrongSpace, fault) }
        let limit = project.pointee.sampleLimit
        guard size > limit else { return }
        let found = sample.encodedSize
        guard found > limit else { return }
        throw RecordRejection(
            .tooLarge,
            "sample: \(found) bytes without the embedding as a task has it, of \(max(0, limit)) beside the project's classes; send content by URI"
        )
    }

    /// Whether an event's own time is within bounds.
    func isPlausible(_ time: Int64?, at now: Int64) -> Bool {
        guard let time else { return true }
        return time >= Self.earliestTime && time <= now + Self.futureTolerance
    }
}
