internal import Acquisition
internal import Datasets
internal import Kinds
internal import Rollout
internal import Tables
internal import Training
internal import Vocabulary

/// Labels that change once they are in the dataset log.
///
/// Other state that depends on a label follows the change, or stays as it was on purpose:
/// docs/decisions/0034-labels-change.md has the list.
extension ProjectState {
    /// Applies an operator's revision, retraction or move of a label.
    mutating func change(_ command: Command, _ configuration: ProjectConfiguration, _ step: inout Step) {
        let context = changeContext(configuration, by: command.by, reason: command.reason, step)
        switch command.action {
        case .revise(let sample, let name):
            guard let label = configuration.question.label(named: name) else {
                refuse(.init(.unknownClass, "class \"\(name)\" is not in the label schema"), &step)
                return
            }
            change(sample, under: configuration, in: &step) {
                $0.revise(sample, to: label, question: configuration.question, context)
            }
        case .retract(let sample): change(sample, under: configuration, in: &step) { $0.retract(sample, context) }
        case .move(let sample, let split):
            change(sample, under: configuration, in: &step) { $0.move(sample, to: split, context) }
        case .rollBack, .hold, .releaseHold, .freeze, .unfreeze, .approve, .suppress, .resume, .register: break
        }
    }

    /// Handles the result of a recount of the votes of a label: depending on `datasets.revise` a difference is reported
    /// to people, or the label is revised.
    ///
    /// - Parameters:
    ///   - sample: A sample with a living label.
    ///   - label: The result of the votes.
    ///   - votes: The votes in the order in which they were counted.
    ///   - confidence: The confidence that results from the votes.
    ///   - by: The author of the recount.
    ///   - reason: The reason, for people.
    ///   - configuration: The configuration in force.
    ///   - step: The step of the entry.
    mutating func handleRecount(
        _ sample: SampleID,
        to label: Label,
        votes: [Vote],
        confidence: Probability,
        by: String,
        reason: String,
        _ configuration: ProjectConfiguration,
        _ step: inout Step
    ) {
        let context = changeContext(configuration, by: by, reason: reason, step)
        switch configuration.datasets.revise {
        case .apply:
            change(sample, under: configuration, in: &step) {
                $0.revise(
                    sample,
                    to: label,
                    votes: votes,
                    confidence: confidence,
                    question: configuration.question,
                    context
                )
            }
        case .report:
            guard let row = datasets.labels[sample], row.isLiving, row.label != label,
                configuration.question.complaint(label) == nil
            else { return }
            step.decide(
                .notice(Notice(disputed: sample, from: row.label, to: label, votes, confidence, configuration.question))
            )
        }
    }

    func changeContext(
        _ configuration: ProjectConfiguration,
        by: String,
        reason: String,
        _ step: Step
    ) -> ChangeContext {
        ChangeContext(
            policy: configuration.datasets,
            by: by,
            reason: reason,
            studied: training.studiedVersions,
            time: step.context.time
        )
    }

    /// Changes a label, and updates the other state that depends on it.
    private mutating func change(
        _ sample: SampleID,
        under configuration: ProjectConfiguration,
        in step: inout Step,
        _ body: (inout DatasetsState) -> Result<LabelChange, EntryRejectionError>
    ) {
        let old = datasets.labels[sample]
        switch body(&datasets) {
        case .failure(let error): refuse(error.refusal, &step)
        case .success(let change):
            step.decide(.change(change))
            guard let old, let now = datasets.labels[sample] else { return }
            if old.split == .training {
                training.labelChanged(from: old.sequence, isFirst: old.standing == .accepted)
            }
            guard old.isTestLabel else { return }
            let label = now.isTestLabel ? now.label : nil
            acquisition.auditRelabelled(sample, label)
            let judging = label.flatMap { rollout.namesSuppressedClass($0, of: configuration.question) ? nil : $0 }
            rollout.labelChanged(sample, to: judging, from: old.sequence)
            promoteIfBetter(configuration, &step)
        }
    }
}

extension Notice {
    /// A notice that recounted votes disagree with a label.
    fileprivate init(
        disputed sample: SampleID,
        from: Label,
        to: Label,
        _ votes: [Vote],
        _ confidence: Probability,
        _ question: Question
    ) {
        let shown = votes.prefix(Self.votesShown).map { "\($0.annotator): \"\(question.text(of: $0.answer))\"" }
        let more = votes.count > Self.votesShown ? ", and \(votes.count - Self.votesShown) more" : ""
        let given = "\(shown.joined(separator: ", "))\(more)"
        let percent = Int((confidence.value * 100).rounded())
        self.init(
            kind: .labelDisputed,
            text:
                "the label of sample \(sample) is \"\(question.text(of: from))\", its votes counted anew say \"\(question.text(of: to))\" (\(percent) %; \(given)): revise it (flywheel dataset revise), or let that be done (datasets.revise: apply)"
        )
    }

    /// Maximum number of votes that a notice lists.
    private static let votesShown = 10
}
