public import Forms
public import Vocabulary

/// The rules of one kind of answers: everything that differs between kinds, for the code that makes decisions.
///
/// A kind has one folder here, and one for its codecs (`Events/Kinds`). The rules are pure: the same arguments yield
/// the same result, on any machine. The laws of `KindLaws` hold for every kind.
///
/// The enumerations of `Vocabulary` have a case for each kind; `Dispatch.swift` states which.
public protocol Kind: Sendable {
    associatedtype Question: Formed, Hashable
    associatedtype Output: Hashable, Sendable
    associatedtype Answer: Hashable, Sendable
    associatedtype Label: Hashable, Sendable

    // MARK: Values

    /// The kind's part of a value; nil if the value is of another kind.
    static func question(_ question: Vocabulary.Question) -> Question?
    static func output(_ output: Vocabulary.Output) -> Output?
    static func answer(_ answer: Vocabulary.Answer) -> Answer?
    static func label(_ label: Vocabulary.Label) -> Label?
    /// The value that contains the kind's part.
    static func wrapped(question: Question) -> Vocabulary.Question
    static func wrapped(output: Output) -> Vocabulary.Output
    static func wrapped(answer: Answer) -> Vocabulary.Answer
    static func wrapped(label: Label) -> Vocabulary.Label

    // MARK: Questions

    /// The question, for people.
    static func text(of question: Question) -> String
    /// Names of the classes that answers may contain, in their order; empty for a kind without classes.
    static func classes(of question: Question) -> [String]
    /// A measure of the answers that a question allows, in `1...10_000`: a later revision of the same question has the
    /// same extent or a larger one.
    static func extent(of question: Question) -> Int
    /// The question as it was when it had the given extent; unchanged if its extent is not larger.
    static func narrowed(_ question: Question, to extent: Int) -> Question
    /// Returns the question without the answers of some names; positions of the others may change.
    static func without(_ names: [String], _ question: Question) -> Question
    /// Describes the objection to a question as the next revision of another, as in "removes or reorders classes";
    /// nil where old answers and labels keep their meaning.
    static func fault(of question: Question, after former: Question) -> String?

    // MARK: Answers and labels

    /// Describes why a question does not allow an answer, or a label; nil if it does.
    static func complaint(_ answer: Answer, to question: Question) -> String?
    static func complaint(_ label: Label, under question: Question) -> String?
    /// Describes the objection to a label that a model is said to predict, as in "class 9, and there are 3"; nil if
    /// there is none.
    static func complaint(predicted label: Label, under question: Question) -> String?
    /// An answer, or a label, for people.
    static func text(of answer: Answer, to question: Question) -> String
    static func text(of label: Label, under question: Question) -> String
    /// The answer of an annotator who states only that a label is right: alone it yields that label.
    static func answer(stating label: Label) -> Answer
    /// Names of the classes that a label contains, in its order: dataset lines contain them in addition to the
    /// positions.
    static func classNames(in label: Label, under question: Question) -> [String]
    /// The label with a name, if names denote labels; nil if the question does not allow it.
    static func label(named name: String, under question: Question) -> Label?

    /// Aggregates several answers into a label, each weighed by the accuracy of its annotator.
    ///
    /// - Parameters:
    ///   - votes: Allowed answers, each with an accuracy in `0.01...0.99`. Their order affects only the order of the
    ///     lists, and by rounding which of several equally likely labels is selected.
    ///   - question: The question that was answered.
    /// - Returns: Nil without votes, and if the question leaves nothing to decide. A single vote yields the label that
    ///   it states.
    static func consensus(_ votes: [(answer: Answer, accuracy: Double)], on question: Question) -> Consensus<Label>?

    /// Agreement of two labels, in `0...1`: 1 for a label with itself, and symmetric; two labels with agreement 1 have
    /// the same agreement with any third label.
    static func agreement(_ a: Label, _ b: Label) -> Double

    // MARK: Outputs

    /// The likeliest label according to the model; nil if the output names none.
    static func top(of output: Output) -> Label?

    /// The probability that the model assigns to its likeliest label, in `0...1`; 0 if the output states none.
    static func confidence(of output: Output) -> Double

    /// Summarizes an output for the selection of samples.
    ///
    /// - Parameters:
    ///   - output: Output of a model.
    ///   - detail: Further contents of its prediction.
    ///   - question: Question of the project.
    ///   - function: Function that scores usefulness; for a function that the kind does not know, the kind's own
    ///     default is used.
    ///   - temperature: Temperature applied to the output before it is scored, above 0; 1 leaves it unchanged.
    /// - Returns: Score, confidence, and the label that the model considers likeliest.
    static func summary(
        _ output: Output,
        detail: PredictionDetail,
        _ question: Question,
        _ function: AcquisitionFunction,
        temperature: Double
    ) -> OutputFacts
}

/// A kind whose labels can be listed, such as `choice`.
public protocol FiniteKind: Kind {
    /// All labels that a question allows.
    static func labels(of question: Question) -> [Label]
    /// The probability of an answer of an annotator, given this label.
    ///
    /// - Returns: A probability in `0...1`; over all answers that a question allows, the probabilities sum to 1.
    static func likelihood(
        of answer: Answer,
        given label: Label,
        accuracy: Double,
        on question: Question
    ) -> Double
}

/// Result of the aggregation of several answers.
public struct Consensus<Label: Hashable & Sendable>: Hashable, Sendable {
    public let label: Label
    /// The posterior probability of the label.
    public let confidence: Probability
    /// The posterior probability that each vote is right, in the order of the votes.
    public let posteriors: [Double]
    /// Whether each vote supports the label, in the order of the votes.
    public let supports: [Bool]

    public init(label: Label, confidence: Probability, posteriors: [Double], supports: [Bool]) {
        self.label = label
        self.confidence = confidence
        self.posteriors = posteriors
        self.supports = supports
    }
}

/// Facts about one output, whatever its kind.
public struct OutputFacts: Hashable, Sendable {
    /// Usefulness of a label for the sample, in `0...1`.
    public let score: Double
    /// The probability that the model assigns to its likeliest label, in `0...1`.
    public let confidence: Double
    /// Likeliest label according to the model; nil if the output names none.
    public let top: Label?

    public init(score: Double, confidence: Double, top: Label?) {
        self.score = score
        self.confidence = confidence
        self.top = top
    }
}
