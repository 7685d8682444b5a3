public import Vocabulary

extension Output {
    /// The likeliest label according to the model; nil if the output names none.
    public var top: Label? {
        var visitor = TopLabel(output: self)
        return kind.dispatch(&visitor)
    }

    /// The probability that the model assigns to its likeliest label, in `0...1`; 0 if the output states none.
    public var confidence: Double {
        var visitor = Confidence(output: self)
        return kind.dispatch(&visitor)
    }

    /// Summarizes the output for the selection of samples; nil if it is of another kind than the question.
    ///
    /// ```swift
    /// let question = Question.choice(LabelSchema(question: "Which animal?", classes: ["cat", "dog"]))
    /// let cat = ClassDistribution.Entry(label: ClassIndex(0), probability: 0.75)
    /// let dog = ClassDistribution.Entry(label: ClassIndex(1), probability: 0.25)
    /// let output = ClassDistribution([cat, dog]).map { Output.choice($0) }
    /// let facts = output?.summary(question, .margin)
    /// ```
    ///
    /// - Parameters:
    ///   - question: Question of the project.
    ///   - function: Function that scores usefulness.
    ///   - temperature: Temperature applied to the output before it is scored, above 0; 1 leaves it unchanged.
    ///   - detail: Further contents of its prediction.
    /// - Returns: Score, confidence, and the label that the model considers likeliest.
    public func summary(
        _ question: Question,
        _ function: AcquisitionFunction,
        temperature: Double = 1,
        detail: PredictionDetail = PredictionDetail()
    ) -> OutputFacts? {
        var visitor = Summary(
            output: self,
            question: question,
            function: function,
            temperature: temperature,
            detail: detail
        )
        return kind.dispatch(&visitor)
    }
}

extension Label {
    /// The answer of an annotator who states only that the label is right.
    public var answer: Answer {
        var visitor = LabelAnswer(label: self)
        return kind.dispatch(&visitor)
    }

    /// Agreement of two labels, in `0...1`; 0 for labels of different kinds.
    public func agreement(with other: Label) -> Double {
        var visitor = Agreement(a: self, b: other)
        return kind.dispatch(&visitor)
    }
}

private struct TopLabel: KindVisitor {
    let output: Output
    func visit<K: Kind>(_ kind: K.Type) -> Label? {
        K.output(output).flatMap { K.top(of: $0) }.map { K.wrapped(label: $0) }
    }
}

private struct Confidence: KindVisitor {
    let output: Output
    func visit<K: Kind>(_ kind: K.Type) -> Double { K.output(output).map { K.confidence(of: $0) } ?? 0 }
}

private struct Summary: KindVisitor {
    let output: Output
    let question: Question
    let function: AcquisitionFunction
    let temperature: Double
    let detail: PredictionDetail

    func visit<K: Kind>(_ kind: K.Type) -> OutputFacts? {
        guard let output = K.output(output), let question = K.question(question) else { return nil }
        return K.summary(output, detail: detail, question, function, temperature: temperature)
    }
}

private struct LabelAnswer: KindVisitor {
    let label: Label
    func visit<K: Kind>(_ kind: K.Type) -> Answer {
        guard let label = K.label(label) else { preconditionFailure("the rules of another kind") }
        return K.wrapped(answer: K.answer(stating: label))
    }
}

private struct Agreement: KindVisitor {
    let a: Label
    let b: Label

    func visit<K: Kind>(_ kind: K.Type) -> Double {
        guard let a = K.label(a), let b = K.label(b) else { return 0 }
        return K.agreement(a, b)
    }
}
