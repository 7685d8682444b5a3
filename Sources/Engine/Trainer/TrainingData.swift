internal import Events
internal import Hashing
internal import JSON
internal import Learner
internal import Storage
public import Vocabulary

/// Files that events name by URI, size and digest.
public enum ArtifactFile {
    /// The largest artifact that is read, in bytes.
    public static let limit = 1 << 30

    /// Reads a `file:` artifact and checks that it is what its reference says.
    public static func read(_ reference: ArtifactReference) throws -> [UInt8] {
        guard let uri = FileURI(reference.uri) else {
            throw EngineError(
                "read \(reference.uri.prefix(200))",
                "expected a file: URI of an absolute path",
                remedy: "other schemes are not built yet"
            )
        }
        let bytes = try uri.read(maximumSize: limit)
        guard Int64(bytes.count) == reference.size, SHA256Digest(of: bytes).hex == reference.sha256 else {
            throw EngineError(
                "read \(reference.uri)",
                "it is not the file that the event names: size or SHA-256 differ"
            )
        }
        return bytes
    }
}

/// A sealed version as matrices: embeddings as features.
struct TrainingData {
    let classes: [String]
    let training: FeatureMatrix
    let trainingLabels: [Int]
    /// Nil without test labels.
    let test: FeatureMatrix?
    let testLabels: [Int]

    init(_ request: TrainingRequest, parser: JSONParser) throws {
        let bytes = try ArtifactFile.read(request.dataset.manifest)
        let manifest = try parser.withDocument(of: bytes) { json in try DatasetManifest(json: json) }
        var positions: [String: Int] = [:]
        for (position, name) in manifest.classes.enumerated() { positions[name] = position }
        var features: [Split: [Double]] = [:]
        var labels: [Split: [Int]] = [:]
        var dimension: Int?
        let folder = request.dataset.manifest.uri.split(separator: "/", omittingEmptySubsequences: false).dropLast()
        for segment in manifest.segments {
            let uri = Self.resolve(segment.path, in: folder.map(String.init))
            let bytes = try ArtifactFile.read(
                ArtifactReference(uri: uri, size: Int64(segment.size), sha256: segment.sha256)
            )
            for line in bytes.split(separator: 0x0A) {
                let label = try parser.withDocument(of: Array(line)) { json in try DatasetLine(json: json) }
                guard let embedding = label.embedding else {
                    throw EngineError(
                        "train on \(label.sample)",
                        "it has no embedding",
                        remedy: "publish embeddings with predictions, or use a trainer of your own"
                    )
                }
                guard embedding.count == dimension ?? embedding.count else {
                    throw EngineError(
                        "train on \(label.sample)",
                        "its embedding has \(embedding.count) dimensions, others \(dimension ?? 0)"
                    )
                }
                guard let position = positions[label.className] else {
                    throw EngineError("train on \(label.sample)", "class \"\(label.className)\" is not in the manifest")
                }
                dimension = embedding.count
                for value in embedding { features[segment.split, default: []].append(Double(value)) }
                labels[segment.split, default: []].append(position)
            }
        }
        guard let dimension, let rows = features[.training] else {
            throw EngineError("train on version \(request.dataset.id)", "it has no training labels")
        }
        classes = manifest.classes
        training = try FeatureMatrix(values: rows, columnCount: dimension)
        trainingLabels = labels[.training] ?? []
        test = try features[.test].map { try FeatureMatrix(values: $0, columnCount: dimension) }
        testLabels = labels[.test] ?? []
    }

    /// A path relative to a folder, both in parts of a URI.
    private static func resolve(_ path: String, in folder: [String]) -> String {
        var parts = folder
        for part in path.split(separator: "/") {
            if part == ".." { _ = parts.popLast() } else { parts.append(String(part)) }
        }
        return parts.joined(separator: "/")
    }
}
