internal import Statistics
internal import Tables

/// Which samples lie among those that nobody could answer: a cache, no part of the state.
///
/// A sample is judged by one number, how far it lies from unanswerable samples over how far it lies from the others that were
/// asked for. What that number is of either kind is seen from the samples themselves, each without itself. So noise that is
/// alike is known by its likeness, and noise that resembles nothing by lying as far from all as noise does. Where the medians of
/// the two kinds do not differ by more than two standard errors, nothing is said.
///
/// A candidate counts as unanswerable where that is more likely than not. The threshold is chosen so that almost all candidates
/// that resemble unanswerable samples are found: a missed one has a high score and is queried first, while a candidate set aside
/// in error is one of many. But it never sets aside more than half of the candidates that resemble the other samples.
package struct AnswerabilityModel: Sendable {
    /// Samples of either kind below which nothing is said.
    static let fewest = 5
    /// Unanswerable samples that are compared with, and others.
    private static let breadth = (unanswerable: 96, others: 192)
    /// Nearest neighbours that a distance is the mean of.
    private static let neighbours = 3

    private let unanswerable: PointMatrix
    private let others: PointMatrix
    private let dimension: Int
    /// The logarithm of the number below which a sample is unanswerable.
    private let bound: Double

    /// Fails where too few of either kind are known, or where they do not differ.
    ///
    /// - Parameters:
    ///   - unanswerable: In an order that is part of the state.
    ///   - asked: All that was asked for, in such an order: those that are unanswerable are left out.
    ///   - dimension: Of the embeddings that are judged.
    /// - Complexity: O(*dimension*) times the square of the samples compared with, some 300.
    package init?(unanswerable: [EmbeddingSketch], asked: [EmbeddingSketch], dimension: Int) {
        let bad = unanswerable.filter { $0.dimension == dimension }
        guard bad.count >= Self.fewest else { return nil }
        let badDigests = Set(bad.compactMap(\.digest))
        let good = asked.filter { sketch in
            sketch.dimension == dimension && !(sketch.digest.map { badDigests.contains($0) } ?? false)
        }
        guard good.count >= Self.fewest else { return nil }
        let scale = PointMatrix.scale(of: good.map { $0.unit * 127 })
        guard let first = PointMatrix(Self.even(bad, Self.breadth.unanswerable), scale: scale),
            let second = PointMatrix(Self.even(good, Self.breadth.others), scale: scale)
        else { return nil }
        self.unanswerable = first
        others = second
        self.dimension = dimension
        let (low, high) = (Self.numbers(of: first, first, second), Self.numbers(of: second, first, second))
        let (bottom, top) = (Self.median(low), Self.median(high))
        let below = low.map { abs($0 - bottom) }
        let deviation = Self.deviation(below + high.map { abs($0 - top) })
        let error = 1.2533 * deviation * (1 / Double(low.count) + 1 / Double(high.count)).squareRoot()
        guard top - bottom > 2 * error else { return nil }
        let odds = Reproducible.log(Double(bad.count) / Double(good.count))
        let likelier = (bottom + top) / 2 + odds * deviation * deviation / (top - bottom)
        bound = max(likelier, min(bottom + 2 * Self.deviation(below), top))
    }

    /// Whether a sample lies as unanswerable samples do.
    ///
    /// - Complexity: O(*m* · *dimension*) for the samples compared with.
    package func isUnanswerable(_ embedding: [Float]) -> Bool {
        guard embedding.count == dimension else { return false }
        let (point, _) = others.place(EmbeddingSketch.fold(embedding))
        return Self.number(point, unanswerable, without: nil, others, without: nil) < bound
    }

    /// The standard deviation of a normal distribution, from distances to its median.
    private static func deviation(_ distances: [Double]) -> Double { max(1.4826 * median(distances), 0.02) }

    /// So many at even distances; all where there are fewer.
    private static func even(_ sketches: [EmbeddingSketch], _ count: Int) -> [EmbeddingSketch] {
        guard sketches.count > count else { return sketches }
        return (0..<count).map { sketches[$0 * sketches.count / count] }
    }

    /// The number of each row of one of two matrices.
    private static func numbers(of rows: PointMatrix, _ first: PointMatrix, _ second: PointMatrix) -> [Double] {
        let isFirst = rows.values == first.values
        return (0..<rows.count).map { row in
            let point = Array(rows.values[row * rows.stride..<(row + 1) * rows.stride])
            return number(point, first, without: isFirst ? row : nil, second, without: isFirst ? nil : row)
        }
    }

    /// The logarithm of the distance to the first over that to the second.
    private static func number(
        _ point: [Float],
        _ first: PointMatrix,
        without one: Int?,
        _ second: PointMatrix,
        without other: Int?
    ) -> Double {
        // Where a sample coincides with both kinds neither says more.
        let least = 1e-6
        return Reproducible.log((distance(point, first, one) + least) / (distance(point, second, other) + least))
    }

    /// The mean distance to the nearest rows.
    private static func distance(_ point: [Float], _ rows: PointMatrix, _ left: Int?) -> Double {
        var nearest = [Float](repeating: .infinity, count: neighbours)
        for row in 0..<rows.count where row != left {
            var distance = rows.squaredDistance(row, toPoint: point)
            for place in nearest.indices where distance < nearest[place] { swap(&distance, &nearest[place]) }
        }
        var sum = 0.0
        var count = 0.0
        for square in nearest where square.isFinite {
            sum += Double(square).squareRoot()
            count += 1
        }
        // Out of all proportion: as far from either.
        return count > 0 ? sum / count : 1e18
    }

    private static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
}
