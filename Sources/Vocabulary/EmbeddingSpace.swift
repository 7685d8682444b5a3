/// Known properties of the space of a project's embeddings: only embeddings of one space can be compared, or trained on
/// together.
public struct EmbeddingSpace: Hashable, Sendable {
    /// The name of the encoder that makes them; nil if no name is specified.
    public let name: SpaceID?
    /// In `1...4096`; nil: any.
    public let dimension: Int?
    /// The largest Euclidean norm, in `norms`; nil: any.
    public let norm: Double?

    /// Valid numbers of coordinates of an embedding.
    public static let dimensions = 1...4_096
    /// Valid values of a largest norm.
    public static let norms = 1e-9...1e15

    public init(name: SpaceID? = nil, dimension: Int? = nil, norm: Double? = nil) {
        self.name = name
        self.dimension = dimension
        self.norm = norm
    }

    /// Whether nothing is known, so that every embedding belongs to it.
    public var isUnknown: Bool { name == nil && dimension == nil && norm == nil }

    /// Describes what keeps a sample's embedding out of the space, in a sentence that begins with the member of an
    /// event.
    ///
    /// - Returns: Nil if the sample fits: one without an embedding is in no space, and an embedding that names no space
    ///   may be in any.
    /// - Complexity: O(*dimension*) where there is a largest norm, else O(1).
    public func fault(of sample: Sample) -> String? {
        guard let embedding = sample.embedding else { return nil }
        if let name, let other = sample.space, other != name {
            return "sample.space: expected \"\(name.rawValue.prefix(64))\", found \"\(other.rawValue.prefix(64))\""
        }
        if let dimension, embedding.count != dimension {
            return "sample.embedding: expected \(dimension) dimensions, found \(embedding.count)"
        }
        if let norm {
            let found = Self.norm(of: embedding)
            if !(found <= norm) { return "sample.embedding: expected a norm of at most \(norm), found \(found)" }
        }
        return nil
    }

    /// The Euclidean norm; finite if all coordinates are finite.
    public static func norm(of embedding: [Float]) -> Double {
        var squares = 0.0
        for value in embedding { squares += Double(value) * Double(value) }
        return squares.squareRoot()
    }
}
