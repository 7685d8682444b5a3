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
    /// Applies one entry. Uses no clock, no randomness except the entry's own generator, and no I/O: the same entries
    /// lead to the same decisions, on any machine.
    ///
    /// - Parameters:
    ///   - entry: The next entry of the project's journal.
    ///   - appended: The broker's append time of the entry. Time never runs back: an earlier time counts as the time of
    ///     the previous entry.
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
        dispatch(entry.body, configuration, &step)
        performDueActions(configuration, &step)
        if entry.body.isTraffic { reportIdleness(configuration, &step) }
        admitWaiting(configuration, &step)
        step.decideTransitions(under: configuration)
        return step.decisions
    }

    /// Applies a revision. A known revision changes nothing; a question may only grow, because otherwise old labels
    /// would change their meaning.
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
                // Samples that no annotator could answer with the old classes may be answerable now: their neighbours
                // are no longer ranked lower.
                acquisition.classesAppended(revision.acquisition)
            }
            // The author of a revision has seen the proposals: each is adopted, or counted anew.
            ClassProposals.forget(in: &proposals)
            acquisition.configured(revision.acquisition, after: known.acquisition)
            acquisition.configured(revision.embedding, after: known.embedding)
        }
        // Windows are counted from the project's beginning, not from a round number of the epoch.
        if configuration.value == nil { acquisition.accounts.ledger.value.windowStart = step.context.time }
        configuration.value = revision
    }

    private mutating func dispatch(_ body: JournalEntry.Body, _ configuration: ProjectConfiguration, _ step: inout Step)
    {
        switch body {
        case .candidate(let candidate): receive(candidate, configuration, &step)
        case .annotation(let annotation): receive(annotation, configuration, &step)
        case .feedback(let feedback): receive(feedback, configuration, &step)
        case .trainingResult(let result): receive(result, configuration, &step)
        case .predicted(let labels): receive(labels, configuration, &step)
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
            let (found, expected) = (output.kind.rawValue, configuration.question.kind.rawValue)
            refuse(
                .init(.unknownClass, "sample \(received.sample.id): an output of kind \(found), not \(expected)"),
                &step
            )
            return
        }
        // Intake refuses such candidates; some were accepted before it knew the space, or are in an older journal.
        if let fault = acquisition.resolveSpace(received.sample, configuration.embedding) {
            refuse(.init(.wrongSpace, "sample \(received.sample.id): \(fault)"), &step)
            return
        }
        let candidate = acquisition.knownSpace(configuration.embedding).name.map { received.placed(in: $0) } ?? received
        if let model = candidate.model, model.role == .champion,
            let notice = rollout.noteShown(by: model.version, policy: configuration.rollout, at: step.context.time)
        {
            step.decide(.notice(notice))
        }
        if let model = candidate.model, model.role == .champion, let label = candidate.output?.top,
            let notice = rollout.noteIgnored(
                by: model.version,
                label,
                of: configuration.question,
                predictedAt: candidate.predictedAt
            )
        {
            step.decide(.notice(notice))
        }
        let version = candidate.model?.version
        let versionNumber = version.flatMap { training.models[$0]?.datasetVersionNumber } ?? 0
        acquisition.receive(candidate, modelVersionNumber: versionNumber, selectionContext(configuration, step.context))
        if rollout.verifications.count > 0 { receiveIfDisputed(candidate, modelVersionNumber: versionNumber) }
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
            isShown: candidate.model?.role == .champion,
            trainersPredict: configuration.rollout.predicts,
            at: step.context.time
        )
        if acquisition.audit.candidates[candidate.sample.id] != nil {
            rollout.noteServed(
                candidate.sample.id,
                by: version,
                label,
                policy: configuration.rollout,
                at: step.context.time
            )
        }
        let isShadowed = configuration.rollout.shadows(candidate.sample.id, of: project)
        if configuration.acquisition.edition >= 2, isShadowed,
            let notice = rollout.noteMissingShadow(
                version: version,
                policy: configuration.rollout,
                at: step.context.time
            )
        {
            step.decide(.notice(notice))
        }
        let isWanted =
            isShadowed && !acquisition.audit.hasEnoughDuels(auditQueryRules(configuration))
            && canBePredicted(candidate.sample.id, by: version, under: configuration, in: &step)
        if let pairing = rollout.pair(
            candidate.sample.id,
            predictedBy: version,
            policy: configuration.rollout,
            isWanted: isWanted,
            isShown: candidate.model?.role == .champion,
            at: step.context.time
        ) {
            acquisition.audit.note(candidate.sample.id, pairing)
            rollout.countCandidate(candidate.sample.id, pairing)
        }
        promoteIfBetter(configuration, &step)
    }

    private mutating func receive(_ feedback: Feedback, _ configuration: ProjectConfiguration, _ step: inout Step) {
        acquisition.receive(feedback, selectionContext(configuration, step.context))
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
        case .success(let outcome):
            decide(outcome, &step)
            if outcome.notice?.kind == .feedbackRaid { findDisputedContent() }
        }
        guard let name = feedback.proposedClass, configuration.question.label(named: name) == nil,
            let notice = ClassProposals.count(name, in: &proposals)
        else { return }
        step.decide(.notice(notice))
    }

    /// Writes the decisions that follow from feedback, or from the labels that it required.
    mutating func decide(_ outcome: FeedbackOutcome, _ step: inout Step) {
        if let notice = outcome.notice { step.decide(.notice(notice)) }
        guard let release = outcome.release else { return }
        decide(release, &step)
        let broken = release.cause == .canaryRolledBack ? release.quarantined.last : release.replaced
        let replaced = broken?.rawValue ?? ""
        step.decide(
            .notice(.init(kind: .rolledBack, text: "\(replaced) was rolled back to \(release.champion.version)"))
        )
    }

    mutating func promoteIfBetter(_ configuration: ProjectConfiguration, _ step: inout Step) {
        guard !rollout.isFrozen else { return }
        let since = rollout.roles.value.challengerSince
        let canChange = datasets.format(configuration.datasets) >= DatasetFormat.changes
        let sequence = canChange ? datasets.position.value.sequence : nil
        guard let release = rollout.promoteIfBetter(policy: configuration.rollout, labelsThrough: sequence) else {
            return
        }
        recordDuration(.judge, step.context.time.milliseconds(since: since))
        decide(release, &step)
    }

    mutating func refuse(_ refusal: EntryRejection, _ step: inout Step) {
        refusals[refusal.code.rawValue, default: 0] += 1
        step.decide(.refused(refusal))
    }
}
