internal import Kinds
internal import Statistics
internal import Tables
public import Vocabulary

/// Outcome of a study: the distribution of its scores, and the model that represents it.
public struct StudyOutcome: Hashable, Sendable {
    public let request: RequestID
    /// Dataset version that was trained on.
    public let dataset: SealedVersion
    public let model: ReleasedModel?
    /// Predictions of the model for the version's test labels, in the order of the manifest; empty when unknown.
    public let predictions: [Label]
    /// Scores of the chosen trial, in the order of its repeats.
    public let scores: [Double]
    public let mean: Double?
    /// The standard deviation over repeats, with *n* - 1; nil below two.
    public let standardDeviation: Double?
    /// Score on the validation labels: the mean over the repeats of the chosen trial that report it; nil if none does.
    public let validation: ValidationScore?
    /// Repeats that were reported as failed.
    public let failures: Int
    /// Repeats that were not reported before the deadline.
    public let missing: Int
    /// Repeats of all trials.
    public let repeats: Int
    /// Number of failed repeats for each machine-readable reason.
    public let reasons: [String: Int]
    /// Labels that were left out in training the model, or without a model, according to the first result; nil if all
    /// were used.
    public let leftOut: LeftOutLabels?
    /// From request to the last result, in milliseconds.
    public let duration: Int64
}

/// Facts of a version's cut.
public struct CutSummary: Hashable, Sendable {
    /// Number of the cut in the log.
    public let sequence: Int64
    /// The version's training labels that have changed since.
    public let changed: Int

    public init(sequence: Int64, changed: Int) {
        self.sequence = sequence
        self.changed = changed
    }
}

/// Decides when a study is requested, and determines its outcome.
extension TrainingState {
    /// Stores a sealed version; requests a study when enough labels are new, none is running and studies are not
    /// stopped.
    public mutating func versionSealed(
        _ version: SealedVersion,
        newestSampleAt: StreamTime,
        policy: TrainingPolicy,
        embedding: EmbeddingSpace? = nil,
        isStopped: Bool = false,
        context: inout EntryContext,
        cut: (Int) -> CutSummary? = { _ in nil },
        isTaken: (ModelVersion) -> Bool = { _ in false }
    ) -> TrainingRequest? {
        var state = progress.value
        if let waiting = state.waiting, waiting.version.versionNumber >= version.versionNumber { return nil }
        state.waiting = WaitingVersion(version: version, newestSampleAt: newestSampleAt)
        progress.value = state
        guard !isStopped else { return nil }
        return requestIfDue(
            policy: policy,
            embedding: embedding,
            context: &context,
            cut: cut,
            isTaken: isTaken
        )
    }

    /// Requests the next study if a version waits for one. One study runs at a time; of several waiting versions the
    /// newest is studied.
    ///
    /// - Parameters:
    ///   - policy: The revision in force.
    ///   - embedding: Embedding space whose labels are to be used for training; nil while it is unknown.
    ///   - context: Context of the entry.
    ///   - cut: Position in the log at which the version of a version number was cut, and the changes of its labels
    ///     since, as far as they are known.
    ///   - isTaken: Whether a model of another owner has a name: the new model then gets another name.
    /// - Returns: The request; nil if no study is due, or one is running.
    public mutating func requestIfDue(
        policy: TrainingPolicy,
        embedding: EmbeddingSpace? = nil,
        context: inout EntryContext,
        cut: (Int) -> CutSummary? = { _ in nil },
        isTaken: (ModelVersion) -> Bool = { _ in false }
    ) -> TrainingRequest? {
        var state = progress.value
        guard state.running == nil, let waiting = state.waiting else { return nil }
        let cut = cut(waiting.version.versionNumber)
        // Labels changed since the cut count as new labels of a later version.
        let labels = max(0, waiting.version.training - (cut?.changed ?? 0))
        guard labels - state.trainedLabels >= policy.newLabels || state.studies == 0 else { return nil }
        state.studies += 1
        state.trainedLabels = labels
        state.trainedThrough = cut?.sequence
        state.waiting = nil
        let request = TrainingRequest(
            id: RequestID(context.nextID()),
            dataset: waiting.version,
            modelVersion: name(state.studies, policy, isTaken),
            trials: policy.trials,
            repeats: policy.repeats,
            deadline: context.time.advanced(byMilliseconds: policy.deadline),
            priority: 0,
            warmStart: state.newest,
            embedding: embedding
        )
        state.running = Study(request: request, newestSampleAt: waiting.newestSampleAt, startedAt: context.time)
        progress.value = state
        return request
    }

    /// Records that a training label of the log has changed. Models trained on it know only its former value, so it no
    /// longer counts among the trained labels: it is new if it stays a training label, and irrelevant if it does not.
    ///
    /// - Parameters:
    ///   - sequence: Number of the fact that contained the label.
    ///   - isFirst: Whether that fact was the label's acceptance.
    public mutating func labelChanged(from sequence: Int64, isFirst: Bool) {
        let state = progress.value
        let isKnown = state.trainedThrough.map { sequence <= $0 } ?? isFirst
        if isKnown, state.trainedLabels > 0 { progress.value.trainedLabels -= 1 }
    }

    /// The name of a study's model: `v7`, or if a model of another owner has that name, `v7-2`, `v7-3` and so on.
    private func name(_ study: Int, _ policy: TrainingPolicy, _ isTaken: (ModelVersion) -> Bool) -> ModelVersion {
        let first = "\(policy.versionPrefix)\(study)"
        var (name, number) = (ModelVersion(first), 1)
        while isTaken(name) || models[name] != nil {
            number += 1
            name = ModelVersion("\(first)-\(number)")
        }
        return name
    }

    /// Whether Flywheel named the version, as far as its models are stored.
    public func hasNamed(_ version: ModelVersion) -> Bool {
        models[version] != nil || progress.value.running?.request.modelVersion == version
            || progress.value.newest?.version == version
    }

    /// Receives one result. Of two results for one (request, trial, repeat) the first counts.
    ///
    /// - Parameters:
    ///   - result: Result that a trainer reports.
    ///   - question: Question in force; nil if a result is not compared with its version.
    ///   - time: Time of the entry.
    /// - Returns: The study's outcome once every repeat of every trial is received.
    public mutating func receive(
        _ result: TrainingResult,
        under question: Question? = nil,
        at time: StreamTime
    ) -> Result<StudyOutcome?, EntryRejectionError> {
        var state = progress.value
        guard var study = state.running, study.request.id == result.request else {
            if ended[result.request] != nil {
                return .failure(.init(.studyClosed, "the study of request \(result.request) is over"))
            }
            return .failure(.init(.unknownRequest, "there is no training request \(result.request)"))
        }
        guard result.trial < study.request.trials.count, result.repetition < study.request.repeats,
            result.trial >= 0, result.repetition >= 0
        else {
            return .failure(
                .init(
                    .unknownRequest,
                    "request \(result.request) has no trial \(result.trial) repeat \(result.repetition)"
                )
            )
        }
        for known in study.results where known.trial == result.trial && known.repetition == result.repetition {
            return .failure(
                .init(
                    .duplicateResult,
                    "trial \(result.trial) repeat \(result.repetition) of \(result.request) is known"
                )
            )
        }
        if let question, let text = result.contradiction(of: study.request.dataset, under: question) {
            return .failure(.init(.contradictsVersion, text))
        }
        switch result.outcome {
        case .finished(let artifact, let score, _, let predictions):
            let repeats = study.request.trials.count * study.request.repeats
            // Only the first repeat of a trial may become the model.
            let leftOut = result.repetition == 0 ? result.leftOut : nil
            let positions = result.leftOut?.testPositions.count ?? 0
            let isKept = ((predictions?.count ?? 0) + positions) * repeats <= Self.predictionCapacity
            study.results.append(
                .init(
                    trial: result.trial,
                    repetition: result.repetition,
                    artifact: artifact,
                    score: score,
                    predictions: isKept ? predictions : nil,
                    leftOut: isKept ? leftOut : leftOut?.withoutPositions,
                    verified: result.verified,
                    validation: result.validation
                )
            )
        case .failed:
            study.results.append(
                .init(
                    trial: result.trial,
                    repetition: result.repetition,
                    artifact: nil,
                    score: nil,
                    reason: result.reason,
                    leftOut: result.repetition == 0 ? result.leftOut?.withoutPositions : nil
                )
            )
        }
        state.running = study
        progress.value = state
        return .success(study.isComplete ? conclude(study, at: time) : nil)
    }

    /// Ends a study whose deadline has expired. With fewer repeats than requested there is no reliable distribution of
    /// scores, and therefore no model.
    public mutating func expire(at time: StreamTime) -> StudyOutcome? {
        guard let study = progress.value.running, study.request.deadline <= time else { return nil }
        return conclude(study, at: time)
    }

    // MARK: - Conclusion

    private mutating func conclude(_ study: Study, at time: StreamTime) -> StudyOutcome {
        let (trial, scores) = bestTrial(study)
        let representative = study.isComplete ? firstRepeat(study, trial) : nil
        var model: ReleasedModel?
        if let artifact = representative?.artifact {
            model = ReleasedModel(
                version: study.request.modelVersion,
                artifact: artifact,
                datasetVersionNumber: study.request.dataset.versionNumber,
                newestSampleAt: study.newestSampleAt,
                verified: representative?.verified
            )
        }
        var state = progress.value
        state.running = nil
        if let model {
            state.newest = model
            store(model)
        }
        progress.value = state
        ended[study.request.id] = state.studies
        if ended.count > Self.requestCapacity,
            let oldest = ended.minimum(by: { ($0.value, $0.key) < ($1.value, $1.key) })
        {
            ended[oldest.key] = nil
        }
        var failures = 0
        var reasons: [String: Int] = [:]
        for result in study.results where result.artifact == nil {
            failures += 1
            if let reason = result.reason { reasons[reason, default: 0] += 1 }
        }
        let summary = Summary(of: scores)
        return StudyOutcome(
            request: study.request.id,
            dataset: study.request.dataset,
            model: model,
            predictions: representative?.predictions ?? [],
            scores: scores,
            mean: summary?.mean,
            standardDeviation: scores.count > 1 ? summary?.standardDeviation : nil,
            validation: validation(study, trial),
            failures: failures,
            missing: max(0, study.request.trials.count * study.request.repeats - study.results.count),
            repeats: study.request.trials.count * study.request.repeats,
            reasons: reasons,
            leftOut: model == nil ? study.results.first { $0.leftOut != nil }?.leftOut : representative?.leftOut,
            duration: time.milliseconds(since: study.startedAt)
        )
    }

    private mutating func store(_ model: ReleasedModel) {
        models[model.version] = model
        if models.count > Self.modelCapacity,
            let oldest = models.minimum(by: {
                ($0.value.datasetVersionNumber, $0.key) < ($1.value.datasetVersionNumber, $1.key)
            })
        {
            models[oldest.key] = nil
        }
    }

    /// The mean of the scores that the repeats of a trial report for the validation labels.
    private func validation(_ study: Study, _ trial: Int) -> ValidationScore? {
        let scores = study.results.filter { $0.trial == trial }.compactMap(\.validation)
        guard let first = scores.first else { return nil }
        var sum = 0.0
        for score in scores { sum += score.value }
        return ValidationScore(value: sum / Double(scores.count), items: first.items)
    }

    /// The trial with the highest mean score (of equals, the first), and its scores by repeat.
    private func bestTrial(_ study: Study) -> (Int, [Double]) {
        var best: Int?
        var bestScores: [Double] = []
        var bestMean = -Double.infinity
        for trial in study.request.trials.indices {
            let results = study.results.filter { $0.trial == trial }.sorted { $0.repetition < $1.repetition }
            let scores = results.compactMap(\.score)
            guard results.allSatisfy({ $0.artifact != nil }) else { continue }
            if best == nil { best = trial }
            guard !scores.isEmpty else { continue }
            var sum = 0.0
            for score in scores { sum += score }
            if sum / Double(scores.count) > bestMean {
                bestMean = sum / Double(scores.count)
                best = trial
                bestScores = scores
            }
        }
        return (best ?? 0, bestScores)
    }

    /// The first repeat, fixed before any score was known: selecting the best one would mistake luck for skill. Nil
    /// when a repeat failed.
    private func firstRepeat(_ study: Study, _ trial: Int) -> RepeatResult? {
        let usable = study.results.filter { $0.trial == trial && $0.artifact != nil }
        return usable.count < study.request.repeats ? nil : usable.first { $0.repetition == 0 }
    }
}

extension TrainingResult {
    /// Describes the contradiction between the result and the requested dataset version; nil if there is none.
    ///
    /// - Complexity: O(*n*) in the predictions and positions.
    func contradiction(of version: SealedVersion, under question: Question) -> String? {
        let repeated = "trial \(trial) repeat \(repetition) of \(request)"
        if let dataset, dataset != version.id {
            return "\(repeated) says version \(dataset), and the request is of \(version.id)"
        }
        let (training, test) = (version.training, version.test)
        if let leftOut {
            if leftOut.training > training {
                return "\(repeated) left out \(leftOut.training) training labels of the \(training) in \(version.id)"
            }
            if leftOut.test > test {
                return "\(repeated) left out \(leftOut.test) test labels of the \(test) in \(version.id)"
            }
            if let last = leftOut.testPositions.last, last >= test {
                return "\(repeated) left out test label \(last), and \(version.id) has \(test), counted from 0"
            }
        }
        guard case .finished(_, let score, let items, let predictions) = outcome else { return nil }
        if score != nil, items == 0, test > 0 {
            return "\(repeated) has a score over 0 test labels, and \(version.id) has \(test)"
        }
        if items > test - (leftOut?.test ?? 0) {
            let others = leftOut.map { $0.test > 0 ? " and left out \($0.test)" : "" } ?? ""
            return "\(repeated) scored \(items) test labels\(others), and \(version.id) has \(test)"
        }
        guard let predictions else { return nil }
        if let leftOut, leftOut.testPositions.count != leftOut.test {
            return
                "\(repeated) left out \(leftOut.test) test labels and names \(leftOut.testPositions.count) of them: beside predictions each is due"
        }
        if predictions.count != test {
            return
                "\(repeated) predicts \(predictions.count) test labels, and \(version.id) has \(test): one is due for each"
        }
        return question.complaint(predictions: predictions).map { "\(repeated) predicts \($0)" }
    }
}
