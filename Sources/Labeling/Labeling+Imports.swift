internal import Kinds
internal import Tables
public import Vocabulary

/// Labels that were given before Flywheel asked.
extension LabelingState {
    /// Computes the consensus of an imported label. A label without annotators is accepted as it is; votes are
    /// weighed as those of unknown annotators, whatever the same names have answered here: another tool's names are
    /// not these.
    ///
    /// - Parameters:
    ///   - imported: Of labels that the question allows.
    ///   - task: The name that stands for its task.
    ///   - question: Of the project.
    ///   - time: Of the entry.
    /// - Returns: Nil of votes without a majority to speak of: none, or fewer than two classes.
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

    /// Whether an open task asks for the sample.
    ///
    /// - Complexity: O(*n*) in the open tasks.
    public func isOpen(_ sample: SampleID) -> Bool {
        open.reduce(into: false) { found, _, task in if task.selection.sample.id == sample { found = true } }
    }
}
