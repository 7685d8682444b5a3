internal import Acquisition
internal import Datasets
internal import Rollout
internal import Tables
internal import Training
internal import Vocabulary

/// Studies: they are requested for sealed versions and ended by results, and their models are registered.
extension ProjectState {
    mutating func receive(_ result: TrainingResult, _ configuration: ProjectConfiguration, _ step: inout Step) {
        let isChecked = configuration.acquisition.edition >= 2
        let question = isChecked ? configuration.question : nil
        switch training.receive(result, under: question, at: step.context.time) {
        case .failure(let error): refuse(error.refusal, &step)
        case .success(nil): break
        case .success(let outcome?): conclude(outcome, configuration, &step)
        }
    }

    mutating func conclude(_ outcome: StudyOutcome, _ configuration: ProjectConfiguration, _ step: inout Step) {
        recordDuration(.train, outcome.duration)
        step.decide(.notice(outcome.notice(edition: configuration.acquisition.edition)))
        let roles = rollout.roles.value
        if let model = outcome.model, isReady(model, after: outcome, under: configuration, in: &step) {
            excludeNonTestLabels("\(model.version) is registered", &step)
            if let release = rollout.register(model, policy: configuration.rollout, at: step.context.time) {
                decide(release, insteadOf: roles.challenger?.version, &step)
            } else if rollout.roles.value.waiting == model {
                step.wait(model.version, for: roles.challenger?.version, insteadOf: roles.waiting?.version)
            }
            scoreTestPredictions(
                outcome.predictions,
                without: Set(outcome.leftOut?.testPositions ?? []),
                of: model,
                &step
            )
            promoteIfBetter(configuration, &step)
        }
        requestStudy(configuration, &step)
        datasets.forgetVersions(except: training.studiedVersions)
    }

    /// Requests the next study if one is due; none is due while releases are frozen.
    mutating func requestStudy(_ configuration: ProjectConfiguration, _ step: inout Step) {
        guard !rollout.isFrozen else { return }
        let cuts = datasets.cuts
        if let request = training.requestIfDue(
            policy: configuration.training,
            embedding: embeddingSpace(configuration),
            context: &step.context,
            cut: { cuts[$0].map(CutSummary.init) },
            isTaken: isForeign
        ) {
            step.decide(.training(request), id: request.id.rawValue)
        }
    }

    /// Whether a model may be released: if there is a champion, any model may shadow; otherwise the model must meet the
    /// conditions of `rollout.first`, and releases must not be frozen.
    private func isReady(
        _ model: ReleasedModel,
        after outcome: StudyOutcome,
        under configuration: ProjectConfiguration,
        in step: inout Step
    ) -> Bool {
        guard rollout.roles.value.champion == nil else { return true }
        guard !rollout.isFrozen else {
            step.keepBack(model.version, because: "releases are frozen")
            return false
        }
        guard
            let lack = configuration.rollout.first.lack(
                trainingLabels: outcome.dataset.training - (outcome.leftOut?.training ?? 0),
                testLabels: outcome.dataset.test - (outcome.leftOut?.test ?? 0),
                score: outcome.mean
            )
        else { return true }
        step.decide(
            .notice(.init(kind: .firstModelWaits, text: "\(model.version) does not go live (rollout.first): \(lack)"))
        )
        step.keepBack(model.version, because: "it has \(lack)")
        return false
    }

    /// A predicate: whether a version's name belongs to a model of another party.
    private var isForeign: (ModelVersion) -> Bool {
        let (rollout, unregistered) = (rollout, unregistered)
        return { rollout.knows($0) || unregistered[$0] != nil }
    }

    /// Records the trainer's report of the model's predictions for the test labels: with it a challenger is judged
    /// on all of them at once. A label that the trainer left out has no prediction.
    private mutating func scoreTestPredictions(
        _ predictions: [Label],
        without leftOut: Set<Int>,
        of model: ReleasedModel,
        _ step: inout Step
    ) {
        let samples = datasets.testSamples(of: model.datasetVersionNumber, first: predictions.count)
        for (position, (sample, label)) in zip(samples, predictions).enumerated() where !leftOut.contains(position) {
            guard !(datasets.labels[sample]?.isOutOfEvidence ?? false) else { continue }
            rollout.predicted(label, of: sample, by: model.version, draw: 0, isLive: false, at: step.context.time)
            acquisition.auditPredicted(sample, label, modelVersionNumber: model.datasetVersionNumber)
        }
    }

    mutating func receive(_ version: SealedVersion, _ configuration: ProjectConfiguration, _ step: inout Step) {
        guard let cut = datasets.seal(version) else {
            refuse(.init(.duplicate, "version \(version.versionNumber) was sealed before, or never cut"), &step)
            return
        }
        recordDuration(.seal, step.context.time.milliseconds(since: cut.cutAt))
        let cuts = datasets.cuts
        let request = training.versionSealed(
            version,
            newestSampleAt: cut.newestSampleAt,
            policy: configuration.training,
            embedding: embeddingSpace(configuration),
            isStopped: rollout.isFrozen,
            context: &step.context,
            cut: { cuts[$0].map(CutSummary.init) },
            isTaken: isForeign
        )
        if let request { step.decide(.training(request), id: request.id.rawValue) }
        datasets.forgetVersions(except: training.studiedVersions)
    }
}
