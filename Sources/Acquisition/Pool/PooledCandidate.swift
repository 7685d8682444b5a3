internal import Kinds
internal import Tables
public import Vocabulary

/// Reason for which a candidate is queried only if no others are left; the raw values are in the state.
public enum SetAside: String, Hashable, Sendable, CaseIterable, Comparable {
    /// It is among unanswerable samples.
    case unanswerable
    /// It is near to a queried sample.
    case known

    /// Orders a candidate that is set aside for the greater reason later.
    public static func < (a: SetAside, b: SetAside) -> Bool { a.order < b.order }

    /// Order of a reason; candidates that are not set aside have order 0.
    var order: Int { self == .unanswerable ? 1 : 2 }
}

/// Candidate of a source, with the version number of the model that scored it.
public struct PooledCandidate: Hashable, Sendable {
    private let shared: Boxed<Candidate>
    public var candidate: Candidate { shared.value }
    /// The version number of the dataset that the scoring model was trained on; 0 if no model has scored the sample.
    public let modelVersionNumber: Int
    /// The candidate's score, stored here too: reading each candidate of a pool is most of the cost of a pass over it.
    let score: Double
    /// The probability with which a stream's rule chose it, above 0; nil where no such rule has.
    public let propensity: Double?
    /// Reason for which it is selected last; nil if it waits like any other.
    public let setAside: SetAside?
    /// Hash of some coordinates of the embedding: two candidates with different keys are no copies of each other.
    let key: UInt32

    public init(candidate: Candidate, modelVersionNumber: Int, propensity: Double? = nil, setAside: SetAside? = nil) {
        shared = Boxed(candidate)
        self.modelVersionNumber = modelVersionNumber
        score = candidate.score
        self.propensity = propensity
        self.setAside = setAside
        key = candidate.sample.embedding.map { Self.key(of: $0) } ?? 0
    }

    private init(_ other: PooledCandidate, setAside: SetAside?) {
        shared = other.shared
        modelVersionNumber = other.modelVersionNumber
        score = other.score
        propensity = other.propensity
        self.setAside = setAside
        key = other.key
    }

    /// Computes the key of an embedding; copies have equal keys.
    static func key(of embedding: [Float]) -> UInt32 {
        var key: UInt32 = 1
        let step = max(1, embedding.count / 8)
        var axis = 0
        while axis < embedding.count {
            // -0 is 0.
            key = key &* 31 &+ (embedding[axis] + 0).bitPattern
            axis += step
        }
        return key
    }

    /// Returns a copy of the candidate that is set aside for a reason; nil: one that is not set aside.
    func settingAside(_ reason: SetAside?) -> PooledCandidate { PooledCandidate(self, setAside: reason) }

    /// A total order, so that nothing depends on hashing: older models first, then lower scores, then higher ids.
    func isLessUseful(than other: PooledCandidate) -> Bool {
        (modelVersionNumber, score, other.candidate.sample.id) < (
            other.modelVersionNumber, other.score, candidate.sample.id
        )
    }

    /// Returns the selection of its sample.
    ///
    /// - Parameters:
    ///   - purpose: Purpose of the source that queries it.
    ///   - strategy: Name of the strategy, as in `margin+kmeans`.
    ///   - score: Score to record; nil for the candidate's own.
    ///   - inclusionProbability: As in `SelectionReason`.
    ///   - propensity: As in `SelectionReason`.
    ///   - triggers: Names of the triggers that fired.
    ///   - parts: Parts of the score.
    ///   - audit: Origin of an audit sample.
    /// - Returns: A selection that costs nothing.
    func selection(
        _ purpose: TaskPurpose,
        strategy: String,
        score: Double? = nil,
        inclusionProbability: Double? = nil,
        propensity: Double?,
        triggers: [String] = [],
        parts: [ScorePart] = [],
        audit: AuditOrigin? = nil
    ) -> Selection {
        let candidate = candidate
        return Selection(
            sample: candidate.sample,
            purpose: purpose,
            reason: SelectionReason(
                strategy: strategy,
                score: score ?? candidate.score,
                scoredBy: candidate.model?.version,
                predicted: candidate.output?.top,
                inclusionProbability: inclusionProbability,
                propensity: propensity,
                triggers: triggers,
                parts: parts
            ),
            predictedAt: candidate.predictedAt,
            audit: audit
        )
    }
}
