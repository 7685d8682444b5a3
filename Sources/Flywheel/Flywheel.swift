internal import Acquisition
internal import Datasets
internal import Hashing
internal import Kinds
internal import Labeling
internal import Rollout
internal import Tables
internal import Training
public import Vocabulary

/// The loop: one deterministic step from an entry to the decisions that follow from it.
extension ProjectState {
    /// Applies one entry. No clock, no randomness but the entry's own generator, no I/O: the same entries give the same
    /// decisions, on any machine.
    ///
    /// - Parameters:
    ///   - entry: The next of the project's journal.
    ///   - appended: The broker's append time of the entry. Time never runs back: an earlier one counts as the time of the
    ///     entry before.
    /// - Returns: Decisions in the order they were made; their ids count up within the entry.
    public mutating func apply(_ entry: JournalEntry, appendedAt appended: StreamTime) -> [Decision] {
        position.value.entryNumber += 1
        position.value.time = max(position.value.time, appended)
        var step = Step(
            context: EntryContext(
                project: project,
                entryNumber: position.value.entryNumber,
                time: position.value.time,
                seed: xxh64(project.rawValue) ^ position.value.entryNumber &* 0x9E37_79B9_7F4A_7C15
            )
        )
        entries[entry.body.kind.rawValue, default: 0] += 1
        switch entry.body {
        case .configured(let revision): configure(revision, &step)
        case .engine(let build): position.value.build = build
        case .tick: position.value.ticks += 1
        default: break
        }
        guard let configuration = configuration.value else { return step.decisions }
        consider(entry.body, configuration, &step)
        passTime(configuration, &step)
        if entry.body.isTraffic { tellIdleness(configuration, &step) }
        step.decideTransitions(under: configuration)
        return step.decisions
    }

    /// A known revision changes nothing; a question may only grow, or old labels would change their meaning.
    private mutating func configure(_ revision: ProjectConfiguration, _ step: inout Step) {
        if let known = configuration.value {
            guard revision.revision > known.revision else { return }
            if let fault = revision.question.fault(after: known.question) {
                refuse(.init(.invalidConfiguration, "revision \(revision.revision) \(fault)"), &step)
                return
            }
            let before = known.question.extent
            if revision.question.extent > before {
                labeling.questionGrew(from: before)
                // What nobody could answer among the old classes may be answered now: its neighbours no longer sink.
                acquisition.classesAppended(revision.acquisition)
            }
            // Whoever applies a revision has seen what was proposed: it is taken up, or it is counted anew.
            ClassProposals.forget(in: &proposals)
            acquisition.configured(revision.acquisition, after: known.acquisition)
            acquisition.configured(revision.embedding, after: known.embedding)
        }
        // Windows are counted from the project's beginning, not from a round number of the epoch.
        if configuration.value == nil { acquisition.accounts.ledger.value.windowStart = step.context.time }
        configuration.value = revision
    }

    private mutating func consider(_ body: JournalEntry.Body, _ configuration: ProjectConfiguration, _ step: inout Step)
    {
        switch body {
        case .candidate(let candidate): receive(candidate, configuration, &step)
        case .annotation(let annotation): receive(annotation, configuration, &step)
        case .feedback(let feedback): receive(feedback, configuration, &step)
        case .trainingResult(let result): receive(result, configuration, &step)
        case .versionSealed(let version): receive(version, configuration, &step)
        case .command(let command): receive(command, configuration, &step)
        case .tally(let tallies): UnregisteredTraffic.count(tallies, in: &unregistered, at: step.context.time)
        case .importedLabel(let imported): receive(imported, configuration, &step)
        case .configured, .tick, .engine: break
        }
    }

    // MARK: - Entries

    private mutating func receive(_ received: Candidate, _ configuration: ProjectConfiguration, _ step: inout Step) {
        if let output = received.output, output.kind != configuration.question.kind {
            let (said, asked) = (output.kind.rawValue, configuration.question.kind.rawValue)
            refuse(.init(.unknownClass, "sample \(received.sample.id): an output of kind \(said), not \(asked)"), &step)
            return
        }
        // Intake refuses these; some were let through before it knew the space, or stand in an older journal.
        if let fault = acquisition.place(received.sample, configuration.embedding) {
            refuse(.init(.wrongSpace, "sample \(received.sample.id): \(fault)"), &step)
            return
        }
        let candidate = acquisition.knownSpace(configuration.embedding).name.map { received.placed(in: $0) } ?? received
        let version = candidate.model?.version
        let ordinal = version.flatMap { training.models[$0]?.datasetOrdinal } ?? 0
        acquisition.receive(candidate, modelOrdinal: ordinal, selectionContext(configuration, step.context))
        guard candidate.auditProbability != nil, let version, let label = candidate.output?.top,
            !acquisition.isImported(candidate.sample.id),
            !(datasets.labels[candidate.sample.id]?.isOutOfEvidence ?? false)
        else { return }
        rollout.predicted(
            label,
            of: candidate.sample.id,
            by: version,
            draw: candidate.auditDraw,
            isLive: true,
            at: step.context.time
        )
        if configuration.acquisition.edition >= 2,
            let notice = rollout.missShadow(version: version, policy: configuration.rollout, at: step.context.time)
        {
            step.decide(.notice(notice))
        }
        promoteIfBetter(configuration, &step)
    }

    private mutating func receive(_ annotation: Annotation, _ configuration: ProjectConfiguration, _ step: inout Step) {
        let result = labeling.receive(
            annotation,
            question: configuration.question,
            policy: configuration.labeling,
            keepsNotes: configuration.acquisition.edition >= 2,
            at: step.context.time
        )
        switch result {
        case .failure(let error): refuse(error.refusal, &step)
        case .success(let outcome): carryOut(outcome, configuration, &step)
        }
    }

    mutating func carryOut(
        _ outcome: AnnotationOutcome,
        _ configuration: ProjectConfiguration,
        _ step: inout Step
    ) {
        if outcome.isVote {
            acquisition.voteGiven(
                cost: outcome.voteCost,
                taken: outcome.voteTime,
                policy: configuration.acquisition,
                at: step.context.time
            )
        }
        if outcome.isDecline {
            acquisition.declined(
                cost: outcome.voteCost,
                taken: outcome.voteTime,
                policy: configuration.acquisition,
                at: step.context.time
            )
        }
        if outcome.votesReleased > 0 {
            acquisition.votesReleased(outcome.votesReleased, cost: outcome.voteCost)
            if let task = outcome.task, task.purpose.split == .training {
                acquisition.sliceReleased(
                    task.sample,
                    votes: outcome.votesReleased,
                    openedAt: task.openedAt,
                    policy: configuration.acquisition
                )
            }
        }
        if let task = outcome.task {
            step.decide(.task(task))
            if case .closed(.unanswerable) = task.state {
                step.decide(.notice(unanswerable(task, outcome.notes, configuration.acquisition)))
            }
        }
        if let duration = outcome.openFor { took(.label, duration) }
        if let task = outcome.task, task.purpose == .audit, case .closed = task.state {
            acquisition.auditClosed(
                task.sample.id,
                label: outcome.consensus?.label,
                policy: configuration.acquisition
            )
        }
        guard let consensus = outcome.consensus else { return }
        let accepted = datasets.accept(
            consensus,
            question: configuration.question,
            policy: configuration.datasets,
            askedBecause: outcome.task?.reason,
            at: step.context.time
        )
        switch accepted {
        case .failure(let error): refuse(error.refusal, &step)
        case .success(let fact):
            step.decide(.label(fact))
            guard fact.split == .test else { return }
            rollout.labelled(consensus.sample.id, consensus.label, at: step.context.time)
            promoteIfBetter(configuration, &step)
        }
    }

    /// What a person should know of a task that nobody could answer: from edition 2 on which samples are like it, and what
    /// people wrote.
    private mutating func unanswerable(
        _ task: LabelingTask,
        _ notes: [String],
        _ policy: AcquisitionPolicy
    ) -> Notice {
        let text = "nobody could answer task \(task.id)"
        guard policy.edition >= 2 else { return Notice(kind: .taskUnanswerable, text: text) }
        let alike =
            task.purpose.split == .training ? acquisition.unanswerable(task.sample, notes: notes, policy: policy) : []
        return Notice(unanswerable: task, notes: notes, alike: alike.map { ($0.sample, $0.notes) })
    }

    private mutating func receive(_ feedback: Feedback, _ configuration: ProjectConfiguration, _ step: inout Step) {
        acquisition.heard(feedback, selectionContext(configuration, step.context))
        let result = rollout.receive(
            feedback,
            userHash: xxh64(feedback.user.rawValue),
            policy: configuration.rollout,
            at: step.context.time
        )
        switch result {
        case .failure(let error):
            refuse(error.refusal, &step)
            return
        case .success(nil): break
        case .success(let release?):
            decide(release, &step)
            let replaced = release.replaced?.rawValue ?? ""
            step.decide(
                .notice(.init(kind: .rolledBack, text: "\(replaced) was rolled back to \(release.champion.version)"))
            )
        }
        guard let name = feedback.proposedClass, configuration.question.label(named: name) == nil,
            let notice = ClassProposals.count(name, in: &proposals)
        else { return }
        step.decide(.notice(notice))
    }

    private mutating func receive(_ result: TrainingResult, _ configuration: ProjectConfiguration, _ step: inout Step) {
        let isChecked = configuration.acquisition.edition >= 2
        let question = isChecked ? configuration.question : nil
        switch training.receive(result, under: question, at: step.context.time) {
        case .failure(let error): refuse(error.refusal, &step)
        case .success(nil): break
        case .success(let outcome?): conclude(outcome, configuration, &step)
        }
    }

    mutating func conclude(_ outcome: StudyOutcome, _ configuration: ProjectConfiguration, _ step: inout Step) {
        took(.train, outcome.duration)
        step.decide(.notice(outcome.notice(edition: configuration.acquisition.edition)))
        let shadow = rollout.phase.value.challenger?.version
        if let model = outcome.model, isReady(model, outcome, configuration, &step),
            let release = rollout.register(model, at: step.context.time)
        {
            decide(release, insteadOf: shadow, &step)
            hear(outcome.predictions, without: Set(outcome.leftOut?.testPositions ?? []), of: model, &step)
            promoteIfBetter(configuration, &step)
        }
        requestStudy(configuration, &step)
        datasets.forgetVersions(except: training.studiedVersions)
    }

    /// Asks for the next study if one is due; none is while releases are frozen.
    mutating func requestStudy(_ configuration: ProjectConfiguration, _ step: inout Step) {
        guard !rollout.isFrozen else { return }
        let cuts = datasets.cuts
        if let request = training.requestIfDue(
            policy: configuration.training,
            embedding: embeddingSpace(configuration),
            context: &step.context,
            cut: { cuts[$0].map(CutVersion.init) },
            isTaken: isForeign
        ) {
            step.decide(.training(request), id: request.id.rawValue)
        }
    }

    /// Whether a model may be released: with a champion any may shadow, without one it must have what `rollout.first` asks, and
    /// releases must not be frozen.
    private func isReady(
        _ model: ReleasedModel,
        _ outcome: StudyOutcome,
        _ configuration: ProjectConfiguration,
        _ step: inout Step
    ) -> Bool {
        guard rollout.phase.value.champion == nil else { return true }
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

    /// A function that says whether a version's name belongs to a model of somebody else.
    private var isForeign: (ModelVersion) -> Bool {
        let (rollout, unregistered) = (rollout, unregistered)
        return { rollout.knows($0) || unregistered[$0] != nil }
    }

    /// What the trainer says that the model says of the test labels: with it a challenger is judged on all of them at once.
    /// Where it left a label out it says nothing.
    private mutating func hear(
        _ predictions: [Label],
        without leftOut: Set<Int>,
        of model: ReleasedModel,
        _ step: inout Step
    ) {
        let samples = datasets.testSamples(of: model.datasetOrdinal, first: predictions.count)
        for (position, (sample, label)) in zip(samples, predictions).enumerated() where !leftOut.contains(position) {
            guard !(datasets.labels[sample]?.isOutOfEvidence ?? false) else { continue }
            rollout.predicted(label, of: sample, by: model.version, draw: 0, isLive: false, at: step.context.time)
            acquisition.auditPredicted(sample, label, modelOrdinal: model.datasetOrdinal)
        }
    }

    private mutating func receive(_ version: SealedVersion, _ configuration: ProjectConfiguration, _ step: inout Step) {
        guard let cut = datasets.seal(version) else {
            refuse(.init(.duplicate, "version \(version.ordinal) was sealed before, or never cut"), &step)
            return
        }
        took(.seal, step.context.time.milliseconds(since: cut.cutAt))
        let cuts = datasets.cuts
        let request = training.versionSealed(
            version,
            newestSampleAt: cut.newestSampleAt,
            policy: configuration.training,
            embedding: embeddingSpace(configuration),
            isStopped: rollout.isFrozen,
            context: &step.context,
            cut: { cuts[$0].map(CutVersion.init) },
            isTaken: isForeign
        )
        if let request { step.decide(.training(request), id: request.id.rawValue) }
        datasets.forgetVersions(except: training.studiedVersions)
    }

    mutating func promoteIfBetter(_ configuration: ProjectConfiguration, _ step: inout Step) {
        guard !rollout.isFrozen else { return }
        let since = rollout.phase.value.challengerSince
        let canChange = datasets.format(configuration.datasets) >= DatasetFormat.changes
        let sequence = canChange ? datasets.position.value.sequence : nil
        guard let release = rollout.promoteIfBetter(policy: configuration.rollout, labelsThrough: sequence) else {
            return
        }
        took(.judge, step.context.time.milliseconds(since: since))
        decide(release, &step)
    }

    mutating func refuse(_ refusal: Refusal, _ step: inout Step) {
        refusals[refusal.code.rawValue, default: 0] += 1
        step.decide(.refused(refusal))
    }
}
