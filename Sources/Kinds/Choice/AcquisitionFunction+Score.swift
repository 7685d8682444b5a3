public import Vocabulary

extension AcquisitionFunction {
    /// The score of a prediction.
    ///
    /// If the evidence of a function is missing, such as ensemble members, the margin of the output is used: a model
    /// that lacks the evidence is still comparable with itself, and its audit samples and tallies continue. `random`
    /// scores 0 here; its score is the sample's draw.
    ///
    /// - Parameters:
    ///   - prediction: Known facts about the sample.
    ///   - classes: Number of classes in the label schema; a single class scores 0, unless the score is provided.
    ///   - temperature: Temperature applied to output and logits before they are scored, above 0; 1 leaves them
    ///     unchanged.
    /// - Returns: A finite number in `0...1`.
    /// - Complexity: O(*k*) in the numbers that are scored.
    /// - SeeAlso: Settles (2009), *Active Learning Literature Survey*, section 3.
    public func score(_ prediction: ScoredPrediction, classes: Int, temperature: Double = 1) -> Double {
        if self == .random { return 0 }
        if self == .provided, let score = prediction.provided { return Probability(clamping: score).value }
        guard classes > 1 else { return 0 }
        if needsMembers, let members = prediction.members, members.count > 1 {
            return ensembleScore(members, classes: classes)
        }
        let output = Calibration.apply(temperature, to: prediction, classes: classes)
        switch self {
        case .leastConfidence: return LeastConfidence.score(output, classes: classes)
        case .ratio: return Ratio.score(output, classes: classes)
        case .entropy: return Entropy.score(output, classes: classes)
        default: return Margin.score(output, classes: classes)
        }
    }

    /// The score of an output alone, over `classes` classes.
    public func score(_ output: ClassDistribution, classes: Int, temperature: Double = 1) -> Double {
        score(ScoredPrediction(output: output), classes: classes, temperature: temperature)
    }

    private func ensembleScore(_ members: EnsembleOutput, classes: Int) -> Double {
        switch self {
        case .bald: BALD.score(members)
        case .voteEntropy: VoteEntropy.score(members)
        case .consensusEntropy: ConsensusEntropy.score(members, classes: classes)
        case .klDivergence: KLDivergence.score(members)
        case .maxDisagreement: MaxDisagreement.score(members)
        default: VariationRatio.score(members)
        }
    }
}

/// Evidence that a score may be computed from.
public struct ScoredPrediction: Hashable, Sendable {
    /// The model's distribution. One that is cut to its top entries is judged as if the remainder were spread evenly over
    /// the classes that are not named.
    public var output: ClassDistribution
    /// Distributions of the members of an ensemble.
    public var members: EnsembleOutput?
    /// One finite number for each class of the schema, or for its first classes, before softmax. If present, they are
    /// scored instead of `output`.
    public var logits: [Double]?
    /// The service's own score, in `0...1`.
    public var provided: Double?

    public init(
        output: ClassDistribution,
        members: EnsembleOutput? = nil,
        logits: [Double]? = nil,
        provided: Double? = nil
    ) {
        self.output = output
        self.members = members
        self.logits = logits
        self.provided = provided
    }
}

extension ClassDistribution {
    /// The two highest probabilities over `classes` classes; the remainder is spread evenly over those without an
    /// entry.
    func topTwo(_ classes: Int) -> (first: Double, second: Double) {
        let second = entries.count > 1 ? entries[1].probability : 0
        return Self.topTwo((entries[0].probability, second), remainder: remainder, unnamed: classes - entries.count)
    }

    /// The two highest probabilities, if the remainder is spread evenly over `unnamed` classes.
    static func topTwo(
        _ named: (first: Double, second: Double),
        remainder: Double,
        unnamed: Int
    ) -> (first: Double, second: Double) {
        let share = unnamed > 0 ? remainder / Double(unnamed) : 0
        guard named.first > share else { return (share, unnamed > 1 ? share : named.first) }
        return (named.first, named.second > share ? named.second : share)
    }
}
