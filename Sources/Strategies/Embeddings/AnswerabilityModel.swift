internal import Statistics
internal import Tables

/// Classifier that recognizes samples that resemble unanswerable samples. It is a cache and not part of the state.
///
/// A sample is judged by one number: its distance to unanswerable samples divided by its distance to the other queried
/// samples. The values of this number for both kinds are measured on the queried samples themselves; no sample is
/// compared with itself. So noise samples that are similar are recognized by their similarity, and noise samples that
/// resemble nothing by being as far from all samples as noise is. If the medians of the two kinds do not differ by more
/// than two standard errors, there is no model.
///
/// A candidate counts as unanswerable if that is more likely than not. The threshold is chosen so that almost all
/// candidates that resemble unanswerable samples are found: a missed one has a high score and is queried first, while a
/// candidate excluded in error is one of many. But the model never excludes more than half of the candidates that
/// resemble the other samples.
package struct AnswerabilityModel: Sendable {
    /// Minimum number of samples of each kind; with fewer, there is no model.
    static let fewest = 5
    /// Maximum numbers of unanswerable and of other samples that a sample is compared with.
    private static let sampleLimits = (unanswerable: 96, others: 192)
    /// Number of nearest neighbours whose mean distance is used.
    private static let neighbours = 3

    private let unanswerable: PointMatrix
    private let others: PointMatrix
    private let dimension: Int
    /// The logarithm of the number below which a sample is unanswerable.
    private let bound: Double

    /// Fails if too few samples of either kind are known, or if the kinds do not differ.
    ///
    /// - Parameters:
    ///   - unanswerable: Sketches of unanswerable samples, in an order that is part of the state.
    ///   - queried: Sketches of all queried samples, in an order that is part of the state; unanswerable samples are
    ///     ignored.
    ///   - dimension: Dimension of the embeddings that are judged.
    /// - Complexity: O(*dimension*) times the square of the samples compared with, about 300.
    package init?(unanswerable: [EmbeddingSketch], queried: [EmbeddingSketch], dimension: Int) {
        let bad = unanswerable.filter { $0.dimension == dimension }
        guard bad.count >= Self.fewest else { return nil }
        let badDigests = Set(bad.compactMap(\.digest))
        let good = queried.filter { sketch in
            sketch.dimension == dimension && !(sketch.digest.map { badDigests.contains($0) } ?? false)
        }
        guard good.count >= Self.fewest else { return nil }
        let scale = PointMatrix.scale(of: good.map { $0.unit * 127 })
        guard let first = PointMatrix(Self.even(bad, Self.sampleLimits.unanswerable), scale: scale),
            let second = PointMatrix(Self.even(good, Self.sampleLimits.others), scale: scale)
        else { return nil }
        self.unanswerable = first
        others = second
        self.dimension = dimension
        let (low, high) = (Self.logRatios(of: first, first, second), Self.logRatios(of: second, first, second))
        let (bottom, top) = (Self.median(low), Self.median(high))
        let below = low.map { abs($0 - bottom) }
        let deviation = Self.deviation(below + high.map { abs($0 - top) })
        let error = 1.2533 * deviation * (1 / Double(low.count) + 1 / Double(high.count)).squareRoot()
        guard top - bottom > 2 * error else { return nil }
        let odds = Reproducible.log(Double(bad.count) / Double(good.count))
        let boundary = (bottom + top) / 2 + odds * deviation * deviation / (top - bottom)
        bound = max(boundary, min(bottom + 2 * Self.deviation(below), top))
    }

    /// Whether a sample resembles unanswerable samples.
    ///
    /// - Complexity: O(*m* · *dimension*) for the samples compared with.
    package func isUnanswerable(_ embedding: [Float]) -> Bool {
        guard embedding.count == dimension else { return false }
        let (point, _) = others.scaled(EmbeddingSketch.fold(embedding))
        return Self.logRatio(point, unanswerable, without: nil, others, without: nil) < bound
    }

    /// Estimate of a normal distribution's standard deviation from distances to its median; at least 0.02.
    private static func deviation(_ distances: [Double]) -> Double { max(1.4826 * median(distances), 0.02) }

    /// Selects `count` sketches at even intervals; returns all sketches if there are no more than `count`.
    private static func even(_ sketches: [EmbeddingSketch], _ count: Int) -> [EmbeddingSketch] {
        guard sketches.count > count else { return sketches }
        return (0..<count).map { sketches[$0 * sketches.count / count] }
    }

    /// The number by which each row is judged, for all rows of one of the two matrices.
    private static func logRatios(of rows: PointMatrix, _ first: PointMatrix, _ second: PointMatrix) -> [Double] {
        let isFirst = rows.values == first.values
        return (0..<rows.count).map { row in
            let point = Array(rows.values[row * rows.stride..<(row + 1) * rows.stride])
            return logRatio(point, first, without: isFirst ? row : nil, second, without: isFirst ? nil : row)
        }
    }

    /// The logarithm of a point's distance to the first matrix divided by its distance to the second.
    private static func logRatio(
        _ point: [Float],
        _ first: PointMatrix,
        without firstRow: Int?,
        _ second: PointMatrix,
        without secondRow: Int?
    ) -> Double {
        // If a sample coincides with samples of both kinds, neither kind is favoured.
        let least = 1e-6
        return Reproducible.log(
            (distance(point, first, firstRow) + least) / (distance(point, second, secondRow) + least)
        )
    }

    /// The mean distance of a point to the nearest rows, without row `excluded`.
    private static func distance(_ point: [Float], _ rows: PointMatrix, _ excluded: Int?) -> Double {
        var nearest = [Float](repeating: .infinity, count: neighbours)
        for row in 0..<rows.count where row != excluded {
            var distance = rows.squaredDistance(row, toPoint: point)
            for index in nearest.indices where distance < nearest[index] { swap(&distance, &nearest[index]) }
        }
        var sum = 0.0
        var count = 0.0
        for square in nearest where square.isFinite {
            sum += Double(square).squareRoot()
            count += 1
        }
        // If every squared distance overflows, the point counts as equally far from both kinds.
        return count > 0 ? sum / count : 1e18
    }

    private static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
}
