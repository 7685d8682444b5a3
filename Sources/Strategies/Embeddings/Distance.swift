/// Arithmetic of rows. Lanes are summed in one fixed order, and no operations are fused: results have the same bits on
/// every processor.
enum Distance {
    /// The squared distance of two rows of `stride` elements, a multiple of 8.
    @inline(__always)
    static func squared(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ stride: Int) -> Float {
        let (left, right) = (UnsafeRawPointer(a), UnsafeRawPointer(b))
        var sum = SIMD8<Float>(repeating: 0)
        var offset = 0
        while offset < stride * 4 {
            let difference =
                left.loadUnaligned(fromByteOffset: offset, as: SIMD8<Float>.self)
                - right.loadUnaligned(fromByteOffset: offset, as: SIMD8<Float>.self)
            sum += difference * difference
            offset += 32
        }
        return total(sum)
    }

    /// Whether the squared distance of two rows, as computed by `squared`, is at most `limit`.
    ///
    /// No lane ever decreases, and the sum of the lanes, rounded or not, is not below any lane. So one lane above the
    /// limit decides.
    @inline(__always)
    static func isWithin(_ limit: Float, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, stride: Int) -> Bool {
        let (left, right) = (UnsafeRawPointer(a), UnsafeRawPointer(b))
        let limits = SIMD8<Float>(repeating: limit)
        var sum = SIMD8<Float>(repeating: 0)
        var offset = 0
        while offset < stride * 4 {
            let difference =
                left.loadUnaligned(fromByteOffset: offset, as: SIMD8<Float>.self)
                - right.loadUnaligned(fromByteOffset: offset, as: SIMD8<Float>.self)
            sum += difference * difference
            guard !any(sum .> limits) else { return false }
            offset += 32
        }
        return total(sum) <= limit
    }

    /// The inner product of two rows of `stride` elements, a multiple of 8.
    @inline(__always)
    static func product(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ stride: Int) -> Float {
        let (left, right) = (UnsafeRawPointer(a), UnsafeRawPointer(b))
        var sum = SIMD8<Float>(repeating: 0)
        var offset = 0
        while offset < stride * 4 {
            sum +=
                left.loadUnaligned(fromByteOffset: offset, as: SIMD8<Float>.self)
                * right.loadUnaligned(fromByteOffset: offset, as: SIMD8<Float>.self)
            offset += 32
        }
        return total(sum)
    }

    @inline(__always)
    static func total(_ lanes: SIMD8<Float>) -> Float {
        let four = lanes.lowHalf + lanes.highHalf
        let two = four.lowHalf + four.highHalf
        return two.x + two.y
    }
}
