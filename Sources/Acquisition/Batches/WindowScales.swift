internal import Statistics
internal import Strategies
internal import Tables
internal import Vocabulary

/// Candidate of a window, with its embedding and the size of that embedding.
struct ScannedCandidate {
    let pooled: PooledCandidate
    /// Embedding of the sample; empty if it has none.
    let embedding: [Float]
    /// The magnitude of the largest coordinate; nil where one is not finite.
    let size: Float?

    init(_ pooled: PooledCandidate) {
        self.pooled = pooled
        embedding = pooled.candidate.sample.embedding ?? []
        var largest: Float = 0
        var isFinite = true
        for coordinate in embedding {
            largest = max(largest, coordinate.magnitude)
            isFinite = isFinite && coordinate.isFinite
        }
        size = isFinite ? largest : nil
    }

    var id: SampleID { pooled.candidate.sample.id }
}

/// Scale on which the embeddings of a window are compared, and the distance at which two of them count as far.
struct WindowScales {
    /// Parts of the policy that the scale depends on.
    struct Limits {
        /// Distance of duplicates as a share of the spread, as in `BatchPolicy.duplicateDistance`.
        let share: Double
        /// Whether long embeddings are folded to the dimension of a sketch.
        let folds: Bool
        let isNoveltyWanted: Bool
    }

    /// Number of candidates below which the samples queried before help to determine the largest coordinate.
    private static let fewest = 16

    private let limits: Limits
    /// Dimension of the candidates' embeddings.
    let dimension: Int
    private let folds: Bool
    /// Divisor of the coordinates that are compared; a power of two.
    let scale: Float
    /// Largest magnitude of a coordinate that is no outlier.
    private let largest: Float
    /// Embeddings of the samples queried before, in the dimension of a sketch; nil where there are none.
    let known: PointMatrix?
    private(set) var isSettled = false
    /// Half of the squared distance at which two candidates count as far.
    private(set) var spread = 0.0
    /// The largest squared distance of a duplicate; nil if no candidate counts as a duplicate.
    private(set) var limit: Float?
    /// Median of the candidates' squared distances to the samples queried before.
    private var medianDistance = 0.0

    /// Creates the scales of a window; fails if an embedding is missing, empty, not finite or of another dimension.
    ///
    /// - Parameters:
    ///   - candidates: First candidates of the ranking.
    ///   - known: Embeddings of the samples queried before, as in `KnownSamples`.
    ///   - limits: Parts of the policy.
    init?(_ candidates: [ScannedCandidate], _ known: PointMatrix?, _ limits: Limits) {
        guard let dimension = candidates.first?.embedding.count, dimension > 0 else { return nil }
        var sizes: [Float] = []
        for candidate in candidates {
            guard candidate.embedding.count == dimension, let size = candidate.size else { return nil }
            sizes.append(size)
        }
        let isLarge = dimension > EmbeddingSketch.limit
        self.limits = limits
        self.dimension = dimension
        folds = isLarge && limits.folds
        let compared = min(dimension, EmbeddingSketch.limit)
        let comparable = known.flatMap { $0.dimension == compared ? $0 : nil }
        if sizes.count < Self.fewest, let comparable { sizes += comparable.sizes }
        scale = PointMatrix.scale(of: sizes)
        largest = PointMatrix.outlierLimit(of: sizes)
        self.known = comparable?.scaled(to: scale)
    }

    /// Number of coordinates in which candidates are compared.
    var comparedDimension: Int { folds ? EmbeddingSketch.limit : dimension }

    /// Whether candidates can be compared with the samples queried before.
    var isComparable: Bool { folds || dimension <= EmbeddingSketch.limit }

    /// Whether a candidate is no outlier, whose coordinates would make all other distances vanish.
    func isInlier(_ candidate: ScannedCandidate) -> Bool {
        candidate.embedding.count == dimension && candidate.size.map { $0 <= largest } ?? false
    }

    /// Embedding of a candidate that is no outlier, as it is compared.
    func comparedCoordinates(of candidate: ScannedCandidate) -> [Float] {
        folds ? EmbeddingSketch.fold(candidate.embedding) : candidate.embedding
    }

    /// Computes the distance at which candidates count as far, and the one up to which they count as duplicates, from
    /// the first candidates.
    ///
    /// - Parameter candidates: First candidates of the ranking that are no outliers.
    mutating func settle(_ candidates: [ScannedCandidate]) {
        isSettled = true
        var points = PointMatrix(dimension: comparedDimension, scale: scale, capacity: candidates.count)
        for candidate in candidates { points.append(row: points.scaled(comparedCoordinates(of: candidate)).row) }
        spread = points.typicalSpread
        limit = limits.share > 0 ? Float(limits.share * limits.share * spread) : nil
        guard limits.isNoveltyWanted, known != nil else { return }
        let distances = candidates.map { distance(of: $0) }.sorted()
        medianDistance = distances.isEmpty ? 0 : distances[distances.count / 2]
    }

    /// Squared distance of a candidate to the nearest known sample; infinite if none are known.
    private func distance(of candidate: ScannedCandidate) -> Double {
        guard let known else { return .infinity }
        let (point, _) = known.scaled(EmbeddingSketch.fold(candidate.embedding))
        var least = Float.infinity
        for row in 0..<known.count { least = min(least, known.squaredDistance(row, toPoint: point)) }
        return Double(least)
    }

    /// Novelty of a candidate, from its distance to all known samples: `1 - exp(-d² / median d²)`, in `0...1`; 1 if
    /// none are known.
    func novelty(of candidate: ScannedCandidate) -> Double {
        guard known != nil else { return 1 }
        let distance = distance(of: candidate)
        return medianDistance > 0 ? 1 - Reproducible.exp(-distance / medianDistance) : (distance > 0 ? 1 : 0)
    }
}

/// Points of which no two are near, in the order in which they were added.
struct DistinctPoints {
    /// A point in the scale of the matrix.
    struct ScaledPoint {
        fileprivate let row: [Float]
        fileprivate let length: Float
    }

    private(set) var matrix: PointMatrix
    /// Largest squared distance at which points count as near; nil if all points count as distinct.
    private let limit: Float?
    /// Lengths of the points in ascending order; `rows` has the row of each.
    private var lengths: [Float] = []
    private var rows: [Int] = []

    init(dimension: Int, scale: Float, limit: Float?) {
        matrix = PointMatrix(dimension: dimension, scale: scale, capacity: 64)
        self.limit = limit
    }

    /// The point in the scale of the matrix; nil if it is near to a point that was added.
    ///
    /// - Complexity: O(*dimension* + log *n*), plus one comparison for each point of about the same length.
    func distinct(_ embedding: [Float]) -> ScaledPoint? {
        let (row, length) = matrix.scaled(embedding)
        guard let limit else { return ScaledPoint(row: row, length: length) }
        // Rounding must not hide a neighbour that coincides.
        let reach = limit.squareRoot() + length * 1e-5
        var index = lengths.partitioningIndex { $0 >= length - reach }
        while index < lengths.count, lengths[index] <= length + reach {
            if matrix.isWithin(limit, rows[index], of: row) { return nil }
            index += 1
        }
        return ScaledPoint(row: row, length: length)
    }

    mutating func add(_ point: ScaledPoint) {
        let position = lengths.partitioningIndex { $0 > point.length }
        lengths.insert(point.length, at: position)
        rows.insert(matrix.count, at: position)
        matrix.append(row: point.row)
    }
}
