internal import Tables
public import Vocabulary

/// A candidate of a source, and how new the model is that scored it.
public struct PooledCandidate: Hashable, Sendable {
    private let shared: Shared<Candidate>
    public var candidate: Candidate { shared.value }
    /// The ordinal of the dataset version that the scoring model was trained on; 0 when no model has seen the sample.
    public let modelOrdinal: Int
    /// The probability with which a stream's rule chose it, above 0; nil where no such rule has.
    public let propensity: Double?

    public init(candidate: Candidate, modelOrdinal: Int, propensity: Double? = nil) {
        shared = Shared(candidate)
        self.modelOrdinal = modelOrdinal
        self.propensity = propensity
    }

    /// A total order, so that nothing depends on hashing: older models first, then lower scores, then higher ids.
    func isLessUseful(than other: PooledCandidate) -> Bool {
        (modelOrdinal, candidate.score, other.candidate.sample.id) < (
            other.modelOrdinal, other.candidate.score, candidate.sample.id
        )
    }

    /// The selection of its sample.
    ///
    /// - Parameters:
    ///   - purpose: Of the source that asks.
    ///   - strategy: As in `margin+kmeans`.
    ///   - score: Nil: the candidate's own.
    ///   - inclusionProbability: As in `SelectionReason`.
    ///   - propensity: As in `SelectionReason`.
    ///   - triggers: Names of those that fired.
    ///   - parts: Of the score.
    /// - Returns: A selection that costs nothing.
    func selection(
        _ purpose: TaskPurpose,
        strategy: String,
        score: Double? = nil,
        inclusionProbability: Double? = nil,
        propensity: Double?,
        triggers: [String] = [],
        parts: [ScorePart] = []
    ) -> Selection {
        let candidate = candidate
        return Selection(
            sample: candidate.sample,
            purpose: purpose,
            reason: SelectionReason(
                strategy: strategy,
                score: score ?? candidate.score,
                scoredBy: candidate.model?.version,
                predicted: candidate.output?.top.label,
                inclusionProbability: inclusionProbability,
                propensity: propensity,
                triggers: triggers,
                parts: parts
            ),
            predictedAt: candidate.predictedAt
        )
    }
}
