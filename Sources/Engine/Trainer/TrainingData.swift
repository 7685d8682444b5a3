internal import Events
internal import Hashing
internal import JSON
internal import Learner
public import S3
internal import Storage
public import Vocabulary

/// Files that events name by URI, size and digest.
public enum ArtifactFile {
    /// The largest artifact that is read, in bytes.
    public static let limit = 1 << 30

    /// Reads a `file:` or `s3:` artifact and checks that it is what its reference says, as far as that says anything.
    ///
    /// - Parameters:
    ///   - reference: What an event says of it.
    ///   - buckets: Who reads from buckets; nil: nobody can.
    /// - Returns: All of its bytes.
    /// - Throws: `StorageError` where it is not there or its store is away; `EngineError` of anything else.
    public static func read(_ reference: ArtifactReference, _ buckets: S3Client? = nil) throws -> [UInt8] {
        let bytes: [UInt8]
        switch (ObjectURI(reference.uri), buckets) {
        case (.file(let uri), _): bytes = try uri.read(maximumSize: limit)
        case (.s3(let place), let buckets?): bytes = try buckets.read(place, maximumSize: limit)
        case (.s3, nil):
            throw EngineError(
                "read \(reference.uri.prefix(200))",
                "there is nothing to ask a bucket with",
                remedy: "give s3 in the worker's file, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
            )
        case (nil, _):
            throw EngineError(
                "read \(reference.uri.prefix(200))",
                "expected a file: URI of an absolute path, or s3://BUCKET/KEY",
                remedy: "other schemes are not built yet"
            )
        }
        guard reference.size.map({ $0 == Int64(bytes.count) }) ?? true,
            reference.sha256.map({ $0 == SHA256Digest(of: bytes).hex }) ?? true
        else {
            throw EngineError(
                "read \(reference.uri)",
                "it is not the file that the event names: size or SHA-256 differ"
            )
        }
        return bytes
    }
}

/// Why a repeat gives no model, and what had to be left out before.
struct StudyFailure: Error {
    let failure: TrainingResult.Failure
    let error: EngineError
    var leftOut: LeftOutLabels?
}

/// A sealed version as matrices: embeddings as features. A label that cannot be used is left out and counted; it never
/// keeps the others from being used.
struct TrainingData {
    let classes: [String]
    let training: FeatureMatrix
    let trainingLabels: [Int]
    /// Nil without test labels that can be used.
    let test: FeatureMatrix?
    let testLabels: [Int]
    /// Validation labels that can be used: what is read on them decides nothing. Nil without any.
    let validation: FeatureMatrix?
    let validationLabels: [Int]
    /// Positions of the rows of `test` among all test labels of the version.
    let testPositions: [Int]
    /// Test labels of the version, left out or not.
    let testCount: Int
    /// Nil when every label is used.
    let leftOut: LeftOutLabels?

    init(_ request: TrainingRequest, parser: JSONParser, buckets: S3Client? = nil) throws {
        let bytes = try ArtifactFile.read(request.dataset.manifest, buckets)
        let manifest = try DatasetManifest(bytes, file: request.dataset.manifest.uri)
        var positions: [String: Int] = [:]
        for (position, name) in manifest.classes.enumerated() { positions[name] = position }
        var training: [TrainingLine] = []
        var test: [TrainingLine] = []
        var validation: [TrainingLine] = []
        let folder = request.dataset.manifest.uri.split(separator: "/", omittingEmptySubsequences: false).dropLast()
        for segment in manifest.segments {
            let uri = Self.resolve(segment.path, in: folder.map(String.init))
            let bytes = try ArtifactFile.read(
                ArtifactReference(uri: uri, size: Int64(segment.size), sha256: segment.sha256),
                buckets
            )
            for line in bytes.split(separator: 0x0A) {
                let read: TrainingLine
                do throws(JSONError) {
                    read = try TrainingLine(Array(line), classes: positions, parser: parser)
                } catch {
                    throw DatasetForm.refusal(error, in: uri)
                }
                switch segment.split {
                case .training: training.append(read)
                case .test: test.append(read)
                case .validation: validation.append(read)
                }
            }
        }
        let geometry = EmbeddingGeometry(of: training, request.embedding ?? EmbeddingSpace())
        let trainingFaults = training.map { line in line.fault ?? geometry.fault(of: line) }
        let testFaults = test.map { line in line.fault ?? geometry.fault(of: line) }
        let usable = training.indices.filter { trainingFaults[$0] == nil }.map { training[$0] }
        testPositions = test.indices.filter { testFaults[$0] == nil }
        let unscored = test.indices.filter { testFaults[$0] != nil }
        let example = (trainingFaults + testFaults).lazy.compactMap(\.self).first
        let leftOut = example.map { example in
            LeftOutLabels(
                training: training.count - usable.count,
                test: unscored.count,
                testPositions: test.count <= TrainingResult.predictionLimit ? unscored : [],
                example: example
            )
        }
        guard !usable.isEmpty else {
            throw StudyFailure(
                failure: .noUsableLabels,
                error: EngineError(
                    "train on version \(request.dataset.id)",
                    training.isEmpty
                        ? "it has no training labels"
                        : "none of its \(training.count) training labels can be used; \(example ?? "")",
                    remedy: "publish embeddings with predictions, or use a trainer of your own"
                ),
                leftOut: leftOut
            )
        }
        classes = manifest.classes
        self.leftOut = leftOut
        testCount = test.count
        self.training = try Self.matrix(usable, geometry)
        trainingLabels = usable.map(\.label)
        let scored = testPositions.map { test[$0] }
        self.test = scored.isEmpty ? nil : try Self.matrix(scored, geometry)
        testLabels = scored.map(\.label)
        let read = validation.filter { ($0.fault ?? geometry.fault(of: $0)) == nil }
        self.validation = read.isEmpty ? nil : try Self.matrix(read, geometry)
        validationLabels = read.map(\.label)
    }

    private static func matrix(_ lines: [TrainingLine], _ geometry: EmbeddingGeometry) throws -> FeatureMatrix {
        var values: [Double] = []
        values.reserveCapacity(lines.count * geometry.dimension)
        for line in lines { for value in line.embedding { values.append(Double(value)) } }
        return try FeatureMatrix(values: values, columnCount: geometry.dimension)
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
