internal import DatasetFiles
internal import EngineCore
internal import Events
internal import JSON
internal import Learner
internal import S3
internal import Storage
internal import StreamRuntime
internal import Vocabulary

/// One repeat of one trial.
struct StudyRepeat: Hashable, Sendable {
    let request: RequestID
    let trial: Int
    let repetition: Int
}

/// Request for training that is being processed.
final class StudyRun {
    let request: TrainingRequest
    let project: ProjectID
    /// Token that results return; nil for a request that an older build wrote.
    let token: RequestToken?
    let topicPartition: TopicPartition
    let offset: Int64
    /// The request's append time, in milliseconds since 1970.
    let requestedAt: Int64
    private var prepared: TrainingData?
    private var initialModel: SoftmaxRegression??
    /// The time since which the initial model has been missing, in milliseconds since 1970.
    private var missingSince: Int64?

    init(
        request: TrainingRequest,
        project: ProjectID,
        token: RequestToken?,
        topicPartition: TopicPartition,
        offset: Int64,
        requestedAt: Int64
    ) {
        self.request = request
        self.project = project
        self.token = token
        self.topicPartition = topicPartition
        self.offset = offset
        self.requestedAt = requestedAt
    }

    /// Every requested repeat, in order.
    var repeats: [StudyRepeat] {
        request.trials.indices.flatMap { trial in
            (0..<request.repeats).map { StudyRepeat(request: request.id, trial: trial, repetition: $0) }
        }
    }

    /// The dataset version as matrices; read once, and excluded labels are reported then.
    ///
    /// - Parameters:
    ///   - buckets: Reads `s3:` URIs; nil if no store is configured.
    ///   - cachedRows: The data read for the previous study, and, afterwards, for this one.
    ///   - leftOut: Called with the labels that cannot be used.
    /// - Returns: The matrices.
    /// - Throws: As `TrainingData` does.
    func data(_ buckets: S3Client?, cachedRows: inout VersionRows?, leftOut: (LeftOutLabels) -> Void) throws
        -> TrainingData
    {
        if let prepared { return prepared }
        let data = try TrainingData(request, buckets: buckets, cachedRows: &cachedRows)
        prepared = data
        data.leftOut.map(leftOut)
        return data
    }

    /// Milliseconds for which a store may be unavailable before a study starts without its initial model: the store may
    /// be gone permanently, and other requests wait.
    private static let warmStartWait: Int64 = 60_000

    /// The model to start from, if the request names one that can be read.
    ///
    /// - Parameters:
    ///   - buckets: Reads `s3:` URIs; nil if no store is configured.
    ///   - time: Now, in milliseconds since 1970.
    ///   - failed: Called with the reason why there is none.
    /// - Returns: Nil if the study starts cold.
    /// - Throws: `StorageError` if a store that may contain it is temporarily unavailable.
    func warmStart(_ buckets: S3Client?, at time: Int64, _ failed: (String) -> Void) throws -> SoftmaxRegression? {
        if let initialModel { return initialModel }
        let since = missingSince ?? time
        missingSince = since
        var model: SoftmaxRegression?
        if let artifact = request.warmStart?.artifact {
            do {
                model = try SoftmaxRegression(bytes: ArtifactFile.read(artifact, buckets))
            } catch let error as StorageError
                where error.kind == .unavailable && time - since < Self.warmStartWait
            {
                throw error
            } catch {
                failed("request \(request.id) starts cold: \(error)")
            }
        }
        initialModel = .some(model)
        return model
    }
}

/// Searches for results on `training-results`, by any writer.
struct StudyResults {
    let transport: any StreamTransport
    let topic: String

    /// Milliseconds by which a result may seem to have been written before its request, because clocks differ.
    private static let tolerance: Int64 = 86_400_000

    /// Repeats of a study that have a result, including a failed one, since the first result counts. Only results
    /// written since the request are considered, because there are none before it.
    ///
    /// A result that does not return the request's token is ignored: otherwise any writer of such a result could
    /// prevent a repeat from being computed.
    func repeats(of study: StudyRun) throws -> Set<StudyRepeat> {
        try collect(since: study.requestedAt) { object in
            guard !PredictedEvent.matches(object) else { return nil }
            let (result, token) = (try TrainingResult(json: object.value), try RequestToken(of: object))
            guard result.request == study.request.id, study.token == nil || token == study.token else { return nil }
            return StudyRepeat(request: result.request, trial: result.trial, repetition: result.repetition)
        }
    }

    /// Collects what `find` returns for the records that may have been written since a time.
    func collect<Found: Hashable>(since time: Int64, _ find: (JSONObject) throws -> Found?) throws -> Set<Found> {
        let scan = try TopicScan(transport: transport, topic: topic)
        defer { scan.close() }
        let parser = JSONParser(maximumDepth: 64, maximumSize: 16 << 20)
        var found: Set<Found> = []
        for partition in try scan.partitions() {
            let start = try scan.firstOffset(partition, since: time.subtracting(Self.tolerance))
            // A result behind another producer's open transaction is at worst computed again: the first result counts.
            try scan.forEach(partition, from: start, stable: true) { record, _, _ in
                // A record that cannot be read is a dead letter, not a result.
                guard
                    let match = try? parser.withDocument(
                        of: Array(record.value),
                        { json in try find(Envelope(json).data) }
                    )
                else { return }
                found.insert(match)
            }
        }
        return found
    }
}
