// Values of kind `choice`, for features that only this kind has.

extension Question {
    /// The classes to choose from; nil of another kind.
    public var schema: LabelSchema? { if case .choice(let schema) = self { schema } else { nil } }
}

extension Output {
    /// The distribution over classes; nil of another kind.
    public var distribution: ClassDistribution? { if case .choice(let output) = self { output } else { nil } }
}

extension Answer {
    /// The class; nil of another kind.
    public var classIndex: ClassIndex? { if case .choice(let index) = self { index } else { nil } }
}

extension Label {
    /// The class; nil of another kind.
    public var classIndex: ClassIndex? { if case .choice(let index) = self { index } else { nil } }
}

extension LabelingTask {
    /// The classes to choose from; none of another kind.
    public var classes: [String] { question.schema?.classes ?? [] }
}
