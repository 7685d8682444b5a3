public import Vocabulary

// Operations on a question of any kind. An answer or label of another kind than the question's is never allowed, and
// yields no result.

extension Question {
    /// The question, for people.
    public var text: String { applying(Text()) }

    /// Names of the classes that answers may contain, in their order; empty for a kind without classes.
    public var classes: [String] { applying(Classes()) }

    /// A measure of the answers that the question allows, at least 0: the number of classes, if the kind has classes.
    public var extent: Int { applying(Extent()) }

    /// The question as it was when it had the given extent; unchanged if its extent is not larger.
    public func narrowed(to extent: Int) -> Question { applying(Narrowed(extent: extent)) }

    /// The question without answers of some names, as it is presented to annotators. Positions in it may differ:
    /// answers and labels keep those of the whole question.
    public func without(_ names: [String]) -> Question { names.isEmpty ? self : applying(Without(names: names)) }

    /// Describes the objection to it as the next revision of another, as in "removes or reorders classes"; nil
    /// where old answers and labels keep their meaning.
    public func fault(after former: Question) -> String? {
        guard kind == former.kind else { return "changes the kind of answers from \(former.kind) to \(kind)" }
        return applying(Fault(former: former))
    }

    /// Describes why the question does not allow an answer; nil if it does.
    public func complaint(_ answer: Answer) -> String? { applying(AnswerComplaint(answer: answer)) }

    /// Describes why the question does not allow a label; nil if it does.
    public func complaint(_ label: Label) -> String? { applying(LabelComplaint(label: label)) }

    /// Describes the objection to labels that a model is said to predict, as in "class 9, and there are 3"; nil if
    /// there is none.
    ///
    /// - Complexity: O(*n*) in the labels.
    public func complaint(predictions: [Label]) -> String? { applying(PredictionComplaint(labels: predictions)) }

    /// An answer for people, as in `cat`.
    public func text(of answer: Answer) -> String { applying(AnswerText(answer: answer)) }

    /// A label for people, as in `cat`.
    public func text(of label: Label) -> String { applying(LabelText(label: label)) }

    /// Names of the classes that a label contains, in its order.
    public func classNames(in label: Label) -> [String] { applying(ClassNames(label: label)) }

    /// The label with a name; nil if the question does not allow it, or if names denote no labels.
    public func label(named name: String) -> Label? { applying(NamedLabel(name: name)) }

    /// Aggregates several answers into a label, each weighed by the accuracy of its annotator; nil without any.
    ///
    /// - Complexity: O(*v*²) in the number of votes.
    public func consensus(_ votes: [(answer: Answer, accuracy: Double)]) -> Consensus<Label>? {
        applying(VotesConsensus(votes: votes))
    }

    /// Applies a rule of the kind to the kind's own part of the question.
    fileprivate func applying<R: QuestionRule>(_ rule: R) -> R.RuleResult {
        var visitor = RuleVisitor(question: self, rule: rule)
        return kind.dispatch(&visitor)
    }
}

/// Rule that is applied to a question.
private protocol QuestionRule {
    associatedtype RuleResult
    func result<K: Kind>(_ kind: K.Type, _ question: K.Question) -> RuleResult
}

private struct RuleVisitor<R: QuestionRule>: KindVisitor {
    let question: Question
    let rule: R

    func visit<K: Kind>(_ kind: K.Type) -> R.RuleResult {
        guard let question = K.question(question) else { preconditionFailure("the rules of another kind") }
        return rule.result(kind, question)
    }
}

private func wrongKindComplaint(_ kind: KindName) -> String {
    "an answer of kind \(kind.rawValue) is not one of this project"
}

private struct Text: QuestionRule {
    typealias RuleResult = String
    func result<K: Kind>(_ kind: K.Type, _ question: K.Question) -> String { K.text(of: question) }
}

private struct Classes: QuestionRule {
    typealias RuleResult = [String]
    func result<K: Kind>(_ kind: K.Type, _ question: K.Question) -> [String] { K.classes(of: question) }
}

private struct Extent: QuestionRule {
    typealias RuleResult = Int
    func result<K: Kind>(_ kind: K.Type, _ question: K.Question) -> Int { K.extent(of: question) }
}

private struct Narrowed: QuestionRule {
    typealias RuleResult = Question
    let extent: Int
    func result<K: Kind>(_ kind: K.Type, _ question: K.Question) -> Question {
        K.wrapped(question: K.narrowed(question, to: extent))
    }
}

private struct Without: QuestionRule {
    typealias RuleResult = Question
    let names: [String]
    func result<K: Kind>(_ kind: K.Type, _ question: K.Question) -> Question {
        K.wrapped(question: K.without(names, question))
    }
}

private struct Fault: QuestionRule {
    typealias RuleResult = String?
    let former: Question
    func result<K: Kind>(_ kind: K.Type, _ question: K.Question) -> String? {
        K.question(former).flatMap { K.fault(of: question, after: $0) }
    }
}

private struct AnswerComplaint: QuestionRule {
    typealias RuleResult = String?
    let answer: Answer
    func result<K: Kind>(_ kind: K.Type, _ question: K.Question) -> String? {
        guard let answer = K.answer(answer) else { return wrongKindComplaint(answer.kind) }
        return K.complaint(answer, to: question)
    }
}

private struct LabelComplaint: QuestionRule {
    typealias RuleResult = String?
    let label: Label
    func result<K: Kind>(_ kind: K.Type, _ question: K.Question) -> String? {
        guard let label = K.label(label) else { return wrongKindComplaint(label.kind) }
        return K.complaint(label, under: question)
    }
}

private struct PredictionComplaint: QuestionRule {
    typealias RuleResult = String?
    let labels: [Label]
    func result<K: Kind>(_ kind: K.Type, _ question: K.Question) -> String? {
        for label in labels {
            guard let kindLabel = K.label(label) else { return wrongKindComplaint(label.kind) }
            if let complaint = K.complaint(predicted: kindLabel, under: question) { return complaint }
        }
        return nil
    }
}

private struct AnswerText: QuestionRule {
    typealias RuleResult = String
    let answer: Answer
    func result<K: Kind>(_ kind: K.Type, _ question: K.Question) -> String {
        K.answer(answer).map { K.text(of: $0, to: question) } ?? answer.kind.rawValue
    }
}

private struct LabelText: QuestionRule {
    typealias RuleResult = String
    let label: Label
    func result<K: Kind>(_ kind: K.Type, _ question: K.Question) -> String {
        K.label(label).map { K.text(of: $0, under: question) } ?? label.kind.rawValue
    }
}

private struct ClassNames: QuestionRule {
    typealias RuleResult = [String]
    let label: Label
    func result<K: Kind>(_ kind: K.Type, _ question: K.Question) -> [String] {
        K.label(label).map { K.classNames(in: $0, under: question) } ?? []
    }
}

private struct NamedLabel: QuestionRule {
    typealias RuleResult = Label?
    let name: String
    func result<K: Kind>(_ kind: K.Type, _ question: K.Question) -> Label? {
        K.label(named: name, under: question).map { K.wrapped(label: $0) }
    }
}

private struct VotesConsensus: QuestionRule {
    typealias RuleResult = Consensus<Label>?
    let votes: [(answer: Answer, accuracy: Double)]
    func result<K: Kind>(_ kind: K.Type, _ question: K.Question) -> Consensus<Label>? {
        var kindVotes: [(answer: K.Answer, accuracy: Double)] = []
        kindVotes.reserveCapacity(votes.count)
        for vote in votes {
            guard let answer = K.answer(vote.answer) else { return nil }
            kindVotes.append((answer, vote.accuracy))
        }
        return K.consensus(kindVotes, on: question).map {
            Consensus(
                label: K.wrapped(label: $0.label),
                confidence: $0.confidence,
                posteriors: $0.posteriors,
                supports: $0.supports
            )
        }
    }
}
