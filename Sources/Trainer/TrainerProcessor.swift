public import EngineCore
public import Events
internal import Hashing
internal import JSON
internal import Learner
public import S3
internal import Statistics
public import Storage
public import StreamRuntime
public import Vocabulary

/// The built-in trainer: multinomial logistic regression on the embeddings of a sealed dataset version.
///
/// At least once and idempotent: an artifact's bytes follow from request, trial and repeat, and are named by their
/// digest; of two results for one repeat, the first in journal order counts.
///
/// A study is processed in units of one second of repeats, each unit in a transaction of its own; the group's offset
/// stays at the oldest request until its last result. A trainer that resumes a started request therefore reads
/// `training-results` first, and computes only the repeats that are missing there. Requests for predictions are
/// answered between repeats, because people wait for them.
public final class TrainerProcessor: Processor, PausingProcessor {
    public static let inputs: [Topic] = [.trainingRequests]

    let topics: TopicNames
    private let artifacts: any ObjectStore
    /// Client that reads versions and models in buckets; nil where none can be read.
    let buckets: S3Client?
    let results: StudyResults
    let now: () -> Int64
    private let budget: Int64
    private let jitter: () -> Double
    private let parser = JSONParser(maximumDepth: 64, maximumSize: 64 << 20)
    /// Requests that are not finished, in order of arrival; at most those of one batch.
    private var studies: [StudyRun] = []
    /// Requests for predictions: answered between repeats, as people wait for them.
    var desk = PredictionDesk()
    /// Repeats whose results are committed, of requests that this run has examined.
    private var finished: [RequestID: Set<StudyRepeat>] = [:]
    /// Partitions whose first request may have been started by another trainer.
    private var possiblyStarted: Set<TopicPartition> = []
    /// The next offset to read of each partition, regardless of its unfinished requests.
    private var nextOffsets: [TopicPartition: Int64] = [:]
    /// Repeats that the pending transaction reports; `computed` holds their records, those of an aborted
    /// transaction included.
    private var reported: [StudyRepeat] = []
    private var computed: [StudyRepeat: OutputRecord] = [:]
    /// The model that waits for the disk; one at most.
    private var unstored: [StudyRepeat: SoftmaxRegression] = [:]
    /// The version that was read last, for the next that only adds to it; one at most.
    private(set) var cachedRows: VersionRows?
    public private(set) var backoff = StorageBackoff()
    /// Called with every refusal by the disk, and once more with nothing paused when the refusals have ended.
    public var storagePaused: (StorageBackoff) -> Void = { _ in }
    /// Called with a description of an error in a repeat.
    public var failed: (String) -> Void = { _ in }
    /// Called with a request whose version holds labels that cannot be used.
    public var leftOut: (RequestID, LeftOutLabels) -> Void = { _, _ in }
    /// Called with a request that is resumed, and the number of its repeats that were done before.
    public var resumed: (RequestID, Int) -> Void = { _, _ in }
    /// Repeats computed since the start.
    public private(set) var repeats: Int64 = 0
    /// Requests for predictions answered since the start.
    public internal(set) var predictions: Int64 = 0

    /// Creates a trainer that reports after every `budget` milliseconds of work, or after a repeat that takes longer.
    public init(
        topics: TopicNames,
        transport: any StreamTransport,
        artifacts: any ObjectStore,
        buckets: S3Client? = nil,
        budget: Int64 = 1_000,
        now: @escaping () -> Int64,
        jitter: @escaping () -> Double = { Double.random(in: 0..<1) }
    ) {
        self.topics = topics
        self.artifacts = artifacts
        self.buckets = buckets
        self.budget = budget
        self.now = now
        self.jitter = jitter
        results = StudyResults(transport: transport, topic: topics[.trainingResults])
    }

    // MARK: - Processor

    public func assigned(_ partitions: [TopicPartition], committed: [TopicPartition: Int64]) throws -> [TopicPartition:
        Int64]
    {
        possiblyStarted.formUnion(partitions)
        desk.assigned(partitions, at: now())
        return committed.filter { partitions.contains($0.key) }
    }

    public func unassigned(_ partitions: [TopicPartition]) {
        studies.removeAll { partitions.contains($0.topicPartition) }
        desk.unassigned(partitions)
        finished.removeAll()
        computed.removeAll()
        unstored.removeAll()
        reported.removeAll()
        for topicPartition in partitions { nextOffsets[topicPartition] = nil }
        storageResumed()
    }

    /// Whether nothing more is fetched for now. One study in hand is no reason, because requests for predictions must
    /// not wait for it; the requests for studies that are fetched meanwhile are short.
    public var wantsPause: Bool {
        backoff.isActive || studies.count >= Self.studyCapacity || desk.pending.count >= PredictionDesk.capacity
    }

    /// Studies in hand beyond which nothing more is fetched.
    private static let studyCapacity = 16

    public func process(_ batch: RecordBatch, topics names: [String], into transaction: inout PendingTransaction) throws
    {
        for record in batch.records {
            let topicPartition = TopicPartition(names[record.topic], record.partition)
            do throws(JSONError) {
                let json = try parser.parse(record.value)
                try addRequest(json.object(), topicPartition, record)
            } catch {
                failed("unreadable training request at \(topicPartition) offset \(record.offset): \(error)")
            }
            nextOffsets[topicPartition] = record.offset + 1
            transaction.advance(topicPartition, to: position(of: topicPartition))
        }
    }

    private func addRequest(_ object: JSONObject, _ topicPartition: TopicPartition, _ record: RecordView)
        throws(JSONError)
    {
        let project = ProjectID(try object.string("project"))
        switch try object.optionalString("kind") {
        case nil:
            studies.append(
                StudyRun(
                    request: try TrainingRequest(json: object.value),
                    project: project,
                    token: try RequestToken(of: object),
                    topicPartition: topicPartition,
                    offset: record.offset,
                    requestedAt: record.timestamp
                )
            )
        case PredictionRequest.kind?:
            desk.add(
                PendingPrediction(
                    request: try PredictionRequest(json: object.value),
                    project: project,
                    token: try RequestToken(of: object),
                    topicPartition: topicPartition,
                    offset: record.offset,
                    requestedAt: record.timestamp
                )
            )
        case let kind?: throw object.failure("kind", "\"\(kind.prefix(64))\" is not known to this build: skipped")
        }
    }

    /// Works for a second, or for one repeat if that needs longer.
    public func punctuate(now time: Int64, into transaction: inout PendingTransaction) throws {
        let began = now()
        repeat {
            try answerPredictions(into: &transaction)
            guard let study = studies.first, backoff.isDue(at: now(), jitter: jitter()) else { return }
            var left = 0
            if study.request.deadline.milliseconds > now() {
                try prepare(study)
                let missing = missing(of: study)
                if let next = missing.first {
                    guard try work(on: study, next, into: &transaction) else { return }
                    left = missing.count - 1
                }
            }
            if left == 0 {
                studies.removeFirst()
                storageResumed()
            }
            transaction.advance(study.topicPartition, to: position(of: study.topicPartition))
        } while now() - began < budget
    }

    public func willCommit(into transaction: inout PendingTransaction) throws {}

    public func committed() {
        for report in reported { finished[report.request]?.insert(report) }
        let open = Set(studies.map(\.request.id))
        finished = finished.filter { open.contains($0.key) }
        reported.removeAll()
        computed.removeAll()
        desk.committed(at: now())
    }

    /// Discards the open requests, which are read again; the results computed for them and the information about them
    /// are kept.
    public func aborted() {
        studies.removeAll()
        desk.aborted()
        reported.removeAll()
        storageResumed()
    }

    /// Offset from which a partition is to be read again: that of the oldest unfinished request, else the next one to
    /// read.
    func position(of topicPartition: TopicPartition) -> Int64 {
        let study = studies.first { $0.topicPartition == topicPartition }?.offset
        return [study, desk.oldest(topicPartition)].compactMap { $0 }.min() ?? nextOffsets[topicPartition] ?? 0
    }

    // MARK: - Studies

    /// Determines which repeats are already done, for a request that another trainer may have started.
    private func prepare(_ study: StudyRun) throws {
        guard finished[study.request.id] == nil else { return }
        guard possiblyStarted.contains(study.topicPartition) else { return finished[study.request.id] = [] }
        let found = try results.repeats(of: study)
        possiblyStarted.remove(study.topicPartition)
        finished[study.request.id] = found
        if !found.isEmpty { resumed(study.request.id, found.count) }
    }

    /// Repeats without a result, in order.
    private func missing(of study: StudyRun) -> [StudyRepeat] {
        let done = (finished[study.request.id] ?? []).union(reported)
        return study.repeats.filter { !done.contains($0) }
    }

    /// Computes a repeat and reports it.
    ///
    /// - Returns: False if the disk refused the model.
    private func work(on study: StudyRun, _ studyRepeat: StudyRepeat, into transaction: inout PendingTransaction) throws
        -> Bool
    {
        if computed[studyRepeat] == nil {
            do {
                computed[studyRepeat] = try result(study, studyRepeat)
            } catch let error as StorageError where error.isTemporary {
                backoff.recordRefusal(error)
                storagePaused(backoff)
                return false
            }
            storageResumed()
        }
        guard let record = computed[studyRepeat] else { return false }
        transaction.write(record)
        reported.append(studyRepeat)
        return true
    }

    private func storageResumed() {
        guard backoff.isActive else { return }
        backoff.reset()
        storagePaused(backoff)
    }

    /// Computes a repeat and returns the record that reports it.
    ///
    /// - Throws: The store's error if it refuses the model, or does not return the version; any other failure is a
    ///   result.
    private func result(_ study: StudyRun, _ studyRepeat: StudyRepeat) throws -> OutputRecord {
        let began = now()
        let outcome: TrainingResult.Outcome
        var reason: TrainingResult.Failure?
        var labels: LeftOutLabels?
        var validation: ValidationScore?
        do {
            let data = try study.data(buckets, cachedRows: &cachedRows) { leftOut(study.request.id, $0) }
            labels = data.leftOut
            let hyperparameters = study.request.trials[studyRepeat.trial]
            // A model that the disk refused is not computed again.
            let model =
                try unstored[studyRepeat]
                ?? fit(
                    data,
                    hyperparameters,
                    hyperparameters.warmStart ? study.warmStart(buckets, at: now(), failed) : nil,
                    seed: xxh64("\(study.request.id)/\(studyRepeat.trial)/\(studyRepeat.repetition)"),
                    isFirst: studyRepeat.repetition == 0
                )
            unstored = [studyRepeat: model]
            let artifact = try store(model)
            if studyRepeat.repetition == 0, artifact.sha256 == study.request.warmStart?.artifact.sha256 {
                throw Self.unchanged(study.request, data)
            }
            outcome = scored(model, data, artifact)
            validation = data.validation.map {
                ValidationScore(
                    value: model.accuracy(on: $0, labels: data.validationLabels),
                    items: data.validationLabels.count
                )
            }
        } catch let error as UnstoredModel {
            throw error.cause
        } catch let error as StorageError where error.isRemote {
            // An unavailable store is no evidence about the trial either.
            throw error
        } catch let failure as StudyFailure {
            failed(
                "request \(study.request.id) trial \(studyRepeat.trial) repeat \(studyRepeat.repetition): \(failure.error)"
            )
            outcome = .failed("\(failure.error)")
            reason = failure.failure
            labels = failure.leftOut
        } catch {
            failed("request \(study.request.id) trial \(studyRepeat.trial) repeat \(studyRepeat.repetition): \(error)")
            outcome = .failed("\(error)")
        }
        unstored.removeAll()
        repeats += 1
        let result = TrainingResult(
            request: study.request.id,
            trial: studyRepeat.trial,
            repetition: studyRepeat.repetition,
            outcome: outcome,
            duration: now() - began,
            reason: reason?.rawValue,
            leftOut: labels,
            dataset: study.request.dataset.id,
            validation: validation
        )
        var writer = JSONWriter()
        TrainingResultEvent(project: study.project, result: result, token: study.token).write(to: &writer)
        return OutputRecord(
            topic: topics[.trainingResults],
            key: Array(study.project.rawValue.utf8),
            value: writer.bytes,
            headers: headers(
                for: study.request,
                project: study.project,
                trial: studyRepeat.trial,
                repetition: studyRepeat.repetition
            )
        )
    }

    private func headers(for request: TrainingRequest, project: ProjectID, trial: Int, repetition: Int)
        -> [RecordHeader]
    {
        CloudEventHeaders(
            id: "\(request.id)-\(trial)-\(repetition)",
            source: "flywheel/\(project)/trainer",
            type: "io.flywheel.training.finished.v1",
            time: now(),
            correlation: request.dataset.id.rawValue,
            causation: request.id.rawValue
        ).recordHeaders
    }

    /// A model that the disk refuses, which is no evidence about the trial.
    private struct UnstoredModel: Error {
        let cause: StorageError
    }

    private func store(_ model: SoftmaxRegression) throws -> ArtifactReference {
        let bytes = model.bytes
        let digest = SHA256Digest(of: bytes).hex
        let path = "models/\(digest)"
        do throws(StorageError) {
            try artifacts.put(bytes, as: path)
            let uri = try artifacts.uri(of: path)
            return ArtifactReference(uri: uri.description, size: Int64(bytes.count), sha256: digest)
        } catch {
            throw UnstoredModel(cause: error)
        }
    }
}
