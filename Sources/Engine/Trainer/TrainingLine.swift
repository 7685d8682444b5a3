internal import JSON
internal import Vocabulary

/// One line of a dataset version, as far as it can be trained on.
struct TrainingLine {
    /// Empty where there is a fault.
    let embedding: [Float]
    /// The space that the embedding lies in, if the line says.
    let space: SpaceID?
    /// The class's position in the manifest.
    let label: Int
    private let name: String
    /// Why it cannot be used, in a sentence that names the sample; nil when nothing is wrong with the line itself.
    let fault: String?

    /// Reads a line; what is wrong with it alone is its fault.
    ///
    /// - Throws: `.newerForm` of a line that only a newer build knows: the version means something else without it.
    init(_ bytes: [UInt8], classes: [String: Int], parser: JSONParser) throws(JSONError) {
        var embedding: [Float] = []
        var space: SpaceID?
        var label = 0
        var name = "a sample"
        var fault: String?
        do {
            let line = try parser.withDocument(of: bytes) { json in try DatasetLine(json: json) }
            name = "sample \(line.sample.rawValue.prefix(64))"
            let position = classes[line.className]
            if let found = line.embedding, let position {
                embedding = found
                space = line.space
                label = position
            } else if position == nil {
                fault = "\(name): its class is not in the manifest"
            } else {
                fault = "\(name): it has no embedding"
            }
        } catch let error as JSONError where error.kind == .newerForm {
            throw error
        } catch {
            fault = "\(name): its line cannot be read: \(error)"
        }
        self.embedding = embedding
        self.space = space
        self.label = label
        self.name = name
        self.fault = fault
    }

    func fault(_ text: String) -> String { "\(name): \(text)" }
}

/// Which embeddings can be trained on together: those of the space that the request names, and of what it leaves open what
/// most training labels agree on.
struct EmbeddingGeometry {
    /// Labels that name another, or none, are left out; nil: none is named.
    let space: SpaceID?
    /// Unless named the commonest dimension; of equally common ones that of the oldest label.
    let dimension: Int
    /// Unless named `factor` times the median norm of those that are not 0. One embedding far out makes a fit impossible in all
    /// directions, as steps must be small enough for it.
    let largestNorm: Double

    /// How much larger than the median a norm may be.
    static let factor = 1_000.0

    /// Without a line that has an embedding, one that no line belongs to.
    ///
    /// - Complexity: O(*n* log *n*) beside the norms.
    init(of lines: [TrainingLine], _ wanted: EmbeddingSpace) {
        let lines = lines.filter { $0.fault == nil && (wanted.name == nil || $0.space == wanted.name) }
        var counts: [Int: Int] = [:]
        for line in lines { counts[line.embedding.count, default: 0] += 1 }
        let most = counts.values.max()
        let commonest = lines.first { counts[$0.embedding.count] == most }?.embedding.count
        let dimension = wanted.dimension ?? commonest ?? 0
        var norms: [Double] = []
        for line in lines where line.embedding.count == dimension {
            let norm = EmbeddingSpace.norm(of: line.embedding)
            if norm > 0, norm.isFinite { norms.append(norm) }
        }
        norms.sort()
        let usual = norms.isEmpty ? Double.greatestFiniteMagnitude : Self.factor * norms[norms.count / 2]
        space = wanted.name
        self.dimension = dimension
        largestNorm = wanted.norm ?? usual
    }

    /// Why a line that is sound in itself does not belong to the others; nil when it does.
    func fault(of line: TrainingLine) -> String? {
        guard line.fault == nil else { return nil }
        if let space, line.space != space {
            let found = line.space.map { "lies in space \($0.rawValue.prefix(64))" } ?? "names no space"
            return line.fault("its embedding \(found), the request asks for \(space.rawValue.prefix(64))")
        }
        guard line.embedding.count == dimension else {
            return line.fault("its embedding has \(line.embedding.count) dimensions, not \(dimension)")
        }
        let norm = EmbeddingSpace.norm(of: line.embedding)
        guard norm.isFinite else { return line.fault("its embedding is not finite") }
        guard norm <= largestNorm else {
            return line.fault("its embedding has norm \(Float(norm)), at most \(Float(largestNorm)) are usable")
        }
        return nil
    }
}
