internal import Kinds
internal import Tables
public import Vocabulary

/// Why a candidate is asked for only where nothing else is left; the raw values are in the state.
public enum SetAside: String, Hashable, Sendable, CaseIterable, Comparable {
    /// It lies among samples that nobody could answer.
    case unanswerable
    /// It lies where a sample lies that was asked for.
    case known

    /// Orders a candidate that is set aside for the greater reason later.
    public static func < (a: SetAside, b: SetAside) -> Bool { a.order < b.order }

    /// Where a reason stands; what is not set aside stands at 0.
    var order: Int { self == .unanswerable ? 1 : 2 }
}

/// A candidate of a source, and how new the model is that scored it.
public struct PooledCandidate: Hashable, Sendable {
    private let shared: Boxed<Candidate>
    public var candidate: Candidate { shared.value }
    /// The ordinal of the dataset version that the scoring model was trained on; 0 when no model has seen the sample.
    public let modelOrdinal: Int
    /// The candidate's, here too: a look into each candidate of a pool costs most of a pass over it.
    let score: Double
    /// The probability with which a stream's rule chose it, above 0; nil where no such rule has.
    public let propensity: Double?
    /// Whether it comes last, and why; nil where it waits like any other.
    public let setAside: SetAside?
    /// Some bits of its embedding: of two that differ here, neither is a copy of the other.
    let key: UInt32

    public init(candidate: Candidate, modelOrdinal: Int, propensity: Double? = nil, setAside: SetAside? = nil) {
        shared = Boxed(candidate)
        self.modelOrdinal = modelOrdinal
        score = candidate.score
        self.propensity = propensity
        self.setAside = setAside
        key = candidate.sample.embedding.map { Self.key(of: $0) } ?? 0
    }

    private init(_ other: PooledCandidate, setAside: SetAside?) {
        shared = other.shared
        modelOrdinal = other.modelOrdinal
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
        (modelOrdinal, score, other.candidate.sample.id) < (other.modelOrdinal, other.score, candidate.sample.id)
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
    ///   - audit: Of an audit sample.
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
