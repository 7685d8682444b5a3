package import Tables

/// Embeddings of one dimension, row by row, in a common scale so that no square overflows or underflows.
package struct PointMatrix: Sendable {
    package private(set) var count: Int
    package let dimension: Int
    /// Elements of a row: `dimension` rounded up to a whole number of vectors, the rest 0.
    let stride: Int
    /// Divisor of all coordinates: a power of two, so that the division is exact. If it was determined from the points,
    /// every coordinate is below 2 in magnitude.
    package let scale: Float
    private(set) var values: [Float]

    /// Fails if there are no points, if their dimensions differ or are 0, or if a coordinate is not finite.
    ///
    /// - Parameters:
    ///   - points: Rows.
    ///   - scale: Divisor, a power of two; nil to determine it. Coordinates that remain above 1 are no error.
    package init?(_ points: [[Float]], scale: Float? = nil) {
        guard let dimension = points.first?.count, dimension > 0 else { return nil }
        var largest: Float = 0
        for point in points {
            guard point.count == dimension else { return nil }
            for coordinate in point {
                guard coordinate.isFinite else { return nil }
                largest = max(largest, coordinate.magnitude)
            }
        }
        count = points.count
        self.dimension = dimension
        stride = (dimension + 7) / 8 * 8
        let found: Float = largest > 0 ? max(largest.binade, Float.leastNormalMagnitude) : 1
        self.scale = scale ?? found
        values = [Float](repeating: 0, count: count * stride)
        for (row, point) in points.enumerated() {
            for axis in 0..<dimension { values[row * stride + axis] = point[axis] / self.scale }
        }
    }

    /// Rows from the coordinates of sketches of embeddings of one dimension, in the order of their slots; fails if
    /// there are none.
    ///
    /// - Parameters:
    ///   - memory: Sketches of any dimensions.
    ///   - slots: First slot that does not count.
    ///   - dimension: Dimension of the embeddings.
    ///   - scale: Divisor, a power of two.
    /// - Complexity: O(*m* · *dimension*).
    package init?(_ memory: Table<Int, EmbeddingSketch>, slots: Int, dimension: Int, scale: Float) {
        func counts(_ slot: Int, _ sketch: EmbeddingSketch) -> Bool {
            slot >= 0 && slot < slots && sketch.dimension == dimension
        }
        let rows = memory.reduce(into: 0) { rows, slot, sketch in if counts(slot, sketch) { rows = max(rows, slot + 1) }
        }
        guard rows > 0 else { return nil }
        let axes = min(dimension, EmbeddingSketch.limit)
        let stride = (axes + 7) / 8 * 8
        // Each sketch is written at the index of its slot: looking the slots up in order takes longer than filling in
        // all.
        var isKnown = [Bool](repeating: false, count: rows)
        values = memory.reduce(into: [Float](repeating: 0, count: rows * stride)) { values, slot, sketch in
            guard counts(slot, sketch) else { return }
            isKnown[slot] = true
            let unit = sketch.unit / scale
            sketch.coordinates.withUnsafeBufferPointer { coordinates in
                values.withUnsafeMutableBufferPointer { values in
                    for axis in 0..<axes { values[slot * stride + axis] = Float(coordinates[axis]) * unit }
                }
            }
        }
        self.dimension = axes
        self.stride = stride
        self.scale = scale
        let known = (0..<rows).filter { isKnown[$0] }
        count = known.count
        guard known.count < rows else { return }
        values = known.flatMap { values[$0 * stride..<($0 + 1) * stride] }
    }

    /// A matrix without rows.
    package init(dimension: Int, scale: Float, capacity: Int) {
        count = 0
        self.dimension = dimension
        stride = (dimension + 7) / 8 * 8
        self.scale = scale
        values = []
        values.reserveCapacity(capacity * stride)
    }

    /// Adds a row, coordinate by coordinate.
    ///
    /// - Parameter coordinate: The coordinate on each axis, already divided by `scale`.
    mutating func append(_ coordinate: (Int) -> Float) {
        for axis in 0..<dimension { values.append(coordinate(axis)) }
        for _ in dimension..<stride { values.append(0) }
        count += 1
    }

    /// Adds a row, as returned by `scaled(_:)`.
    package mutating func append(row: [Float]) {
        values += row
        count += 1
    }

    /// Adds the row of a sketch that has as many coordinates as the rows.
    mutating func append(_ sketch: EmbeddingSketch) {
        values.append(contentsOf: repeatElement(0, count: stride))
        count += 1
        replace(count - 1, by: sketch)
    }

    /// Replaces a row by a sketch that has as many coordinates as the rows.
    mutating func replace(_ row: Int, by sketch: EmbeddingSketch) {
        let unit = sketch.unit / scale
        let (first, axes) = (row * stride, min(dimension, sketch.coordinates.count))
        sketch.coordinates.withUnsafeBufferPointer { coordinates in
            values.withUnsafeMutableBufferPointer { values in
                for axis in 0..<axes { values[first + axis] = Float(coordinates[axis]) * unit }
            }
        }
    }

    /// Returns the rows in another scale, a power of two.
    package func scaled(to other: Float) -> PointMatrix {
        guard other != scale else { return self }
        var matrix = PointMatrix(dimension: dimension, scale: other, capacity: count)
        // In two steps: the quotient of two scales may be out of range when neither scale is.
        for row in 0..<count { matrix.append { values[row * stride + $0] * scale / other } }
        return matrix
    }

    /// A matrix of the rows at `indices`, in that order.
    package func rows(_ indices: [Int]) -> PointMatrix { PointMatrix(self, indices) }

    private init(_ other: PointMatrix, _ indices: [Int]) {
        count = indices.count
        dimension = other.dimension
        stride = other.stride
        scale = other.scale
        values = []
        values.reserveCapacity(indices.count * stride)
        for index in indices { values += other.values[index * stride..<(index + 1) * stride] }
    }

    /// The squared distance of two rows.
    ///
    /// - Complexity: O(*dimension*).
    func squaredDistance(_ a: Int, _ b: Int) -> Float {
        values.withUnsafeBufferPointer { values in
            guard let base = values.baseAddress else { return 0 }
            return Distance.squared(base + a * stride, base + b * stride, stride)
        }
    }

    /// The squared distance of each row to the nearest row of `others`; infinity if there is none.
    ///
    /// - Complexity: O(*n* · *m* · *dimension*).
    func nearestSquaredDistances(to others: PointMatrix?) -> [Float] {
        var nearest = [Float](repeating: .infinity, count: count)
        guard let others, others.stride == stride else { return nearest }
        values.withUnsafeBufferPointer { rows in
            others.values.withUnsafeBufferPointer { otherRows in
                guard let rows = rows.baseAddress, let otherRows = otherRows.baseAddress else { return }
                for row in 0..<count {
                    var least = Float.infinity
                    for other in 0..<others.count {
                        least = min(least, Distance.squared(rows + row * stride, otherRows + other * stride, stride))
                    }
                    nearest[row] = least
                }
            }
        }
        return nearest
    }

    /// The length of each row.
    ///
    /// - Complexity: O(*n* · *dimension*).
    var lengths: [Float] { (0..<count).map { length(of: $0) } }

    /// The length of a row.
    ///
    /// - Complexity: O(*dimension*).
    func length(of row: Int) -> Float {
        values.withUnsafeBufferPointer { values in
            guard let base = values.baseAddress else { return 0 }
            return Distance.product(base + row * stride, base + row * stride, stride).squareRoot()
        }
    }

    /// Whether any row of another matrix of the same stride is near to a row of this matrix.
    ///
    /// - Parameters:
    ///   - row: Index of the row of this matrix.
    ///   - others: The other matrix.
    ///   - lengths: Lengths of the rows of `others`.
    ///   - range: Range of lengths; rows of other lengths are not considered.
    ///   - limit: The largest squared distance that counts as near.
    /// - Returns: False if no row of `others` is near.
    /// - Complexity: O(*m* · *dimension*) at worst, O(*m*) if few are near.
    func isNear(
        _ row: Int,
        to others: PointMatrix,
        lengths: [Float],
        in range: (least: Float, most: Float),
        within limit: Float
    ) -> Bool {
        values.withUnsafeBufferPointer { rows in
            others.values.withUnsafeBufferPointer { others in
                lengths.withUnsafeBufferPointer { lengths in
                    guard let point = rows.baseAddress.map({ $0 + row * stride }), let others = others.baseAddress
                    else {
                        return false
                    }
                    // Hardly any row is near, and most differ already in the first coordinates; so the distance is
                    // compared first.
                    for other in lengths.indices
                    where Distance.isWithin(limit, point, others + other * stride, stride: stride)
                        && lengths[other] >= range.least && lengths[other] <= range.most
                    {
                        return true
                    }
                    return false
                }
            }
        }
    }

    /// The squared distance of a row to one of another matrix of the same stride.
    func squaredDistance(_ row: Int, to other: Int, of others: PointMatrix) -> Float {
        values.withUnsafeBufferPointer { rows in
            others.values.withUnsafeBufferPointer { otherRows in
                guard let rows = rows.baseAddress, let otherRows = otherRows.baseAddress else { return 0 }
                return Distance.squared(rows + row * stride, otherRows + other * stride, stride)
            }
        }
    }

    /// Lowers each entry of `nearest` to the squared distance to one row, where that is less.
    ///
    /// - Complexity: O(*n* · *dimension*).
    func lower(_ nearest: inout [Float], to chosen: Int) {
        values.withUnsafeBufferPointer { values in
            guard let base = values.baseAddress else { return }
            for row in 0..<count {
                let distance = Distance.squared(base + row * stride, base + chosen * stride, stride)
                if distance < nearest[row] { nearest[row] = distance }
            }
        }
    }

    /// The mean squared distance of the rows to their mean; 0 where all coincide.
    ///
    /// - Complexity: O(*n* · *dimension*).
    var spread: Double {
        var mean = [Double](repeating: 0, count: dimension)
        for row in 0..<count {
            for axis in 0..<dimension { mean[axis] += Double(values[row * stride + axis]) }
        }
        for axis in mean.indices { mean[axis] /= Double(max(count, 1)) }
        var sum = 0.0
        for row in 0..<count {
            for axis in 0..<dimension {
                let difference = Double(values[row * stride + axis]) - mean[axis]
                sum += difference * difference
            }
        }
        return sum / Double(max(count, 1))
    }
}
