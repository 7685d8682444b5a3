internal import JSON
internal import Vocabulary

/// One line of a dataset version, as far as it can be trained on.
struct TrainingLine {
    /// Empty where there is a fault.
    let embedding: [Float]
    /// The class's position in the manifest.
    let label: Int
    private let name: String
    /// Why it cannot be used, in a sentence that names the sample; nil when nothing is wrong with the line itself.
    let fault: String?

    init(_ bytes: [UInt8], classes: [String: Int], parser: JSONParser) {
        var embedding: [Float] = []
        var label = 0
        var name = "a sample"
        var fault: String?
        do {
            let line = try parser.withDocument(of: bytes) { json in try DatasetLine(json: json) }
            name = "sample \(line.sample.rawValue.prefix(64))"
            let position = classes[line.className]
            if let found = line.embedding, let position {
                embedding = found
                label = position
            } else if position == nil {
                fault = "\(name): its class is not in the manifest"
            } else {
                fault = "\(name): it has no embedding"
            }
        } catch {
            fault = "\(name): its line cannot be read: \(error)"
        }
        self.embedding = embedding
        self.label = label
        self.name = name
        self.fault = fault
    }

    func fault(_ text: String) -> String { "\(name): \(text)" }
}

/// What most training labels of a version agree on: which embeddings belong together.
struct EmbeddingGeometry {
    /// The commonest dimension; of equally common ones that of the oldest label.
    let dimension: Int
    /// The largest norm: `factor` times the median of those that are not 0. One embedding far out makes a fit impossible in
    /// all directions, as steps must be small enough for it.
    let largestNorm: Double

    /// How much larger than the median a norm may be.
    static let factor = 1_000.0

    /// Nil without a line that has an embedding.
    ///
    /// - Complexity: O(*n* log *n*) beside the norms.
    init?(of lines: [TrainingLine]) {
        var counts: [Int: Int] = [:]
        for line in lines where line.fault == nil { counts[line.embedding.count, default: 0] += 1 }
        guard let most = counts.values.max(),
            let first = lines.first(where: { $0.fault == nil && counts[$0.embedding.count] == most })
        else { return nil }
        dimension = first.embedding.count
        var norms: [Double] = []
        for line in lines where line.fault == nil && line.embedding.count == dimension {
            let norm = Self.norm(line.embedding)
            if norm > 0, norm.isFinite { norms.append(norm) }
        }
        norms.sort()
        largestNorm = norms.isEmpty ? .greatestFiniteMagnitude : Self.factor * norms[norms.count / 2]
    }

    /// Why a line that is sound in itself does not belong to the others; nil when it does.
    func fault(of line: TrainingLine) -> String? {
        guard line.fault == nil else { return nil }
        guard line.embedding.count == dimension else {
            return line.fault("its embedding has \(line.embedding.count) dimensions, most have \(dimension)")
        }
        let norm = Self.norm(line.embedding)
        guard norm.isFinite else { return line.fault("its embedding is not finite") }
        guard norm <= largestNorm else {
            return line.fault("its embedding has norm \(Float(norm)), at most \(Float(largestNorm)) are usable")
        }
        return nil
    }

    /// The Euclidean norm; that of finite 32-bit numbers is finite.
    private static func norm(_ embedding: [Float]) -> Double {
        var squares = 0.0
        for value in embedding { squares += Double(value) * Double(value) }
        return squares.squareRoot()
    }
}
