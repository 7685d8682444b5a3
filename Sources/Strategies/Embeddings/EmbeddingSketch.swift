/// Compressed copy of an embedding: up to 256 coordinates of 8 bits each.
///
/// An embedding of up to 256 dimensions keeps each coordinate. With more dimensions, each coordinate is added to or
/// subtracted from one of 256 sketch coordinates, selected by a hash of its index, which preserves inner products and
/// distances on average. The rounding error is within 1/254 of the largest coordinate.
///
/// - SeeAlso: Weinberger, Dasgupta, Langford, Smola, Attenberg (2009), *Feature Hashing for Large Scale Multitask
///   Learning*, arXiv:0902.2206.
public struct EmbeddingSketch: Hashable, Sendable {
    /// Dimension of the embedding.
    public let dimension: Int
    /// Value of a coordinate of 1; finite and above 0.
    public let unit: Float
    /// Rounded coordinates in multiples of `unit`; as many as `dimension`, at most `limit`.
    public let coordinates: [Int8]
    /// Digest of the original embedding, by which its copies are recognized; nil where none was kept, as in edition
    /// 1.
    public let digest: UInt64?

    /// Maximum number of coordinates of a sketch.
    public static let limit = 256

    /// Fails unless there are as many coordinates as a sketch of that dimension has, and the unit is finite and above
    /// 0.
    public init?(dimension: Int, unit: Float, coordinates: [Int8], digest: UInt64? = nil) {
        guard dimension > 0, unit.isFinite, unit > 0, coordinates.count == min(dimension, Self.limit) else {
            return nil
        }
        self.dimension = dimension
        self.unit = unit
        self.coordinates = coordinates
        self.digest = digest
    }

    /// Fails if the embedding is empty or not finite.
    ///
    /// - Parameters:
    ///   - embedding: Embedding to sketch.
    ///   - keepsDigest: Whether its digest is stored, too.
    public init?(_ embedding: [Float], keepsDigest: Bool = false) {
        guard !embedding.isEmpty, embedding.allSatisfy(\.isFinite) else { return nil }
        let folded = Self.fold(embedding)
        var largest: Float = 0
        for coordinate in folded { largest = max(largest, coordinate.magnitude) }
        dimension = embedding.count
        digest = keepsDigest ? Self.digest(of: embedding) : nil
        let step = min(largest, .greatestFiniteMagnitude) / 127
        unit = step > 0 ? step : .leastNormalMagnitude
        let unit = unit
        coordinates = folded.map { Int8(max(-127, min(127, ($0 / unit).rounded()))) }
    }

    /// The coordinates restored from the sketch, within its rounding error.
    public var values: [Float] { coordinates.map { Float($0) * unit } }

    /// Reduces an embedding to the coordinates of a sketch, without rounding.
    ///
    /// - Complexity: O(*dimension*).
    public static func fold(_ embedding: [Float]) -> [Float] {
        guard embedding.count > limit else { return embedding }
        var folded = [Float](repeating: 0, count: limit)
        for (axis, coordinate) in embedding.enumerated() {
            let draw = mix(UInt64(axis))
            let index = Int(draw % UInt64(limit))
            folded[index] += draw >> 63 == 0 ? coordinate : -coordinate
        }
        // A sum of many large coordinates may exceed the range; it is the largest finite value then.
        return folded.map { $0.isFinite ? $0 : ($0 < 0 ? -.greatestFiniteMagnitude : .greatestFiniteMagnitude) }
    }

    /// A digest of all coordinates: two embeddings that differ share one with a probability of 2⁻⁶⁴.
    ///
    /// - Returns: Nil if all coordinates are 0: encoders return such embeddings when they have no information.
    /// - Complexity: O(*dimension*).
    public static func digest(of embedding: [Float]) -> UInt64? {
        var digest = UInt64(embedding.count)
        var isEmpty = true
        for coordinate in embedding {
            if coordinate != 0 { isEmpty = false }
            // -0 is 0.
            digest = mix(digest ^ UInt64((coordinate + 0).bitPattern))
        }
        return isEmpty ? nil : digest
    }

    /// SplitMix64's mixing of one number: every coordinate and sign is equally likely.
    private static func mix(_ number: UInt64) -> UInt64 {
        var mixed = number &* 0x9E37_79B9_7F4A_7C15 &+ 0x9E37_79B9_7F4A_7C15
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }
}
