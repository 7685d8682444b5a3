internal import Tables

/// Where samples lie that were asked for, prepared for many looks: a cache, no part of the state.
///
/// Near is what lies within a share of how far samples asked for lie from each other. That they do lie apart is what makes it a
/// scale: of candidates any number may be copies of one.
package struct KnownSamples: Sendable {
    /// How a sample lies to what is known.
    package enum Likeness {
        /// It has the embedding of a sample that was asked for.
        case copy
        /// It lies near to one.
        case near
    }

    /// Samples below which their distances say nothing of how far samples lie apart.
    static let fewest = 8
    /// As many shares of the way to the nearest sample asked for, in the middle, are near at most.
    private static let crowding = 5.0
    /// Nearness limit for each coordinate where distances say nothing, in units of a sketch, at a share of 1.
    private static let grain: Float = 40

    /// Sketches of the known samples, in the order in which they were passed in.
    package private(set) var sketches: [EmbeddingSketch] = []
    /// A row for each.
    private var all: PointMatrix?
    /// Its lengths in ascending order, and the rows.
    private var order: [Length] = []
    /// Number of leading entries of `order` whose length is not out of all proportion.
    private var reach = 0
    /// How many have each digest.
    private var digests: [UInt64: Int] = [:]
    private var dimension = 0
    private var isOff = true
    /// Rows of the known samples, without those longer than all proportion, in the order in which they were passed
    /// in.
    package private(set) var rows: PointMatrix?
    /// The largest squared distance that is near; nil where each row has its own.
    private var limit: Float?
    /// Largest squared distance that is near, for each row of `all`, where the rows are few.
    private var limits: [Float] = []
    private var nearness = Nearness()

    private struct Length: Comparable {
        let length: Float
        let row: Int

        static func < (a: Length, b: Length) -> Bool { a.length != b.length ? a.length < b.length : a.row < b.row }
    }

    package init() {}

    /// Takes over what is known now. What follows from it depends on that alone, not on what was known before.
    ///
    /// - Parameters:
    ///   - given: Of what was asked for, in an order that is part of the state.
    ///   - dimension: Of the embeddings that are looked up; other sketches do not count.
    ///   - share: Samples nearer than this share of their spread are near, in `0...1`; 0: neither copies nor neighbours are.
    /// - Complexity: O(*n* · *dimension*) for *n* places at which other sketches are given than before, and
    ///   O(*m* · (*dimension* + log *m*)) for what is near among *m*.
    package mutating func update(_ given: [EmbeddingSketch], dimension: Int, share: Double) {
        let isAlike = given.allSatisfy { $0.dimension == dimension }
        let now = isAlike ? given : given.filter { $0.dimension == dimension }
        if dimension != self.dimension || now.count < sketches.count { self = KnownSamples() }
        self.dimension = dimension
        var changes: [(row: Int, sketch: EmbeddingSketch)] = []
        for (row, sketch) in now.enumerated() where row >= sketches.count || sketches[row] != sketch {
            changes.append((row, sketch))
        }
        apply(changes, share)
    }

    /// Takes over some sketches alone: the others are as they were.
    ///
    /// - Parameters:
    ///   - changes: Places in what was given, one behind its end included, and what is there now.
    ///   - dimension: As in `update`.
    ///   - share: As in `update`.
    /// - Returns: False, and nothing is changed, where all must be given.
    package mutating func follow(_ changes: [(row: Int, sketch: EmbeddingSketch)], dimension: Int, share: Double)
        -> Bool
    {
        guard dimension == self.dimension else { return false }
        var count = sketches.count
        for (row, sketch) in changes {
            guard row <= count, sketch.dimension == dimension else { return false }
            count = max(count, row + 1)
        }
        apply(changes, share)
        return true
    }

    private mutating func apply(_ changes: [(row: Int, sketch: EmbeddingSketch)], _ share: Double) {
        isOff = !(share > 0)
        rows = nil
        let known = sketches.count
        for (row, sketch) in changes {
            if row < sketches.count {
                if let digest = sketches[row].digest, let count = digests[digest] {
                    digests[digest] = count > 1 ? count - 1 : nil
                }
                sketches[row] = sketch
            } else {
                sketches.append(sketch)
            }
            if let digest = sketch.digest { digests[digest, default: 0] += 1 }
        }
        guard let first = sketches.first else { return }
        let scale = PointMatrix.scale(of: sketches.lazy.map { $0.unit * 127 })
        if var matrix = all, matrix.scale == scale {
            all = nil
            if sketches.count > known { nearness = Nearness() }
            for (row, _) in changes { write(row, in: &matrix) }
            all = matrix
        } else {
            all = PointMatrix(sketches, scale: scale)
            order = (all?.lengths ?? []).enumerated().map { Length(length: $1, row: $0) }.sorted()
            nearness = Nearness()
        }
        precondition(all?.count == sketches.count && first.dimension == dimension, "a sketch without its row")
        judge(share)
    }

    /// Brings a row to its sketch.
    private mutating func write(_ row: Int, in matrix: inout PointMatrix) {
        if row < matrix.count {
            let old = Length(length: matrix.length(of: row), row: row)
            order.remove(at: order.firstPlace { !($0 < old) })
            matrix.replace(row, by: sketches[row])
        } else {
            matrix.append(sketches[row])
        }
        let new = Length(length: matrix.length(of: row), row: row)
        order.insert(new, at: order.firstPlace { new < $0 })
        nearness.follow(row, matrix)
    }

    /// Determines which rows are in proportion, and the distances that count as near.
    private mutating func judge(_ share: Double) {
        guard let all else { return }
        let (first, end) = (order.firstPlace { $0.length > 0 }, order.firstPlace { !$0.length.isFinite })
        let bound = first < end ? order[first + (end - first - 1) / 2].length * PointMatrix.proportion : .infinity
        reach = order.firstPlace { $0.length > bound }
        let near = reach == all.count ? all : all.rows(order[..<reach].map(\.row).sorted())
        rows = near
        guard !isOff else { return }
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
            if reach < all.count { nearness = Nearness() }
            let crowd = Self.crowding * share
            let middle = Double(nearness.middle(of: near))
            if reach < all.count { nearness = Nearness() }
            limit = Float(min(share * share * near.typicalSpread, crowd * crowd * middle))
        }
    }

    /// How an embedding lies to what is known.
    ///
    /// - Returns: Nil where it is near to nothing.
    /// - Complexity: O(*dimension* + log *m*), and the rows of about its length.
    package func likeness(of embedding: [Float]) -> Likeness? {
        guard !isOff, let all, embedding.count == dimension else { return nil }
        if !digests.isEmpty, let digest = EmbeddingSketch.digest(of: embedding), digests[digest] != nil { return .copy }
        let (point, length) = all.place(EmbeddingSketch.fold(embedding))
        // Rounding must not hide a neighbour that coincides.
        let most = (limit ?? order[..<reach].reduce(0) { max($0, limits[$1.row]) }).squareRoot() + length * 1e-5
        var place = order.firstPlace { $0.length >= length - most }
        while place < reach, order[place].length <= length + most {
            let row = order[place].row
            if all.isWithin(limit ?? limits[row], row, of: point) { return .near }
            place += 1
        }
        return nil
    }
}

/// How far the rows of a matrix lie from their nearest, followed row by row.
private struct Nearness: Sendable {
    /// Rows whose nearest neighbours are looked up, at even distances.
    private static let probes = 16

    /// Nearest other row of each probe, and its squared distance; empty where it is not known.
    private var found: [(row: Int, distance: Float)] = []

    private static func probe(_ number: Int, _ matrix: PointMatrix) -> Int {
        number * matrix.count / min(probes, matrix.count)
    }

    /// Follows a change of one row of a matrix that goes on having as many.
    mutating func follow(_ row: Int, _ matrix: PointMatrix) {
        for number in found.indices {
            let probe = Self.probe(number, matrix)
            let distance = row == probe ? .infinity : matrix.squaredDistance(probe, row)
            if distance < found[number].distance {
                found[number] = (row, distance)
            } else if row == probe || row == found[number].row {
                found[number] = matrix.nearest(to: probe)
            }
        }
    }

    /// How far the middle one of some rows lies from its nearest other.
    ///
    /// - Parameter matrix: As it was followed, or another where nothing is known.
    /// - Returns: The squared distance; 0 of fewer than two rows.
    /// - Complexity: O(1) where it is known, else O(*n* · *dimension*).
    mutating func middle(of matrix: PointMatrix) -> Float {
        guard matrix.count > 1 else { return 0 }
        if found.isEmpty {
            found = (0..<min(Self.probes, matrix.count)).map { matrix.nearest(to: Self.probe($0, matrix)) }
        }
        return found.map(\.distance).sorted()[found.count / 2]
    }
}

extension Array {
    /// The first place from which on a condition holds, of an array in which it goes on holding; `count` where it never does.
    ///
    /// - Complexity: O(log *n*).
    package func firstPlace(where holds: (Element) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if holds(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
