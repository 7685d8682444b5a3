public import Events
internal import Hashing
internal import JSON
internal import Learner
internal import Statistics
public import Storage
public import StreamRuntime
internal import Vocabulary

/// The built-in trainer: multinomial logistic regression on the embeddings of a sealed dataset version.
///
/// At least once and idempotent: an artifact's bytes follow from request, trial and repeat, and are named by their digest; of
/// two results for one repeat the first in journal order counts.
public final class TrainerStage: StreamStage {
    public static let inputs: [Topic] = [.trainingRequests]

    private let topics: TopicNames
    private let artifacts: ObjectStore
    private let now: () -> Int64
    private let parser = JSONParser(maximumDepth: 64, maximumSize: 64 << 20)
    /// Called with what went wrong in a repeat.
    public var failed: (String) -> Void = { _ in }
    /// Repeats finished since the start.
    public private(set) var repeats: Int64 = 0

    public init(topics: TopicNames, artifacts: ObjectStore, now: @escaping () -> Int64) {
        self.topics = topics
        self.artifacts = artifacts
        self.now = now
    }

    public func assigned(_ partitions: [TopicPartition], committed: [TopicPartition: Int64]) throws -> [TopicPartition:
        Int64]
    {
        committed.filter { partitions.contains($0.key) }
    }

    public func unassigned(_ partitions: [TopicPartition]) {}
    public func turnEnds(now: Int64, into turn: inout Turn) throws {}
    public func willCommit(into turn: inout Turn) throws {}
    public func committed() {}
    public func aborted() {}

    public func process(_ batch: RecordBatch, topics names: [String], into turn: inout Turn) throws {
        for record in batch.records {
            let place = TopicPartition(names[record.topic], record.partition)
            do throws(JSONError) {
                let json = try parser.parse(record.value)
                let project = ProjectID(try json.object().string("project"))
                let request = try TrainingRequest(json: json)
                if request.deadline.milliseconds > now() { study(request, project, into: &turn) }
            } catch {
                failed("unreadable training request at \(place) offset \(record.offset): \(error)")
            }
            turn.advance(place, to: record.offset + 1)
        }
    }

    // MARK: - Studies

    private func study(_ request: TrainingRequest, _ project: ProjectID, into turn: inout Turn) {
        let prepared = Result { try TrainingData(request, parser: parser) }
        let parent = warmStart(request)
        for (trial, recipe) in request.trials.enumerated() {
            for repetition in 0..<request.repeats {
                let began = now()
                var outcome: TrainingResult.Outcome
                do {
                    outcome = try train(
                        try prepared.get(),
                        recipe,
                        recipe.warmStart ? parent : nil,
                        seed: xxh64("\(request.id)/\(trial)/\(repetition)"),
                        isFirst: repetition == 0
                    )
                } catch {
                    failed("request \(request.id) trial \(trial) repeat \(repetition): \(error)")
                    outcome = .failed("\(error)")
                }
                repeats += 1
                let result = TrainingResult(
                    request: request.id,
                    trial: trial,
                    repetition: repetition,
                    outcome: outcome,
                    duration: now() - began
                )
                var writer = JSONWriter()
                TrainingResultEvent(project: project, result: result).write(to: &writer)
                turn.write(
                    OutputRecord(
                        topic: topics[.trainingResults],
                        key: Array(project.rawValue.utf8),
                        value: writer.bytes,
                        headers: headers(request, project, trial, repetition)
                    )
                )
            }
        }
    }

    /// The first repeat weighs every label alike. The objective is convex, so another starting point would end in the same
    /// model; the other repeats weigh the labels anew instead, so that their scores show how much hangs on single labels.
    private func train(
        _ data: TrainingData,
        _ recipe: Recipe,
        _ parent: SoftmaxRegression?,
        seed: UInt64,
        isFirst: Bool
    ) throws -> TrainingResult.Outcome {
        var options = SoftmaxRegression.Options()
        options.inverseStrength = recipe.inverseRegularization
        let usable = parent.flatMap {
            $0.classes == data.classes && $0.featureCount == data.training.columnCount ? $0 : nil
        }
        let fit = try SoftmaxRegression.fit(
            data.training,
            labels: data.trainingLabels,
            classes: data.classes,
            sampleWeights: isFirst ? nil : Self.weights(data.trainingLabels.count, seed: seed),
            startingFrom: usable,
            options: options
        )
        let bytes = fit.model.bytes
        let digest = SHA256Digest(of: bytes).hex
        let path = "models/\(digest)"
        try artifacts.put(bytes, as: path)
        let reference = ArtifactReference(
            uri: try artifacts.uri(of: path).description,
            size: Int64(bytes.count),
            sha256: digest
        )
        var score: Double?
        var predictions: [ClassIndex]?
        if let test = data.test {
            score = fit.model.accuracy(on: test, labels: data.testLabels)
            if test.rowCount <= TrainingResult.predictionLimit {
                predictions = (0..<test.rowCount).map { ClassIndex(fit.model.predict(test.row($0))) }
            }
        }
        return .finished(
            artifact: reference,
            score: score,
            itemsScored: data.testLabels.count,
            predictions: predictions
        )
    }

    /// Weights of a smoothed Bayesian bootstrap: each the mean of eight exponential draws, so mean 1 and variance 1/8. No label
    /// is lost, as a resample would lose a third of them.
    ///
    /// - SeeAlso: Rubin (1981), *The Bayesian Bootstrap*; Newton, Raftery (1994), the weighted likelihood bootstrap.
    static func weights(_ count: Int, seed: UInt64) -> [Double] {
        var generator = SplitMix64(seed: seed)
        var weights: [Double] = []
        for _ in 0..<count {
            var sum = 0.0
            for _ in 0..<8 { sum -= Reproducible.log(1 - generator.nextUnit()) }
            weights.append(sum / 8)
        }
        return weights
    }

    private func warmStart(_ request: TrainingRequest) -> SoftmaxRegression? {
        guard let artifact = request.warmStart?.artifact else { return nil }
        do {
            return try SoftmaxRegression(bytes: ArtifactFile.read(artifact))
        } catch {
            failed("request \(request.id) starts cold: \(error)")
            return nil
        }
    }

    private func headers(_ request: TrainingRequest, _ project: ProjectID, _ trial: Int, _ repetition: Int)
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
}
