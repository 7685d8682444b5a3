internal import Tables
public import Vocabulary

/// One embedding that a space is learnt from.
public struct SeenEmbedding: Hashable, Sendable {
    /// Name of the space, as given by the prediction.
    public let space: SpaceID?
    /// Number of coordinates; at least 1.
    public let dimension: Int
    /// Norm of the embedding; finite, at least 0.
    public let norm: Double

    public init(space: SpaceID?, dimension: Int, norm: Double) {
        self.space = space
        self.dimension = dimension
        self.norm = norm
    }
}

/// The space of a project's embeddings as far as its configuration does not specify it: fixed from the first candidates
/// that carry an embedding.
public struct LearnedSpace: Hashable, Sendable {
    /// Number of embeddings from which the space is fixed.
    public static let embeddingsNeeded = 20
    /// Ratio of the largest norm in the space to the median of the nonzero norms seen.
    public static let factor = 10.0

    /// The name in the configuration when the space was learnt: under another name the learnt space does not apply.
    public let named: SpaceID?
    /// The learnt space; nil until enough embeddings have been seen.
    public let space: EmbeddingSpace?
    /// Embeddings seen, in the order of the journal; empty once the space is fixed.
    public private(set) var seen: [SeenEmbedding]

    public init(named: SpaceID? = nil, space: EmbeddingSpace? = nil, seen: [SeenEmbedding] = []) {
        self.named = named
        self.space = space
        self.seen = seen
    }

    /// True if the learnt space, or the one being learnt, agrees with a declared one.
    func agrees(with declared: EmbeddingSpace) -> Bool {
        named == declared.name
            && (space == nil || declared.dimension == nil || declared.dimension == space?.dimension)
    }

    /// Records an embedding; the last of `embeddingsNeeded` fixes the space: the commonest combination of name and
    /// dimension, of equally common ones the first seen, and the largest norm from the embeddings that have it.
    mutating func observe(_ embedding: SeenEmbedding) {
        seen.append(embedding)
        guard seen.count >= Self.embeddingsNeeded else { return }
        func isAlike(_ one: SeenEmbedding, _ other: SeenEmbedding) -> Bool {
            one.dimension == other.dimension && one.space == other.space
        }
        var (best, most) = (embedding, 0)
        for one in seen {
            let count = seen.count { isAlike($0, one) }
            if count > most { (best, most) = (one, count) }
        }
        let norms = seen.filter { isAlike($0, best) && $0.norm > 0 }.map(\.norm).sorted()
        let bounds = EmbeddingSpace.norms
        let norm =
            norms.isEmpty
            ? nil : min(max(Self.factor * norms[norms.count / 2], bounds.lowerBound), bounds.upperBound)
        self = LearnedSpace(
            named: named,
            space: EmbeddingSpace(name: best.space, dimension: best.dimension, norm: norm)
        )
    }
}

extension EmbeddingSpace {
    /// Returns the declared parts, and for the rest the learnt ones.
    public func completed(by learned: LearnedSpace) -> EmbeddingSpace {
        guard let found = learned.space, learned.agrees(with: self) else { return self }
        return EmbeddingSpace(
            name: name ?? found.name,
            dimension: dimension ?? found.dimension,
            norm: norm ?? found.norm
        )
    }
}

/// The space that a project's candidates must be in.
extension AcquisitionState {
    /// The space as far as it is known.
    ///
    /// - Parameter declared: The space in the configuration; nil if there is none.
    /// - Returns: The declared parts, and for the rest the learnt ones.
    public func knownSpace(_ declared: EmbeddingSpace?) -> EmbeddingSpace {
        (declared ?? EmbeddingSpace()).completed(by: space.value)
    }

    /// Checks the embedding of a candidate before it is added to any source. The first embeddings fix the parts that
    /// are not declared, and candidates that were added before and are outside the space are removed.
    ///
    /// - Returns: The fault that excludes the candidate; nil if there is none.
    public mutating func resolveSpace(_ sample: Sample, _ declared: EmbeddingSpace?) -> String? {
        guard let embedding = sample.embedding else { return nil }
        let known = knownSpace(declared)
        if let fault = known.fault(of: sample) { return fault }
        guard space.value.space == nil, declared?.dimension == nil || declared?.norm == nil else { return nil }
        let norm = EmbeddingSpace.norm(of: embedding)
        if space.value.named != declared?.name { space.value = LearnedSpace(named: declared?.name) }
        space.value.observe(SeenEmbedding(space: sample.space, dimension: embedding.count, norm: norm))
        guard space.value.space != nil else { return nil }
        let fixed = knownSpace(declared)
        removeCandidates { fixed.fault(of: $0) != nil }
        return fixed.fault(of: sample)
    }

    /// Applies a revision. Another name, or a dimension that differs from the previous one, begins a new space:
    /// candidates in the old one are no longer queried, and nothing is compared with it.
    public mutating func configured(_ declared: EmbeddingSpace?, after old: EmbeddingSpace?) {
        let (before, now) = (knownSpace(old), declared ?? EmbeddingSpace())
        let isOther = now.dimension != nil && before.dimension != nil && now.dimension != before.dimension
        guard now.name != old?.name || isOther else {
            // The embeddings seen may differ from the space declared now.
            if now != old ?? EmbeddingSpace(), space.value.space == nil, !space.value.seen.isEmpty {
                space.value = LearnedSpace(named: now.name)
            }
            return
        }
        space.value = LearnedSpace(named: now.name)
        removeCandidates { $0.embedding != nil }
        for slot in pool.queriedSketches.sortedKeys { pool.queriedSketches[slot] = nil }
        for slot in pool.unanswerable.sortedKeys { pool.unanswerable[slot] = nil }
    }

    private mutating func removeCandidates(where isOutside: (Sample) -> Bool) {
        for id in pool.candidates.sortedKeys {
            if let row = pool.candidates[id], isOutside(row.candidate.sample) { pool.remove(id) }
        }
        for id in audit.candidates.sortedKeys {
            if let row = audit.candidates[id], isOutside(row.candidate.sample) { audit.remove(id) }
        }
        for id in triggers.triggered.sortedKeys + triggers.pending.sortedKeys {
            let row = triggers.triggered[id] ?? triggers.pending[id]
            if let row, isOutside(row.pooled.candidate.sample) { triggers.remove(id) }
        }
    }
}
