internal import Kinds
public import Vocabulary

extension TriggerFacts {
    /// Facts of a whole output over `classes` classes; nil: no model has seen the sample. An output of another kind
    /// than `choice` has no margin, and conditions cannot refer to its classes: see `AcquisitionPolicy.choiceKey`.
    public init(_ output: Output?, score: Double, role: ModelRole?, classes: Int) {
        let distribution = output?.distribution
        self.init(
            top: distribution?.top.label.rawValue ?? (output == nil ? -1 : 0),
            confidence: output?.confidence ?? 0,
            margin: distribution.map { 1 - AcquisitionFunction.margin.score($0, classes: classes) } ?? 0,
            score: score,
            role: role
        )
    }
}

extension ClassDistribution {
    /// The probability of a class; for a class that is not named, an equal part of the remainder.
    func probability(of label: Int, classes: Int) -> Double {
        if let entry = entries.first(where: { $0.label.rawValue == label }) { return entry.probability }
        let unnamed = classes - entries.count
        return unnamed > 0 ? remainder / Double(unnamed) : 0
    }
}
