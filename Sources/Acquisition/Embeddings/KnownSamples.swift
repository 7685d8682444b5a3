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

    /// What is known, in the order in which it was given.
    private var sketches: [EmbeddingSketch] = []
    /// A row for each.
    private var all: PointMatrix?
    /// Of each row.
    private var lengths: [Float] = []
    /// How many have each digest.
    private var digests: [UInt64: Int] = [:]
    private var dimension = 0
    private var isOff = true
    /// What is known but for what is longer than all proportion, in the order in which it was given.
    private(set) var rows: PointMatrix?
    /// Its lengths in ascending order, and the row of `all` of each.
    private var order: [(length: Float, row: Int)] = []
    /// The largest squared distance that is near; nil where each row has its own.
    private var limit: Float?
    /// Of each row of `all`, where they are few.
    private var limits: [Float] = []

    init() {}

    /// Takes over what is known now. What follows from it depends on that alone, not on what was known before.
    ///
    /// - Parameters:
    ///   - given: Of what was asked for, in an order that is part of the state.
    ///   - dimension: Of the embeddings that are looked up; other sketches do not count.
    ///   - share: Samples nearer than this share of their spread are near, in `0...1`; 0: neither copies nor neighbours are.
    /// - Complexity: O(*n* · *dimension* + *m* log *m*) for *n* places at which other sketches are given than before, of *m*; and
    ///   O(*m* · *dimension*) for what is near.
    mutating func update(_ given: [EmbeddingSketch], dimension: Int, share: Double) {
        isOff = !(share > 0)
        let isAlike = given.allSatisfy { $0.dimension == dimension }
        let sketches = isAlike ? given : given.filter { $0.dimension == dimension }
        let scale = PointMatrix.scale(of: sketches.map { $0.unit * 127 })
        if dimension != self.dimension || all?.scale != scale || sketches.count < self.sketches.count {
            self.sketches = []
            all = nil
            lengths = []
            digests = [:]
        }
        self.dimension = dimension
        rows = nil
        order = []
        guard !sketches.isEmpty else { return }
        replace(by: sketches, scale)
        judge(share)
    }

    private mutating func replace(by sketches: [EmbeddingSketch], _ scale: Float) {
        let places = min(dimension, EmbeddingSketch.limit)
        var matrix = all ?? PointMatrix(dimension: places, scale: scale, capacity: sketches.count)
        all = nil
        for (row, sketch) in sketches.enumerated() {
            if row < self.sketches.count {
                let old = self.sketches[row]
                guard old != sketch else { continue }
                if let digest = old.digest, let count = digests[digest] {
                    digests[digest] = count > 1 ? count - 1 : nil
                }
                matrix.replace(row, by: sketch)
                lengths[row] = matrix.length(of: row)
            } else {
                matrix.append(sketch)
                lengths.append(matrix.length(of: row))
            }
            if let digest = sketch.digest { digests[digest, default: 0] += 1 }
        }
        self.sketches = sketches
        all = matrix
    }

    /// What is in proportion, and how near is near.
    private mutating func judge(_ share: Double) {
        guard let all else { return }
        let bound = PointMatrix.longest(of: lengths)
        let kept = lengths.indices.filter { lengths[$0] <= bound }
        let near = kept.count == all.count ? all : all.rows(kept)
        rows = near
        guard !isOff else { return }
        order = kept.map { (lengths[$0], $0) }
        order.sort { $0.length < $1.length }
        if near.count < Self.fewest {
            let units = sketches.map(\.unit)
            let least = Self.grain * Float(share) * PointMatrix.middle(of: units)
            limits = units.map { unit in
                // No less than what is lost where a sketch rounds.
                let grain = max(least, 0.51 * unit) / all.scale
                return grain * grain * Float(near.dimension)
            }
            limit = nil
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
        guard !isOff, let all, !order.isEmpty, embedding.count == dimension else { return nil }
        if !digests.isEmpty, let digest = EmbeddingSketch.digest(of: embedding), digests[digest] != nil { return .copy }
        let (point, length) = all.place(EmbeddingSketch.fold(embedding))
        // Rounding must not hide a neighbour that coincides.
        let most = (limit ?? order.reduce(0) { max($0, limits[$1.row]) }).squareRoot() + length * 1e-5
        var place = order.firstPlace { $0.length >= length - most }
        while place < order.count, order[place].length <= length + most {
            let row = order[place].row
            if all.isWithin(limit ?? limits[row], row, of: point) { return .near }
            place += 1
        }
        return nil
    }
}

extension Array {
    /// The first place from which on a condition holds, of an array in which it goes on holding; `count` where it never does.
    ///
    /// - Complexity: O(log *n*).
    func firstPlace(where holds: (Element) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if holds(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
