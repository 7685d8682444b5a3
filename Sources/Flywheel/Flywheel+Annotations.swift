internal import Acquisition
internal import Datasets
internal import Labeling
internal import Rollout
internal import Tables
internal import Vocabulary

/// Answers, and the labels that result from them.
extension ProjectState {
    mutating func receive(_ annotation: Annotation, _ configuration: ProjectConfiguration, _ step: inout Step) {
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
        if let duration = outcome.openFor { recordDuration(.label, duration) }
        var audited: SampleID?
        if let task = outcome.task, task.purpose == .audit, case .closed = task.state {
            audited = task.sample.id
            acquisition.auditClosed(
                task.sample.id,
                label: outcome.consensus?.label,
                policy: configuration.acquisition
            )
            if outcome.consensus == nil { rollout.auditTaskWithoutLabel() }
        }
        if let task = outcome.task, task.purpose == .verification {
            if case .closed = task.state { rollout.verified(task.sample.id, outcome.consensus?.label) }
            return
        }
        let label = accept(outcome, configuration, &step)
        guard let audited else { return }
        rollout.closed(audited, label: label, policy: configuration.rollout)
        decide(rollout.judgeRollout(policy: configuration.rollout), &step)
        if label != nil {
            decide(rollout.judgeSuspicion(by: audited), &step)
            decide(rollout.judgeCanarySuspicion(by: audited), &step)
        }
        // Labels may have waited for this task, although it led to none.
        if label != nil || configuration.rollout.bound != .challenger { promoteIfBetter(configuration, &step) }
    }

    /// Accepts the label of a task that closed with one into the dataset log.
    ///
    /// - Returns: The label, if it is a test label.
    private mutating func accept(
        _ outcome: AnnotationOutcome,
        _ configuration: ProjectConfiguration,
        _ step: inout Step
    ) -> Label? {
        guard let consensus = outcome.consensus else { return nil }
        let accepted = datasets.accept(
            consensus,
            question: configuration.question,
            policy: configuration.datasets,
            queriedBecause: outcome.task?.reason,
            audit: outcome.audit,
            movesTestLabels: configuration.rollout.move,
            at: step.context.time
        )
        switch accepted {
        case .failure(let error):
            refuse(error.refusal, &step)
            return nil
        case .success(let fact):
            step.decide(.label(fact))
            guard fact.split == .test else { return nil }
            guard !rollout.namesSuppressedClass(consensus.label, of: configuration.question) else {
                // The suspected version needs another label in its place.
                rollout.auditTaskWithoutLabel()
                return nil
            }
            rollout.labelled(consensus.sample.id, consensus.label, at: step.context.time)
            return consensus.label
        }
    }

    /// Creates the notice about a task that no annotator could answer: from edition 2 on with the samples similar to
    /// it, and the notes of the annotators.
    private mutating func unanswerable(
        _ task: LabelingTask,
        _ notes: [String],
        _ policy: AcquisitionPolicy
    ) -> Notice {
        let text = "nobody could answer task \(task.id)"
        guard policy.edition >= 2 else { return Notice(kind: .taskUnanswerable, text: text) }
        let similar =
            task.purpose.split == .training
            ? acquisition.recordUnanswerable(task.sample, notes: notes, policy: policy) : []
        return Notice(unanswerable: task, notes: notes, similar: similar.map { ($0.sample, $0.notes) })
    }
}
