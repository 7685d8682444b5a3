import Kinds
import Statistics
import Testing
import Vocabulary

/// A kind with random values, for laws that hold for every kind.
protocol DrawnKind: Kind {
    static var name: KindName { get }
    static func drawnQuestion(_ generator: inout SplitMix64) -> Question
    static func drawnLabel(_ question: Question, _ generator: inout SplitMix64) -> Label
    static func drawnAnswer(_ question: Question, _ generator: inout SplitMix64) -> Answer
    static func drawnOutput(_ question: Question, _ generator: inout SplitMix64) -> Output
}

extension ChoiceKind: DrawnKind {
    static var name: KindName { .choice }

    static func drawnQuestion(_ generator: inout SplitMix64) -> LabelSchema {
        LabelSchema(question: "Which?", classes: (0..<(2 + generator.next(below: 5))).map { "class \($0)" })
    }

    static func drawnLabel(_ question: LabelSchema, _ generator: inout SplitMix64) -> ClassIndex {
        ClassIndex(generator.next(below: question.classes.count))
    }

    static func drawnAnswer(_ question: LabelSchema, _ generator: inout SplitMix64) -> ClassIndex {
        drawnLabel(question, &generator)
    }

    static func drawnOutput(_ question: LabelSchema, _ generator: inout SplitMix64) -> ClassDistribution {
        let weights = question.classes.map { _ in 0.01 + generator.nextUnit() }
        let sum = weights.reduce(0, +)
        let entries = weights.enumerated().map {
            ClassDistribution.Entry(label: ClassIndex($0.offset), probability: $0.element / sum)
        }
        return ClassDistribution(entries).unsafelyUnwrapped
    }
}

/// The laws of one kind: each describes a violation by the values of a seed, or returns nil if there is none.
struct KindLaws: Sendable, CustomStringConvertible {
    typealias Law = @Sendable (UInt64) -> String?

    let name: KindName
    let laws: [Law]
    var description: String { name.rawValue }

    static let all = [KindLaws(finite: ChoiceKind.self)]

    init<K: DrawnKind>(_ kind: K.Type) {
        name = K.name
        laws = [
            { Self.values(kind, $0) }, { Self.questions(kind, $0) }, { Self.agreement(kind, $0) },
            { Self.consensus(kind, $0) }, { Self.outputs(kind, $0) },
        ]
    }

    init<K: DrawnKind & FiniteKind>(finite kind: K.Type) {
        name = K.name
        laws = KindLaws(kind).laws + [{ Self.bayes(kind, $0) }]
    }

    /// Each value survives the round trip through its enumeration, which reports the kind's name.
    private static func values<K: DrawnKind>(_ kind: K.Type, _ seed: UInt64) -> String? {
        var generator = SplitMix64(seed: seed)
        let question = K.drawnQuestion(&generator)
        let (label, answer) = (K.drawnLabel(question, &generator), K.drawnAnswer(question, &generator))
        let output = K.drawnOutput(question, &generator)
        let kinds = [
            K.wrapped(question: question).kind, K.wrapped(label: label).kind, K.wrapped(answer: answer).kind,
            K.wrapped(output: output).kind,
        ]
        guard kinds.allSatisfy({ $0 == K.name }) else { return "\(kinds) are not all \(K.name)" }
        guard K.question(K.wrapped(question: question)) == question, K.label(K.wrapped(label: label)) == label,
            K.answer(K.wrapped(answer: answer)) == answer, K.output(K.wrapped(output: output)) == output
        else { return "a part is not found again" }
        guard K.complaint(label, under: question) == nil, K.complaint(answer, to: question) == nil,
            K.complaint(predicted: label, under: question) == nil
        else { return "what was drawn is not allowed" }
        return nil
    }

    /// An extended question allows every label that it allowed before, and is the next revision of the original one.
    private static func questions<K: DrawnKind>(_ kind: K.Type, _ seed: UInt64) -> String? {
        var generator = SplitMix64(seed: seed)
        let question = K.drawnQuestion(&generator)
        let extent = K.extent(of: question)
        guard (1...10_000).contains(extent), K.classes(of: question).count <= extent else { return "extent \(extent)" }
        guard K.fault(of: question, after: question) == nil else { return "a question does not follow itself" }
        guard K.narrowed(question, to: extent) == question, K.narrowed(question, to: .max) == question else {
            return "a question is narrowed by its own extent"
        }
        let narrower = K.narrowed(question, to: generator.next(below: extent + 1))
        guard K.fault(of: question, after: narrower) == nil else { return "\(question) does not follow \(narrower)" }
        if narrower != question, K.fault(of: narrower, after: question) == nil {
            return "\(narrower) follows \(question)"
        }
        let label = K.drawnLabel(question, &generator)
        guard K.complaint(label, under: narrower) != nil || K.complaint(label, under: question) == nil else {
            return "\(label) is allowed no more"
        }
        return nil
    }

    /// Agreement is reflexive, symmetric and within 0...1; two labels in full agreement have the same agreement with
    /// any third one: duels depend on it.
    private static func agreement<K: DrawnKind>(_ kind: K.Type, _ seed: UInt64) -> String? {
        var generator = SplitMix64(seed: seed)
        let question = K.drawnQuestion(&generator)
        let labels = (0..<12).map { _ in K.drawnLabel(question, &generator) }
        for a in labels {
            guard K.agreement(a, a) == 1 else { return "\(a) does not agree with itself" }
            for b in labels {
                let degree = K.agreement(a, b)
                guard (0...1).contains(degree) else { return "\(a) and \(b) agree by \(degree)" }
                guard degree == K.agreement(b, a) else { return "\(a) agrees with \(b) otherwise than the other way" }
                guard degree == 1 else { continue }
                for c in labels where K.agreement(a, c) != K.agreement(b, c) {
                    return "\(a) and \(b) agree, and not alike with \(c)"
                }
            }
        }
        return nil
    }

    /// The consensus does not depend on the order of votes, except by rounding in a tie; one vote's consensus is its
    /// label.
    private static func consensus<K: DrawnKind>(_ kind: K.Type, _ seed: UInt64) -> String? {
        var generator = SplitMix64(seed: seed)
        let question = K.drawnQuestion(&generator)
        guard K.consensus([], on: question) == nil else { return "nobody comes to a consensus" }
        let label = K.drawnLabel(question, &generator)
        let said = K.answer(stating: label)
        guard let alone = K.consensus([(said, 0.8)], on: question), alone.label == label, alone.supports == [true]
        else { return "one vote for \(label) does not come to it" }
        // In half of the draws all annotators have the accuracy of an unknown one.
        let isEven = generator.next(below: 2) == 0
        let votes = (0..<(1 + generator.next(below: 6))).map { _ in
            (answer: K.drawnAnswer(question, &generator), accuracy: isEven ? 0.8 : 0.01 + 0.98 * generator.nextUnit())
        }
        guard let found = K.consensus(votes, on: question) else { return "votes come to nothing" }
        guard found.posteriors.count == votes.count, found.supports.count == votes.count else {
            return "lists are short"
        }
        guard K.complaint(found.label, under: question) == nil else { return "\(found.label) is not allowed" }
        let order = SeededSampling.permutation(of: votes.count, using: &generator)
        guard let reordered = K.consensus(order.map { votes[$0] }, on: question) else { return "in order only" }
        guard abs(found.confidence.value - reordered.confidence.value) < 1e-12 else {
            return "confidence depends on order"
        }
        if found.label != reordered.label {
            // Rounding decides between equals.
            return found.confidence.value <= 0.5 + 1e-9
                ? nil : "\(found.label) or \(reordered.label), by the order of votes"
        }
        for (index, vote) in order.enumerated() where found.supports[vote] != reordered.supports[index] {
            return "support depends on order"
        }
        return nil
    }

    /// Facts of an output are within bounds, and both ways of computing them give the same result.
    private static func outputs<K: DrawnKind>(_ kind: K.Type, _ seed: UInt64) -> String? {
        var generator = SplitMix64(seed: seed)
        let question = K.drawnQuestion(&generator)
        let output = K.drawnOutput(question, &generator)
        for function in AcquisitionFunction.allCases {
            let detail = PredictionDetail(score: 0.25)
            let facts = K.summary(output, detail: detail, question, function, temperature: 1)
            guard (0...1).contains(facts.score), (0...1).contains(facts.confidence) else { return "\(facts)" }
            if function == .provided, facts.score != 0.25 { return "the service's own score is not heeded" }
            let top = K.top(of: output).map { K.wrapped(label: $0) }
            guard facts.top == top, facts.confidence == K.confidence(of: output) else { return "\(facts) are others" }
        }
        return nil
    }

    /// The consensus of a kind whose labels can be listed is Bayes' rule over them with a uniform prior.
    private static func bayes<K: DrawnKind & FiniteKind>(_ kind: K.Type, _ seed: UInt64) -> String? {
        var generator = SplitMix64(seed: seed)
        let question = K.drawnQuestion(&generator)
        let votes = (0..<(1 + generator.next(below: 5))).map { _ in
            (answer: K.drawnAnswer(question, &generator), accuracy: 0.05 + 0.9 * generator.nextUnit())
        }
        var posteriors: [K.Label: Double] = [:]
        for label in K.labels(of: question) {
            posteriors[label] = votes.reduce(1) {
                $0 * K.likelihood(of: $1.answer, given: label, accuracy: $1.accuracy, on: question)
            }
        }
        let sum = posteriors.values.reduce(0, +)
        guard let found = K.consensus(votes, on: question), let posterior = posteriors[found.label] else {
            return "no consensus among the labels that are listed"
        }
        guard abs(posterior / sum - found.confidence.value) < 1e-9 else { return "confidence is not the posterior" }
        let labels = votes.compactMap { K.consensus([$0], on: question)?.label }
        let best = labels.compactMap { posteriors[$0] }.max() ?? 0
        return posterior >= best * (1 - 1e-9) ? nil : "another label that somebody named is likelier"
    }
}

@Suite("Laws of every kind")
struct KindLawTests {
    @Test("Every kind satisfies all laws", arguments: KindLaws.all, 0..<64 as Range<UInt64>)
    func laws(kind: KindLaws, seed: UInt64) {
        for law in kind.laws { #expect(law(seed) == nil) }
    }

    @Test("Every kind is tested against the laws")
    func coverage() {
        #expect(KindLaws.all.map(\.name) == KindName.allCases)
    }

    @Test("The dispatch by kind returns the same as the rules of the kind")
    func dispatch() {
        let question = Question.choice(LabelSchema(question: "Which?", classes: ["cat", "dog", "cow"]))
        let (dog, none) = (Label.choice(ClassIndex(1)), Label.choice(ClassIndex(7)))
        #expect(question.kind == .choice && question.text == "Which?" && question.classes == ["cat", "dog", "cow"])
        #expect(question.extent == 3 && question.narrowed(to: 2).classes == ["cat", "dog"])
        #expect(question.text(of: dog) == "dog" && question.classNames(in: dog) == ["dog"])
        #expect(question.label(named: "dog") == dog && question.label(named: "yak") == nil)
        #expect(question.complaint(dog) == nil && question.complaint(dog.answer) == nil)
        #expect(question.complaint(none) == "class 7 is not in the label schema")
        #expect(question.complaint(predictions: [dog, none]) == "class 7, and there are 3, counted from 0")
        #expect(question.fault(after: question.narrowed(to: 2)) == nil)
        #expect(question.narrowed(to: 2).fault(after: question) == "removes or reorders classes")
        #expect(dog.agreement(with: dog) == 1 && dog.agreement(with: none) == 0)
        let votes = [(answer: dog.answer, accuracy: 0.8), (answer: Answer.choice(ClassIndex(0)), accuracy: 0.6)]
        #expect(question.consensus(votes)?.label == dog && question.consensus(votes)?.supports == [true, false])
        #expect(question.consensus([]) == nil)
    }

    @Test("A value of one case uses no memory of its own")
    func room() {
        #expect(MemoryLayout<Label>.stride <= 16 && MemoryLayout<Answer>.stride <= 16)
        #expect(MemoryLayout<Output>.size == MemoryLayout<ClassDistribution>.size)
    }
}
