internal import Acquisition
internal import Datasets
internal import Kinds
internal import Labeling
internal import Rollout
internal import Tables
internal import Training
internal import Vocabulary

/// Actions that any entry may cause, because time has passed or there is something to choose from.
extension ProjectState {
    mutating func performDueActions(_ configuration: ProjectConfiguration, _ step: inout Step) {
        labeling.refreshTaskFacts(policy: configuration.labeling)
        if isDue(labeling.nextDeadline, step) {
            let expired = labeling.expire(
                question: configuration.question,
                policy: configuration.labeling,
                at: step.context.time
            )
            for outcome in expired { carryOut(outcome, configuration, &step) }
        }
        if isDue(labeling.nextAgeing(policy: configuration.labeling), step) {
            let aged = labeling.age(
                question: configuration.question,
                policy: configuration.labeling,
                at: step.context.time
            )
            for task in aged { step.decide(.task(task)) }
        }
        if isDue(training.nextDeadline, step), let outcome = training.expire(at: step.context.time) {
            conclude(outcome, configuration, &step)
        }
        advanceRollout(configuration, &step)
        requestPredictions(configuration, &step)
        openTasks(configuration, &step)
        labeling.refreshTaskFacts(policy: configuration.labeling)
        cut(configuration, &step)
    }

    /// Advances the rollout as far as time and evidence allow, and publishes shares that a revision changed.
    private mutating func advanceRollout(_ configuration: ProjectConfiguration, _ step: inout Step) {
        let outcome = rollout.advance(policy: configuration.rollout, at: step.context.time)
        if let release = outcome.release { decide(release, &step) }
        if let notice = outcome.notice { step.decide(.notice(notice)) }
        if let release = rollout.reassign(configuration.rollout) { decide(release, &step) }
    }

    private func isDue(_ deadline: StreamTime?, _ step: Step) -> Bool {
        deadline.map { $0 <= step.context.time } ?? false
    }

    private mutating func openTasks(_ configuration: ProjectConfiguration, _ step: inout Step) {
        if acquisition.verification.candidates.count > 0 {
            acquisition.verification.keep { rollout.isVerificationWanted($0) }
        }
        let context = selectionContext(configuration, step.context)
        let batch = acquisition.selectBatch(context)
        for selection in batch {
            let id = step.context.nextID()
            let task = labeling.openTask(
                TaskID(id),
                for: selection,
                question: configuration.question,
                policy: configuration.labeling,
                withholding: rollout.suppressedClasses,
                at: step.context.time
            )
            if task.purpose == .audit { rollout.auditTaskOpened() }
            if task.purpose == .verification { rollout.verificationOpened(selection.sample.id) }
            recordDuration(.select, step.context.time.milliseconds(since: selection.predictedAt))
            step.decide(.task(task), id: id)
            if let audit = selection.audit {
                rollout.opened(selection.sample.id, isDuel: audit.isDuel, at: step.context.time)
                rollout.noteQueried(selection.sample.id, audit)
                let policy = configuration.rollout
                if let notice = rollout.noteMissingPrediction(
                    of: selection.sample.id,
                    policy: policy,
                    at: step.context.time
                ) {
                    step.decide(.notice(notice))
                }
            }
        }
        reportExhaustion(context, &step)
    }

    /// Circumstances in which Acquisition queries labels.
    ///
    /// Inlined: a call would copy the whole state.
    @inline(__always)
    func selectionContext(_ configuration: ProjectConfiguration, _ entry: EntryContext) -> SelectionContext {
        SelectionContext(
            policy: configuration.sharedAcquisition,
            votesPerTask: configuration.labeling.maximumVotes,
            classes: configuration.question.extent,
            openTasks: labeling.open.count,
            newestVersionNumber: training.progress.value.newestVersionNumber,
            unlearnedLabels: unlearnedLabels,
            audit: auditQueryRules(configuration),
            auditTasksWanted: rollout.auditTasksWanted(configuration.rollout),
            disputedTasksWanted: rollout.disputedTasksWanted(configuration.rollout),
            entry: entry
        )
    }

    /// Priority of the audit samples.
    func auditQueryRules(_ configuration: ProjectConfiguration) -> AuditQueryRules {
        AuditQueryRules(
            currentPair: rollout.currentPair,
            // The labels that judge a suspected champion are from a plain random draw.
            duels: rollout.isSuspected ? 0 : configuration.rollout.duels,
            wait: configuration.rollout.shadowWait,
            pendingPredictionLimit: configuration.rollout.predicts ? Self.maximumAwaited : nil
        )
    }

    /// The embedding space in use; nil while nothing is known about it.
    func embeddingSpace(_ configuration: ProjectConfiguration) -> EmbeddingSpace? {
        let space = acquisition.knownSpace(configuration.embedding)
        return space.isUnknown ? nil : space
    }

    /// Number of queried training labels that the newest model does not know, including those of open tasks. While a
    /// study runs, no label counts as known.
    var unlearnedLabels: Int {
        datasets.position.value.training - training.progress.value.learnedLabels + labeling.openTrainingTasks
    }

    private mutating func reportExhaustion(_ context: SelectionContext, _ step: inout Step) {
        let isExhausted = acquisition.isExhausted(context) && labeling.open.isEmpty
        guard isExhausted != acquisition.accounts.schedule.value.isExhaustionReported else { return }
        acquisition.accounts.schedule.value.isExhaustionReported = isExhausted
        if isExhausted {
            step.decide(.notice(.init(kind: .budgetExhausted, text: "the window's budget holds no further task")))
        }
    }

    private mutating func cut(_ configuration: ProjectConfiguration, _ step: inout Step) {
        let (since, isMoreComing) = (datasets.position.value.waitingSince, labeling.openTrainingTasks > 0)
        let (policy, time) = (configuration.datasets, step.context.time)
        guard datasets.isCutDue(policy: policy, isMoreComing: isMoreComing, at: time) else { return }
        moveTestLabelsToTraining(configuration, &step)
        guard
            let cut = datasets.cutIfDue(
                policy: policy,
                question: configuration.question,
                embedding: embeddingSpace(configuration),
                isMoreComing: isMoreComing,
                at: time
            )
        else { return }
        if let since { recordDuration(.collect, time.milliseconds(since: since)) }
        step.decide(.cut(cut))
        // In format 1 no label is ever moved to another side.
        if cut.format >= DatasetFormat.changes { excludeNonTestLabels("version \(cut.versionNumber) is cut", &step) }
    }
}
