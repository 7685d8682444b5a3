internal import Tables

/// Where samples lie that were asked for, prepared for many looks: a cache, no part of the state.
///
/// Near is what lies within a share of how far samples asked for lie from each other. That they do lie apart is what makes it a
/// scale: of candidates any number may be copies of one.
struct KnownSamples: Sendable {
    /// How a sample lies to what is known.
    enum Likeness {
        /// It has the embedding of a sample that was asked for.
        case copy
        /// It lies near to one.
        case near
    }

    /// Samples below which their distances say nothing of how far samples lie apart.
    static let fewest = 8
    /// Samples whose nearest neighbours are looked up.
    private static let probes = 16
    /// As many shares of the way to the nearest sample asked for, in the middle, are near at most.
    private static let crowding = 5.0
    /// What is near in the unit of a sketch, for each place, where distances say nothing: as many shares.
    private static let grain: Float = 40

    /// In ascending order of length; none whose length is out of all proportion.
    private(set) var rows: PointMatrix?
    private var lengths: [Float] = []
    private var digests: Set<UInt64> = []
    private var dimension = 0
    /// The largest squared distance that is near; nil where each row has its own.
    private var limit: Float?
    private var limits: [Float] = []
    private let isOff: Bool

    /// - Parameters:
    ///   - sketches: Of what was asked for, in an order that is part of the state.
    ///   - dimension: Of the embeddings that are looked up; other sketches do not count.
    ///   - share: Samples nearer than this share of their spread are near, in `0...1`; 0: neither copies nor neighbours are.
    /// - Complexity: O(*m* · (*dimension* + log *m*)).
    init(_ sketches: [EmbeddingSketch], dimension: Int, share: Double) {
        isOff = !(share > 0)
        self.dimension = dimension
        let isAlike = sketches.allSatisfy { $0.dimension == dimension }
        let sketches = isAlike ? sketches : sketches.filter { $0.dimension == dimension }
        guard !sketches.isEmpty else { return }
        if !isOff { for sketch in sketches { if let digest = sketch.digest { digests.insert(digest) } } }
        let units = sketches.map(\.unit)
        let scale = PointMatrix.scale(of: units.map { $0 * 127 })
        guard let all = PointMatrix(sketches, scale: scale) else { return }
        let found = all.lengths
        let bound = PointMatrix.longest(of: found)
        let kept = found.indices.filter { found[$0] <= bound }
        let order = kept.sorted { found[$0] != found[$1] ? found[$0] < found[$1] : $0 < $1 }
        let near = kept.count == all.count ? all : all.rows(kept)
        rows = all.rows(order)
        lengths = order.map { found[$0] }
        guard !isOff else { return }
        if near.count < Self.fewest {
            let grain = Self.grain * Float(share) * PointMatrix.middle(of: units)
            limits = order.map { row in
                // No less than what is lost where a sketch rounds.
                let grain = max(grain, 0.51 * units[row]) / scale
                return grain * grain * Float(near.dimension)
            }
        } else {
            let crowd = Self.crowding * share
            limit = Float(min(share * share * near.typicalSpread, crowd * crowd * Double(near.nearness(Self.probes))))
        }
    }

    /// How an embedding lies to what is known.
    ///
    /// - Returns: Nil where it is near to nothing.
    /// - Complexity: O(*dimension* + log *m*), and the rows of about its length.
    func likeness(of embedding: [Float]) -> Likeness? {
        guard !isOff, let rows, embedding.count == dimension else { return nil }
        if !digests.isEmpty, let digest = EmbeddingSketch.digest(of: embedding), digests.contains(digest) {
            return .copy
        }
        let (point, length) = rows.place(EmbeddingSketch.fold(embedding))
        // Rounding must not hide a neighbour that coincides.
        let most = (limit ?? limits.max() ?? 0).squareRoot() + length * 1e-5
        let first = lengths.firstPlace { $0 >= length - most }
        let end = max(first, lengths.firstPlace { $0 > length + most })
        if let limit { return rows.isAnyWithin(limit, first..<end, of: point) ? .near : nil }
        return (first..<end).contains { rows.isWithin(limits[$0], $0, of: point) } ? .near : nil
    }
}

extension [Float] {
    /// The first place from which on a condition holds, of an array in which it goes on holding; `count` where it never does.
    ///
    /// - Complexity: O(log *n*).
    func firstPlace(where holds: (Float) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if holds(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
