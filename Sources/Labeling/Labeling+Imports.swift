internal import Kinds
internal import Tables
public import Vocabulary

/// Labels that were assigned before Flywheel queried them.
extension LabelingState {
    /// Computes the consensus of an imported label. A label without annotators is accepted as it is; votes are weighted
    /// as those of unknown annotators, whatever annotators of the same names have answered here: names in another tool
    /// denote other annotators.
    ///
    /// - Parameters:
    ///   - imported: An import of labels that the question allows.
    ///   - task: The name that represents its task.
    ///   - question: Question of the project.
    ///   - time: Time of the entry.
    /// - Returns: Nil if the votes have no meaningful majority: no votes, or fewer than two classes.
    public func consensus(
        of imported: ImportedLabel,
        task: TaskID,
        question: Question,
        at time: StreamTime
    ) -> ConsensusLabel? {
        let (label, confidence, votes): (Label, Probability, [Vote])
        switch imported.answer {
        case .label(let given):
            votes = [Vote(annotator: AnnotatorID(imported.origin.source), answer: given.answer)]
            (label, confidence) = (given, Probability(clamping: 1))
        case .votes(let given):
            let accuracy = AnnotatorReliability().accuracy
            guard let majority = question.consensus(given.map { ($0.answer, accuracy) }) else { return nil }
            (label, confidence, votes) = (majority.label, majority.confidence, given)
        }
        return ConsensusLabel(
            task: task,
            sample: imported.sample,
            purpose: imported.purpose,
            label: label,
            confidence: confidence,
            votes: votes,
            predictedAt: imported.labeledAt.map { min($0, time) } ?? time,
            origin: imported.origin
        )
    }

    /// Whether an open task queries the sample.
    ///
    /// - Complexity: O(*n*) in the open tasks.
    public func isOpen(_ sample: SampleID) -> Bool {
        open.reduce(into: false) { found, _, task in if task.selection.sample.id == sample { found = true } }
    }
}
