internal import Tables

/// Embeddings of queried samples, prepared for many lookups. It is a cache and not part of the state.
///
/// A sample is near if its distance is within a share of the distances between queried samples. Queried samples are
/// apart from each other, so their distances define a scale; among candidates, any number may be copies of one sample.
package struct KnownSamples: Sendable {
    /// Similarity of a sample to the known samples.
    package enum Likeness {
        /// It has the embedding of a queried sample.
        case copy
        /// It is near to a queried sample.
        case near
    }

    /// Number of samples below which their distances are no measure of how far samples are apart.
    static let fewest = 8
    /// Maximum near distance, in shares of the median distance of a queried sample to the nearest other one.
    private static let crowding = 5.0
    /// Nearness limit for each coordinate if distances are no measure, in units of a sketch, at a share of 1.
    private static let grain: Float = 40

    /// Sketches of the known samples, in the order in which they were passed in.
    package private(set) var sketches: [EmbeddingSketch] = []
    /// Matrix with one row for each sketch.
    private var all: PointMatrix?
    /// Rows of `all` with their lengths, in ascending order of length.
    private var order: [Length] = []
    /// Number of leading entries of `order` whose length is not out of proportion; see `PointMatrix.outlierFactor`.
    private var inlierCount = 0
    /// Number of sketches with each digest.
    private var digests: [UInt64: Int] = [:]
    private var dimension = 0
    private var isDisabled = true
    /// Rows of the known samples, without those whose length is out of proportion, in the order in which they were
    /// passed in.
    package private(set) var rows: PointMatrix?
    /// Largest squared distance that is near; nil if each row has its own limit.
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

    /// Replaces the known samples. The results depend on these alone, not on the samples known before.
    ///
    /// - Parameters:
    ///   - given: Sketches of the queried samples, in an order that is part of the state.
    ///   - dimension: Dimension of the embeddings that are looked up; other sketches do not count.
    ///   - share: Samples nearer than this share of their spread are near, in `0...1`; with 0, not even copies are
    ///     recognized.
    /// - Complexity: O(*n* · *dimension*) for *n* indices at which other sketches are given than before, and O(*m* ·
    ///   (*dimension* + log *m*)) for determining which are near among *m*.
    package mutating func update(_ given: [EmbeddingSketch], dimension: Int, share: Double) {
        let isUniform = given.allSatisfy { $0.dimension == dimension }
        let matching = isUniform ? given : given.filter { $0.dimension == dimension }
        if dimension != self.dimension || matching.count < sketches.count { self = KnownSamples() }
        self.dimension = dimension
        var changes: [(row: Int, sketch: EmbeddingSketch)] = []
        for (row, sketch) in matching.enumerated() where row >= sketches.count || sketches[row] != sketch {
            changes.append((row, sketch))
        }
        apply(changes, share)
    }

    /// Replaces some sketches; the others stay unchanged.
    ///
    /// - Parameters:
    ///   - changes: Indices in the given sketches, the index after the last included, and the new sketches there.
    ///   - dimension: As in `update`.
    ///   - share: As in `update`.
    /// - Returns: False, and nothing is changed, if all sketches must be given.
    package mutating func replace(_ changes: [(row: Int, sketch: EmbeddingSketch)], dimension: Int, share: Double)
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
        isDisabled = !(share > 0)
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
        updateLimits(share)
    }

    /// Writes a row's current sketch to the matrix, and updates `order` and `nearness`.
    private mutating func write(_ row: Int, in matrix: inout PointMatrix) {
        if row < matrix.count {
            let old = Length(length: matrix.length(of: row), row: row)
            order.remove(at: order.partitioningIndex { !($0 < old) })
            matrix.replace(row, by: sketches[row])
        } else {
            matrix.append(sketches[row])
        }
        let new = Length(length: matrix.length(of: row), row: row)
        order.insert(new, at: order.partitioningIndex { new < $0 })
        nearness.update(row, matrix)
    }

    /// Determines which rows are in proportion, and the distances that count as near.
    private mutating func updateLimits(_ share: Double) {
        guard let all else { return }
        let (first, end) = (order.partitioningIndex { $0.length > 0 }, order.partitioningIndex { !$0.length.isFinite })
        let bound = first < end ? order[first + (end - first - 1) / 2].length * PointMatrix.outlierFactor : .infinity
        inlierCount = order.partitioningIndex { $0.length > bound }
        let inliers = inlierCount == all.count ? all : all.rows(order[..<inlierCount].map(\.row).sorted())
        rows = inliers
        guard !isDisabled else { return }
        if inliers.count < Self.fewest {
            let units = sketches.map(\.unit)
            let least = Self.grain * Float(share) * PointMatrix.lowerMedian(of: units)
            limits = units.map { unit in
                // No less than the rounding error of a sketch.
                let grain = max(least, 0.51 * unit) / all.scale
                return grain * grain * Float(inliers.dimension)
            }
            limit = nil
        } else {
            if inlierCount < all.count { nearness = Nearness() }
            let crowd = Self.crowding * share
            let median = Double(nearness.medianDistance(of: inliers))
            if inlierCount < all.count { nearness = Nearness() }
            limit = Float(min(share * share * inliers.typicalSpread, crowd * crowd * median))
        }
    }

    /// Similarity of an embedding to the known samples.
    ///
    /// - Returns: Nil if the embedding is not near to any known sample.
    /// - Complexity: O(*dimension* + log *m*), plus a comparison with each row of similar length.
    package func likeness(of embedding: [Float]) -> Likeness? {
        guard !isDisabled, let all, embedding.count == dimension else { return nil }
        if !digests.isEmpty, let digest = EmbeddingSketch.digest(of: embedding), digests[digest] != nil { return .copy }
        let (point, length) = all.scaled(EmbeddingSketch.fold(embedding))
        // Rounding must not hide a neighbour that coincides.
        let most = (limit ?? order[..<inlierCount].reduce(0) { max($0, limits[$1.row]) }).squareRoot() + length * 1e-5
        var index = order.partitioningIndex { $0.length >= length - most }
        while index < inlierCount, order[index].length <= length + most {
            let row = order[index].row
            if all.isWithin(limit ?? limits[row], row, of: point) { return .near }
            index += 1
        }
        return nil
    }
}

/// Distances of the rows of a matrix to their nearest rows, updated row by row.
private struct Nearness: Sendable {
    /// Rows whose nearest neighbours are looked up, at even distances.
    private static let probes = 16

    /// Nearest other row of each probe, and its squared distance; empty where it is not known.
    private var found: [(row: Int, distance: Float)] = []

    private static func probe(_ number: Int, _ matrix: PointMatrix) -> Int {
        number * matrix.count / min(probes, matrix.count)
    }

    /// Updates the distances after a change of one row of a matrix whose number of rows stays the same.
    mutating func update(_ row: Int, _ matrix: PointMatrix) {
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

    /// Median distance of some rows to their nearest other row.
    ///
    /// - Parameter matrix: The matrix whose changes were followed, or another one if nothing is known.
    /// - Returns: The squared distance; 0 for fewer than two rows.
    /// - Complexity: O(1) if it is known, else O(*n* · *dimension*).
    mutating func medianDistance(of matrix: PointMatrix) -> Float {
        guard matrix.count > 1 else { return 0 }
        if found.isEmpty {
            found = (0..<min(Self.probes, matrix.count)).map { matrix.nearest(to: Self.probe($0, matrix)) }
        }
        return found.map(\.distance).sorted()[found.count / 2]
    }
}
