internal import DatasetFiles
internal import Events
internal import JSON
internal import Learner
internal import S3
internal import Storage
internal import StreamRuntime
internal import Vocabulary

/// A request for predictions that a trainer has in hand.
struct PendingPrediction {
    let request: PredictionRequest
    let project: ProjectID
    /// Token that the answer returns; nil where the request has none.
    let token: RequestToken?
    let topicPartition: TopicPartition
    let offset: Int64
    /// The request's append time, in milliseconds since 1970.
    let requestedAt: Int64
}

/// Requests for predictions that a trainer has in hand, and the answered ones: each request is answered once, over all
/// runs of the role.
struct PredictionDesk {
    /// Requests in hand beyond which nothing more is fetched.
    static let capacity = 256
    /// Milliseconds by which the clocks of loop and trainer may differ.
    private static let skew: Int64 = 60_000
    /// Milliseconds before an unavailable store is tried again.
    private static let pause: Int64 = 2_000
    /// Models kept in memory.
    private static let modelCapacity = 4

    /// Requests without an answer, in order of arrival.
    private(set) var pending: [PendingPrediction] = []
    /// Requests whose answers are committed, from this run or found on the topic, with their deadlines.
    private var answered: [RequestID: Int64] = [:]
    /// Deadlines of the requests that the pending transaction answers.
    private var reported: [RequestID: Int64] = [:]
    /// Time of assignment of each partition: requests made before it may have been answered by another trainer.
    private var assignedAt: [TopicPartition: Int64] = [:]
    /// Requests from before the assignment that no trainer has answered.
    private var unanswered: Set<RequestID> = []
    private var models: [(uri: String, sha256: String?, model: SoftmaxRegression)] = []
    private var retryAt: Int64 = 0

    mutating func assigned(_ partitions: [TopicPartition], at time: Int64) {
        for topicPartition in partitions { assignedAt[topicPartition] = time }
    }

    mutating func unassigned(_ partitions: [TopicPartition]) {
        for topicPartition in partitions { assignedAt[topicPartition] = nil }
        pending.removeAll { partitions.contains($0.topicPartition) }
        reported.removeAll()
        unanswered.removeAll()
    }

    mutating func add(_ prediction: PendingPrediction) {
        guard answered[prediction.request.id] == nil else { return }
        pending.append(prediction)
    }

    /// Offset of the oldest unanswered request of a partition; nil if there is none.
    func oldest(_ topicPartition: TopicPartition) -> Int64? {
        pending.first { $0.topicPartition == topicPartition }?.offset
    }

    mutating func committed(at time: Int64) {
        answered.merge(reported) { $1 }
        reported.removeAll()
        if answered.count > Self.capacity { answered = answered.filter { $0.value > time } }
    }

    /// Discards the requests, which are read again.
    mutating func aborted() {
        pending.removeAll()
        reported.removeAll()
    }

    /// Answers the pending requests whose deadlines have not passed; requests whose models are in an unavailable store
    /// stay pending.
    ///
    /// - Parameters:
    ///   - results: Checked for answers by other trainers.
    ///   - buckets: Reads `s3:` URIs; nil if no store is configured.
    ///   - now: Milliseconds since 1970.
    ///   - failed: Called with a description of the error.
    ///   - write: Called with the value of an answer.
    /// - Throws: `StreamError` if the topic of results cannot be read.
    mutating func answer(
        _ results: StudyResults,
        _ buckets: S3Client?,
        now: () -> Int64,
        failed: (String) -> Void,
        write: (PendingPrediction, [UInt8]) -> Void
    ) throws {
        let began = now()
        pending.removeAll { $0.request.deadline.milliseconds <= began }
        guard !pending.isEmpty, began >= retryAt else { return }
        try findAnswers(results)
        var waiting: [PendingPrediction] = []
        // An unavailable store is tried once per pass; requests for other models continue.
        var unavailable: Set<String> = []
        for next in pending {
            let (champion, challenger) = (next.request.champion, next.request.challenger)
            guard unavailable.isDisjoint(with: [champion.artifact.uri, challenger.artifact.uri]) else {
                waiting.append(next)
                continue
            }
            let requestBegan = now()
            let models: (champion: SoftmaxRegression?, challenger: SoftmaxRegression?)
            var faults: [String] = []
            do throws(StorageError) {
                models = (
                    try model(champion, in: buckets, faults: &faults, unavailable: &unavailable),
                    try model(challenger, in: buckets, faults: &faults, unavailable: &unavailable)
                )
            } catch {
                failed("request \(next.request.id) waits for its models: \(error)")
                retryAt = now() + Self.pause
                waiting.append(next)
                continue
            }
            let value = Self.answer(
                to: next,
                champion: models.champion,
                challenger: models.challenger,
                faults: &faults,
                since: requestBegan,
                now: now
            )
            if let fault = faults.first { failed("request \(next.request.id): \(fault)") }
            write(next, value)
            reported[next.request.id] = next.request.deadline.milliseconds
            unanswered.remove(next.request.id)
        }
        pending = waiting
    }

    /// Excludes requests that another trainer, or an earlier run, has answered.
    private mutating func findAnswers(_ results: StudyResults) throws {
        let unsure = pending.filter { prediction in
            guard let since = assignedAt[prediction.topicPartition] else { return false }
            return prediction.requestedAt <= since + Self.skew && !unanswered.contains(prediction.request.id)
        }
        guard !unsure.isEmpty else { return }
        let found = try results.answers(to: unsure)
        for prediction in unsure {
            let id = prediction.request.id
            if found.contains(id) {
                answered[id] = prediction.request.deadline.milliseconds
            } else {
                unanswered.insert(id)
            }
        }
        pending.removeAll { found.contains($0.request.id) }
        unanswered.formIntersection(pending.map(\.request.id))
    }

    // MARK: - Models

    /// Reads a model; returns nil, and adds the reason to the faults, if it can never be read.
    private mutating func model(
        _ released: ReleasedModel,
        in buckets: S3Client?,
        faults: inout [String],
        unavailable: inout Set<String>
    ) throws(StorageError) -> SoftmaxRegression? {
        let artifact = released.artifact
        if let known = models.first(where: { $0.uri == artifact.uri && $0.sha256 == artifact.sha256 }) {
            return known.model
        }
        do {
            let model = try SoftmaxRegression(bytes: ArtifactFile.read(artifact, buckets))
            models.append((artifact.uri, artifact.sha256, model))
            if models.count > Self.modelCapacity { models.removeFirst() }
            return model
        } catch let error as StorageError where error.isRemote || error.kind == .system {
            unavailable.insert(artifact.uri)
            throw error
        } catch {
            faults.append("\(released.version) cannot be loaded: \(error)")
            return nil
        }
    }

    private static func answer(
        to pending: PendingPrediction,
        champion: SoftmaxRegression?,
        challenger: SoftmaxRegression?,
        faults: inout [String],
        since began: Int64,
        now: () -> Int64
    ) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("project", pending.project.rawValue)
            writer.member("kind", PredictedEvent.kind)
            writer.member("request", pending.request.id.rawValue)
            writer.array("answers") { writer in
                for sample in pending.request.candidates {
                    writer.object { writer in
                        writer.member("sample", sample.id.rawValue)
                        if let name = name(champion, sample, &faults) {
                            writer.object("champion") { member(name, of: &$0) }
                        }
                        if let name = name(challenger, sample, &faults) {
                            writer.object("challenger") { member(name, of: &$0) }
                        }
                    }
                }
            }
            writer.member("error", ifPresent: faults.first)
            writer.member("duration_ms", max(0, now() - began))
            writer.member("token", ifPresent: pending.token)
        }
        return writer.bytes
    }

    private static func member(_ name: String, of writer: inout JSONWriter) {
        writer.member("kind", KindName.choice.rawValue)
        writer.member("class", name)
    }

    /// The likeliest class of a sample; nil if its embedding does not have the model's dimension.
    private static func name(_ model: SoftmaxRegression?, _ sample: Sample, _ faults: inout [String]) -> String? {
        guard let model else { return nil }
        guard let embedding = sample.embedding, embedding.count == model.featureCount else {
            let size = sample.embedding?.count ?? 0
            faults.append(
                "sample \(sample.id): its embedding has \(size) numbers, the model takes \(model.featureCount)"
            )
            return nil
        }
        return model.classes[model.predict(embedding.map(Double.init))]
    }
}

extension StudyResults {
    /// Requests that have an answer on the topic that returns their token.
    func answers(to predictions: [PendingPrediction]) throws -> Set<RequestID> {
        let wanted = Dictionary(predictions.map { ($0.request.id, $0) }) { first, _ in first }
        let first = predictions.map(\.requestedAt).min() ?? 0
        return try collect(since: first) { object in
            let (id, token) = (try object.string("request"), try RequestToken(of: object))
            guard PredictedEvent.matches(object), let prediction = wanted[RequestID(id)],
                prediction.token == nil || token == prediction.token
            else { return nil }
            return prediction.request.id
        }
    }
}
