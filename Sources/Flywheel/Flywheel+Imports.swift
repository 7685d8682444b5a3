internal import Acquisition
internal import Datasets
internal import Kinds
internal import Labeling
internal import Rollout
internal import Tables
internal import Vocabulary

/// Labels that were assigned before a query by Flywheel.
extension ProjectState {
    /// Accepts an imported label into training or validation, never into the test labels: those come only from the
    /// audit sample, from which the labelled sample is removed.
    mutating func receive(
        _ received: ImportedLabel,
        _ configuration: ProjectConfiguration,
        _ step: inout Step
    ) {
        if let refusal = refusal(of: received, configuration) {
            refuse(refusal, &step)
            return
        }
        let id = step.context.nextID()
        func consensus(of label: ImportedLabel) -> ConsensusLabel? {
            labeling.consensus(of: label, task: TaskID(id), question: configuration.question, at: step.context.time)
        }
        guard let incoming = consensus(of: received) else { return }
        if let known = datasets.labels[received.sample.id] {
            let (knownText, incomingText) = (
                configuration.question.text(of: known.label), configuration.question.text(of: incoming.label)
            )
            let what = "label \"\(knownText)\" (\(known.split.rawValue))"
            let text =
                known.isLiving
                ? "sample \(received.sample.id) has \(what)"
                : "the \(what) of sample \(received.sample.id) was retracted, which holds"
            let isSame = known.isLiving && known.label == incoming.label
            refuse(
                isSame
                    ? .init(.duplicate, text) : .init(.labelConflict, "\(text), the import says \"\(incomingText)\""),
                &step
            )
            return
        }
        // The first embeddings determine the space, but only those of accepted labels; a label whose embedding is in
        // another space is nevertheless valid.
        let isInSpace = acquisition.resolveSpace(received.sample, configuration.embedding) == nil
        let imported = acquisition.knownSpace(configuration.embedding).name.map { received.placed(in: $0) } ?? received
        guard let consensus = consensus(of: imported) else { return }
        let result = datasets.accept(
            consensus,
            question: configuration.question,
            policy: configuration.datasets,
            imported: imported.key,
            at: step.context.time
        )
        switch result {
        case .failure(let error): refuse(error.refusal, &step)
        case .success(let fact):
            rollout.forget(imported.sample.id)
            acquisition.imported(
                consensus.sample,
                consensus.purpose,
                isInSpace: isInSpace,
                selectionContext(configuration, step.context)
            )
            step.decide(.label(fact), id: id)
        }
    }

    /// Reason for refusing a label, whatever its value.
    private mutating func refusal(of imported: ImportedLabel, _ configuration: ProjectConfiguration) -> EntryRejection?
    {
        let question = configuration.question
        let complaint =
            switch imported.answer {
            case .label(let label): question.complaint(label)
            case .votes(let votes): votes.lazy.compactMap { question.complaint($0.answer) }.first
            }
        if let complaint { return EntryRejection(.unknownClass, complaint) }
        if datasets.hasImported(imported.key) {
            return EntryRejection(.duplicate, "\(imported.origin.id) of \(imported.origin.source) was imported before")
        }
        let sample = imported.sample.id
        if acquisition.accounts.queried[sample] != nil, datasets.labels[sample] == nil, labeling.isOpen(sample) {
            return EntryRejection(.sampleQueried, "sample \(sample) is being asked for: the answers of its task count")
        }
        if configuration.acquisition.edition >= 2, acquisition.accounts.queried[sample] == nil,
            let text = sideConflict(of: imported.sample, imported.purpose)
        {
            return EntryRejection(.sampleQueried, text)
        }
        return nil
    }

    /// Describes the objection to an imported label: its content or its group is on another side under another
    /// name; nil where there is none.
    private func sideConflict(of sample: Sample, _ purpose: TaskPurpose) -> String? {
        switch acquisition.sides.obstacle(sample, purpose) {
        case .copy(let first)? where first.split != purpose.split:
            "the content of sample \(sample.id) is known under another id, as \(first.split?.rawValue ?? first.rawValue)"
        case .group(let first)?:
            "group \(sample.group?.rawValue ?? "") of sample \(sample.id) is known, as \(first.split?.rawValue ?? first.rawValue)"
        default: nil
        }
    }
}
