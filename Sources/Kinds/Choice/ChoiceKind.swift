internal import Statistics
public import Vocabulary

/// Kind `choice`: the answer and the label are exactly one class.
public enum ChoiceKind: FiniteKind {
    public typealias Question = LabelSchema
    public typealias Output = ClassDistribution
    public typealias Answer = ClassIndex
    public typealias Label = ClassIndex

    // MARK: - Values

    public static func question(_ question: Vocabulary.Question) -> LabelSchema? { question.schema }
    public static func output(_ output: Vocabulary.Output) -> ClassDistribution? { output.distribution }
    public static func answer(_ answer: Vocabulary.Answer) -> ClassIndex? { answer.classIndex }
    public static func label(_ label: Vocabulary.Label) -> ClassIndex? { label.classIndex }
    public static func wrapped(question: LabelSchema) -> Vocabulary.Question { .choice(question) }
    public static func wrapped(output: ClassDistribution) -> Vocabulary.Output { .choice(output) }
    public static func wrapped(answer: ClassIndex) -> Vocabulary.Answer { .choice(answer) }
    public static func wrapped(label: ClassIndex) -> Vocabulary.Label { .choice(label) }

    // MARK: - Questions

    public static func text(of question: LabelSchema) -> String { question.question }
    public static func classes(of question: LabelSchema) -> [String] { question.classes }
    public static func extent(of question: LabelSchema) -> Int { question.classes.count }
    public static func narrowed(_ question: LabelSchema, to extent: Int) -> LabelSchema { question.prefix(extent) }
    public static func without(_ names: [String], _ question: LabelSchema) -> LabelSchema {
        LabelSchema(question: question.question, classes: question.classes.filter { !names.contains($0) })
    }

    public static func fault(of question: LabelSchema, after former: LabelSchema) -> String? {
        question.classes.starts(with: former.classes) ? nil : "removes or reorders classes"
    }

    // MARK: - Answers and labels

    public static func complaint(_ answer: ClassIndex, to question: LabelSchema) -> String? {
        question.contains(answer) ? nil : "class \(answer.rawValue) is not in the label schema"
    }

    public static func complaint(_ label: ClassIndex, under question: LabelSchema) -> String? {
        complaint(label, to: question)
    }

    public static func complaint(predicted label: ClassIndex, under question: LabelSchema) -> String? {
        guard !question.contains(label) else { return nil }
        return "class \(label.rawValue), and there are \(question.classes.count), counted from 0"
    }

    public static func text(of answer: ClassIndex, to question: LabelSchema) -> String { question.name(of: answer) }
    public static func text(of label: ClassIndex, under question: LabelSchema) -> String { question.name(of: label) }

    public static func answer(stating label: ClassIndex) -> ClassIndex { label }

    public static func classNames(in label: ClassIndex, under question: LabelSchema) -> [String] {
        [question.name(of: label)]
    }

    public static func label(named name: String, under question: LabelSchema) -> ClassIndex? {
        question.index(of: name)
    }

    public static func consensus(
        _ votes: [(answer: ClassIndex, accuracy: Double)],
        on question: LabelSchema
    ) -> Consensus<ClassIndex>? {
        let votes = votes.map { (label: $0.answer, accuracy: $0.accuracy) }
        guard let majority = WeightedMajority(votes: votes, classes: question.classes.count) else { return nil }
        return Consensus(
            label: majority.label,
            confidence: majority.confidence,
            posteriors: majority.posteriors,
            supports: votes.map { $0.label == majority.label }
        )
    }

    /// 1 for the same class, else 0.
    public static func agreement(_ a: ClassIndex, _ b: ClassIndex) -> Double { a == b ? 1 : 0 }

    public static func labels(of question: LabelSchema) -> [ClassIndex] {
        question.classes.indices.map { ClassIndex($0) }
    }

    /// Likelihood under the one-coin model: see `WeightedMajority`.
    public static func likelihood(
        of answer: ClassIndex,
        given label: ClassIndex,
        accuracy: Double,
        on question: LabelSchema
    ) -> Double {
        answer == label ? accuracy : (1 - accuracy) / Double(max(1, question.classes.count - 1))
    }

    // MARK: - Outputs

    public static func top(of output: ClassDistribution) -> ClassIndex? { output.top.label }
    public static func confidence(of output: ClassDistribution) -> Double { output.top.probability }

    public static func summary(
        _ output: ClassDistribution,
        detail: PredictionDetail,
        _ question: LabelSchema,
        _ function: AcquisitionFunction,
        temperature: Double
    ) -> OutputFacts {
        let prediction = ScoredPrediction(
            output: output,
            members: detail.members,
            logits: detail.logits,
            provided: detail.score
        )
        return OutputFacts(
            score: function.score(prediction, classes: question.classes.count, temperature: temperature),
            confidence: output.top.probability,
            top: .choice(output.top.label)
        )
    }
}
