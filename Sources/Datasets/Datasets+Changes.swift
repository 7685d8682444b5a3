internal import Kinds
internal import Tables
public import Vocabulary

/// Circumstances of a change of a label.
public struct ChangeContext: Sendable {
    /// The policy in force.
    public let policy: DatasetPolicy
    /// Person or role that requests the change; at most `LabelChange.longestAuthor` bytes.
    public let by: String
    /// Reason of the change, for people; at most `LabelChange.longestReason` bytes.
    public let reason: String
    /// Version numbers of the versions that wait for a study, or are studied: their lists of test labels stay
    /// unchanged.
    public let studied: [Int]
    /// Time of the entry that brings the change.
    public let time: StreamTime

    public init(policy: DatasetPolicy, by: String, reason: String, studied: [Int], time: StreamTime) {
        self.policy = policy
        self.by = by
        self.reason = reason
        self.studied = studied
        self.time = time
    }
}

/// Changes of labels that are in the log. Sealed versions stay as they are; the next one contains the change.
extension DatasetsState {
    /// Revises a label.
    ///
    /// - Parameters:
    ///   - sample: Sample of the label.
    ///   - label: New value of the label.
    ///   - votes: The answers on which it is based, empty if a person decided.
    ///   - confidence: Confidence that results from the votes.
    ///   - question: Question of the project.
    ///   - context: Author, reason and time.
    /// - Returns: The fact for the log; refused in a project of format 1, without a living label, for a label that the
    ///   question does not allow, and as `duplicate` if the label has that value already.
    public mutating func revise(
        _ sample: SampleID,
        to label: Label,
        votes: [Vote] = [],
        confidence: Probability? = nil,
        question: Question,
        _ context: ChangeContext
    ) -> Result<LabelChange, EntryRejectionError> {
        if let complaint = question.complaint(label) { return .failure(.init(.unknownClass, complaint)) }
        return living(sample, context).flatMap { row in
            guard row.label != label else {
                return .failure(
                    .init(.duplicate, "the label of sample \(sample) is \"\(question.text(of: label))\" already")
                )
            }
            let standing: LabelStanding = row.standing == .moved ? .moved : .revised
            return .success(
                change(
                    sample,
                    from: row,
                    to: (label, row.split, standing),
                    kind: .revised(from: row.label, to: label),
                    votes: votes,
                    confidence: confidence,
                    in: context
                )
            )
        }
    }

    /// Retracts a label: no later version contains it.
    ///
    /// - Returns: The fact for the log; refused in a project of format 1, and without a living label.
    public mutating func retract(_ sample: SampleID, _ context: ChangeContext) -> Result<
        LabelChange, EntryRejectionError
    > {
        living(sample, context).map { row in
            removeFromWindow(sample, row)
            return change(
                sample,
                from: row,
                to: (row.label, row.split, .retracted),
                kind: .retracted,
                votes: [],
                confidence: nil,
                in: context
            )
        }
    }

    /// Moves a label to another split. Test labels originate from the audit sample alone, so no label is moved to test;
    /// a former test label may be used for training from now on, and never for validation.
    ///
    /// - Returns: The fact for the log; refused in a project of format 1, without a living label, if the split is not
    ///   free to choose, and as `duplicate` if the label is in that split.
    public mutating func move(
        _ sample: SampleID,
        to split: Split,
        _ context: ChangeContext
    ) -> Result<LabelChange, EntryRejectionError> {
        move(sample, to: split, context, removesFromWindow: true)
    }

    // MARK: - Steps

    /// Moves a label, and removes it from the window unless that was done.
    mutating func move(
        _ sample: SampleID,
        to split: Split,
        _ context: ChangeContext,
        removesFromWindow: Bool
    ) -> Result<LabelChange, EntryRejectionError> {
        living(sample, context).flatMap { row in
            guard row.split != split else {
                return .failure(.init(.duplicate, "the label of sample \(sample) is of \(split.rawValue) already"))
            }
            guard split != .test else {
                return .failure(
                    .init(
                        .splitFixed,
                        "sample \(sample): test labels come from the audit sample alone, none is moved there"
                    )
                )
            }
            guard row.split != .test || split == .training else {
                return .failure(
                    .init(
                        .splitFixed,
                        "sample \(sample): a label that tested may train from now on, and never validates"
                    )
                )
            }
            if removesFromWindow { removeFromWindow(sample, row) }
            return .success(
                change(
                    sample,
                    from: row,
                    to: (row.label, split, .moved),
                    kind: .moved(from: row.split),
                    votes: [],
                    confidence: nil,
                    in: context
                )
            )
        }
    }

    /// Returns the row of a label that may be changed, or the reason for the refusal.
    private func living(_ sample: SampleID, _ context: ChangeContext) -> Result<LabelRow, EntryRejectionError> {
        guard format(context.policy) >= DatasetFormat.changes else {
            return .failure(
                .init(
                    .labelsFixed,
                    "sample \(sample): labels change only in dataset versions of format 2; apply a revision with datasets.format: 2"
                )
            )
        }
        guard let row = labels[sample] else {
            return .failure(.init(.unknownLabel, "sample \(sample) has no label"))
        }
        guard row.isLiving else {
            return .failure(.init(.unknownLabel, "the label of sample \(sample) was retracted"))
        }
        return .success(row)
    }

    private mutating func change(
        _ sample: SampleID,
        from row: LabelRow,
        to now: (label: Label, split: Split, standing: LabelStanding),
        kind: LabelChangeKind,
        votes: [Vote],
        confidence: Probability?,
        in context: ChangeContext
    ) -> LabelChange {
        var log = position.value
        log.sequence += 1
        log.newLabels += 1
        log.format = DatasetFormat.changes
        if log.waitingSince == nil { log.waitingSince = context.time }
        log.count(row.split, -1)
        if now.standing != .retracted { log.count(now.split, 1) }
        position.value = log
        keepFormer(sample, row, until: log.sequence, context.studied)
        countChange(of: row)
        let changed = LabelRow(
            label: now.label,
            split: now.split,
            sequence: log.sequence,
            importKey: row.importKey,
            standing: now.standing
        )
        set(sample, changed)
        return LabelChange(
            kind: kind,
            sample: sample,
            split: now.split,
            replaces: row.sequence,
            sequence: log.sequence,
            votes: votes,
            confidence: confidence,
            reason: context.reason,
            by: context.by,
            at: context.time
        )
    }
}

extension LogPosition {
    /// Adds `difference`, which may be negative, to the number of labels of a split.
    mutating func count(_ split: Split, _ difference: Int) {
        switch split {
        case .training: training += difference
        case .validation: validation += difference
        case .test: test += difference
        }
    }
}
