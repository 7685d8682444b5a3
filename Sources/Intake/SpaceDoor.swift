internal import JSON
internal import Vocabulary

/// A project's embedding space in the form in which unparsed records are checked against it, without reference
/// counting.
struct SpaceDoor {
    /// Number of coordinates of each embedding; 0: any number.
    private let dimension: Int
    /// Limit for the sum of squared coordinates: slightly less than the square of the largest norm, since
    /// coordinates are not rounded to 32 bits here.
    private let maximumSquares: Double
    private let hasName: Bool
    private let name: NameTable

    init(_ space: EmbeddingSpace) {
        dimension = space.dimension ?? 0
        maximumSquares = space.norm.map { $0 * $0 * (1 - 1e-6) } ?? .infinity
        hasName = space.name != nil
        name = NameTable(space.name.map { [$0.rawValue] } ?? [])
    }

    /// True only for an embedding that is certainly in the space, and for samples without an embedding. The parser
    /// judges the rest.
    ///
    /// - Complexity: O(1) as a rule; O(*dimension*) for long embeddings and if the largest norm is narrow.
    @inline(__always)
    func admits(_ embedding: EmbeddingReading) -> Bool {
        guard embedding.dimension > 0 else { return true }
        if hasName, embedding.space.count > 0, name.view.find(padded: embedding.space) == nil { return false }
        guard dimension == 0 || embedding.dimension == dimension else { return false }
        return embedding.squares <= maximumSquares || isWithin(embedding)
    }

    /// Reads the coordinates, and returns whether the sum of their squares is within the limit.
    @inline(never)
    private func isWithin(_ embedding: EmbeddingReading) -> Bool {
        guard var scan = embedding.numbers, scan.consume(UInt8(ascii: "[")) else { return false }
        var sum = 0.0
        repeat {
            guard let value = scan.double() else { return false }
            sum += value * value
        } while scan.more(until: UInt8(ascii: "]")) == true
        return sum <= maximumSquares
    }
}
