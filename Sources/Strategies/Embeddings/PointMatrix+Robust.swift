/// Scales that do not depend on any single row, and operations on single rows.
extension PointMatrix {
    /// Multiple of the median length above which the length of an embedding is out of proportion.
    static let outlierFactor: Float = 32

    /// The median of the finite lengths above 0, the lower one of two; 0 if there are none.
    static func lowerMedian(of lengths: [Float]) -> Float {
        let sorted = lengths.filter { $0 > 0 && $0.isFinite }.sorted()
        return sorted.isEmpty ? 0 : sorted[(sorted.count - 1) / 2]
    }

    /// The length above which an embedding is out of proportion to the others; infinity if all lengths are 0.
    package static func outlierLimit(of lengths: [Float]) -> Float {
        let median = lowerMedian(of: lengths)
        return median > 0 ? median * outlierFactor : .infinity
    }

    /// A power of two; divided by it, the median of some lengths, as computed by `lowerMedian(of:)`, is about 1.
    ///
    /// - Complexity: O(*n*): only the exponent of the median matters.
    package static func scale(of lengths: some Sequence<Float>) -> Float {
        var counts = [Int](repeating: 0, count: 255)
        var count = 0
        for length in lengths where length > 0 && length.isFinite {
            counts[Int(length.bitPattern >> 23)] += 1
            count += 1
        }
        guard count > 0 else { return 1 }
        var left = (count - 1) / 2
        var exponent = 0
        while left >= counts[exponent] {
            left -= counts[exponent]
            exponent += 1
        }
        return exponent > 0 ? Float(bitPattern: UInt32(exponent) << 23) : Float.leastNormalMagnitude
    }

    /// The magnitude of the largest coordinate of each row, before scaling.
    package var sizes: [Float] {
        (0..<count).map { row in
            var largest: Float = 0
            for axis in 0..<dimension { largest = max(largest, values[row * stride + axis].magnitude) }
            return largest * scale
        }
    }

    /// Rows from the coordinates of sketches of one dimension, in their order; fails if there are none.
    ///
    /// - Parameters:
    ///   - sketches: All of one dimension.
    ///   - scale: Divisor, a power of two.
    package init?(_ sketches: [EmbeddingSketch], scale: Float) {
        guard let first = sketches.first else { return nil }
        self.init(dimension: first.coordinates.count, scale: scale, capacity: sketches.count)
        for sketch in sketches { append(sketch) }
    }

    /// Half the squared distance between two rows that a quarter of the pairs exceed: the value of `spread` if no row
    /// is far from all others. 0 for fewer than two rows.
    ///
    /// Each row is compared with the row at half the row count from it: neighbours in an order may be similar.
    ///
    /// - Complexity: O(*n* · (*dimension* + log *n*)).
    package var typicalSpread: Double {
        let half = count / 2
        guard half > 0 else { return 0 }
        var distances = (0..<count - half).map { squaredDistance($0, $0 + half) }
        distances.sort()
        return Double(distances[distances.count * 3 / 4]) / 2
    }

    /// The nearest other row of a row, and its squared distance; the first of equals. If there is no other, the row
    /// itself and infinity.
    ///
    /// - Complexity: O(*n* · *dimension*).
    func nearest(to row: Int) -> (row: Int, distance: Float) {
        var nearest = (row: row, distance: Float.infinity)
        for other in 0..<count where other != row {
            let distance = squaredDistance(row, other)
            if distance < nearest.distance { nearest = (other, distance) }
        }
        return nearest
    }

    /// Returns an embedding as a row in the scale of this matrix, and the length of that row.
    ///
    /// - Parameter embedding: Embedding with `dimension` coordinates.
    /// - Returns: A row of `stride` elements.
    package func scaled(_ embedding: [Float]) -> (row: [Float], length: Float) {
        var row = [Float](repeating: 0, count: stride)
        for axis in embedding.indices where axis < stride { row[axis] = embedding[axis] / scale }
        let square = row.withUnsafeBufferPointer { row in
            row.baseAddress.map { Distance.product($0, $0, stride) } ?? 0
        }
        return (row, square.squareRoot())
    }

    /// Whether a row lies within a squared distance of a point, as returned by `scaled(_:)`.
    package func isWithin(_ limit: Float, _ row: Int, of point: [Float]) -> Bool {
        values.withUnsafeBufferPointer { values in
            point.withUnsafeBufferPointer { point in
                guard let values = values.baseAddress, let point = point.baseAddress else { return false }
                return Distance.isWithin(limit, point, values + row * stride, stride: stride)
            }
        }
    }

    /// The squared distance of a row to a point, as returned by `scaled(_:)`.
    package func squaredDistance(_ row: Int, toPoint point: [Float]) -> Float {
        values.withUnsafeBufferPointer { values in
            point.withUnsafeBufferPointer { point in
                guard let values = values.baseAddress, let point = point.baseAddress else { return 0 }
                return Distance.squared(point, values + row * stride, stride)
            }
        }
    }
}
