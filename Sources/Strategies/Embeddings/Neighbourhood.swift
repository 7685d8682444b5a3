internal import Statistics

/// Positions of candidates relative to each other and to the samples queried before.
package struct Neighbourhood {
    let points: PointMatrix
    /// Embeddings of queried samples; nil if none is known.
    let known: PointMatrix?

    package init(points: PointMatrix, known: PointMatrix?) {
        self.points = points
        self.known = known
    }

    /// Distance of each candidate from all known samples: `1 - exp(-d² / median d²)`, in `0...1`; 1 if nothing is
    /// known.
    ///
    /// - Complexity: O(*n* · *m* · *d*) for *m* samples known.
    package var novelty: [Double] {
        let distances = points.nearestSquaredDistances(to: known)
        guard let first = distances.first, first.isFinite else { return [Double](repeating: 1, count: points.count) }
        let median = Double(distances.sorted()[distances.count / 2])
        guard median > 0 else { return distances.map { $0 > 0 ? 1 : 0 } }
        return distances.map { 1 - Reproducible.exp(-Double($0) / median) }
    }

    /// Density of the window around each point: the mean of `exp(-d² / spread)` over all other points, in `0...1`; 1 if
    /// all points coincide.
    ///
    /// - SeeAlso: Settles, Craven (2008), *An Analysis of Active Learning Strategies for Sequence Labeling Tasks*, EMNLP:
    ///   information density, here with a Gaussian kernel.
    /// - Complexity: O(*n*² · *d*).
    package var density: [Double] { density(spread: points.spread) }

    /// Density of each point for a known spread, defined as in `density`; 1 where the spread is 0 or there is one
    /// point.
    package func density(spread: Double) -> [Double] {
        guard spread > 0, points.count > 1 else { return [Double](repeating: 1, count: points.count) }
        var sums = [Double](repeating: 0, count: points.count)
        for index in 0..<points.count {
            for other in 0..<index {
                let kernel = Reproducible.exp(-Double(points.squaredDistance(index, other)) / spread)
                sums[index] += kernel
                sums[other] += kernel
            }
        }
        return sums.map { $0 / Double(points.count - 1) }
    }

    /// Whether each point is nearer than a share of the spread to a known sample, or to an earlier point that is no
    /// duplicate itself.
    ///
    /// Rows whose lengths differ by more than the distance are no neighbours, so few are compared.
    ///
    /// - Complexity: O((*n* + *m*) · (log (*n* + *m*) + *d*)) if few lengths are similar, O(*n* · (*n* + *m*) · *d*) at
    ///   worst.
    package func duplicates(within share: Double) -> [Bool] {
        var isDuplicate = [Bool](repeating: false, count: points.count)
        guard share > 0 else { return isDuplicate }
        let limit = Float(share * share * points.spread)
        let lengths = points.lengths
        let candidateRows = RowsByLength(lengths)
        let knownRows = known.flatMap { $0.stride == points.stride ? KnownRows($0, queries: points.count) : nil }
        for index in 0..<points.count {
            // Rounding must not hide a neighbour that coincides.
            let reach = limit.squareRoot() + lengths[index] * 1e-5
            isDuplicate[index] =
                candidateRows.contains(around: lengths[index], reach) { other in
                    other < index && !isDuplicate[other] && points.squaredDistance(index, other) <= limit
                } || knownRows?.hasRowNear(points, index, around: lengths[index], reach, within: limit) ?? false
        }
        return isDuplicate
    }
}

/// Embeddings of queried samples, in order of lengths if that pays: for few lookups sorting the rows costs more than
/// comparing each.
private struct KnownRows {
    private static let fewQueries = 64

    private let rows: PointMatrix
    private let lengths: [Float]
    private let order: RowsByLength?

    init(_ rows: PointMatrix, queries: Int) {
        self.rows = rows
        lengths = rows.lengths
        order = queries > Self.fewQueries ? RowsByLength(lengths) : nil
    }

    /// Whether any row is near to a point.
    func hasRowNear(
        _ points: PointMatrix,
        _ index: Int,
        around length: Float,
        _ reach: Float,
        within limit: Float
    ) -> Bool {
        guard let order else {
            let range = (least: length - reach, most: length + reach)
            return points.isNear(index, to: rows, lengths: lengths, in: range, within: limit)
        }
        return order.contains(around: length, reach) { points.squaredDistance(index, to: $0, of: rows) <= limit }
    }
}

/// Rows in order of their lengths.
private struct RowsByLength {
    private let rows: [Int]
    private let lengths: [Float]

    init(_ lengths: [Float]) {
        rows = lengths.indices.sorted { (lengths[$0], $0) < (lengths[$1], $1) }
        self.lengths = rows.map { lengths[$0] }
    }

    /// Whether any row whose length differs from `length` by at most `reach` satisfies a condition.
    func contains(around length: Float, _ reach: Float, where condition: (Int) -> Bool) -> Bool {
        var (low, high) = (0, rows.count)
        while low < high {
            let middle = (low + high) / 2
            if lengths[middle] < length - reach { low = middle + 1 } else { high = middle }
        }
        while low < rows.count, lengths[low] <= length + reach {
            if condition(rows[low]) { return true }
            low += 1
        }
        return false
    }
}
