import Labeling
import Testing
import Vocabulary

let question = Question.choice(LabelSchema(question: "?", classes: ["cat", "dog", "cow"]))

func time(_ milliseconds: Int64) -> StreamTime { StreamTime(milliseconds: milliseconds) }

func selection(_ sample: String = "s", purpose: TaskPurpose = .acquisition) -> Selection {
    Selection(
        sample: Sample(id: SampleID(sample)),
        purpose: purpose,
        reason: SelectionReason(
            strategy: "margin",
            score: 0.5,
            scoredBy: nil,
            predicted: nil,
            inclusionProbability: nil
        ),
        predictedAt: time(5)
    )
}

func answer(_ task: String, _ annotator: String, _ label: Int) -> Annotation {
    Annotation(task: TaskID(task), annotator: AnnotatorID(annotator), outcome: .answer(.choice(ClassIndex(label))))
}

extension LabelingState {
    /// A state with one open task.
    init(task: String, policy: LabelingPolicy, at time: StreamTime = StreamTime(milliseconds: 100)) {
        self.init()
        _ = openTask(TaskID(task), for: selection(), question: question, policy: policy, at: time)
    }

    mutating func receive(_ annotation: Annotation, _ policy: LabelingPolicy, at milliseconds: Int64 = 200)
        -> Result<AnnotationOutcome, EntryRejectionError>
    {
        receive(annotation, question: question, policy: policy, at: time(milliseconds))
    }
}

extension Result<AnnotationOutcome, EntryRejectionError> {
    /// Why an annotation was refused, if it was.
    var refusal: EntryRejection.Code? { if case .failure(let error) = self { error.refusal.code } else { nil } }
}

/// Like `#expect(found == expected)`, for calls that mutate the value they are called on.
func expect<T: Equatable>(_ found: T, is expected: T, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(found == expected, sourceLocation: sourceLocation)
}
