internal import DatasetFiles
internal import EngineCore
internal import Events
internal import Hashing
internal import Learner
internal import S3
internal import Storage
internal import Vocabulary

/// Reason why a repeat yields no model, and the labels that were left out before.
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
    /// Embeddings of the test labels that can be used; nil without any.
    let test: FeatureMatrix?
    let testLabels: [Int]
    /// Validation labels that can be used: no decision depends on scores computed on them. Nil without any.
    let validation: FeatureMatrix?
    let validationLabels: [Int]
    /// Positions of the rows of `test` among all test labels of the version.
    let testPositions: [Int]
    /// Test labels of the version, left out or not.
    let testCount: Int
    /// Labels that cannot be used; nil if every label is used.
    let leftOut: LeftOutLabels?

    /// Reads a version.
    ///
    /// - Parameters:
    ///   - request: Names the version, and the space of the embeddings.
    ///   - buckets: Reads `s3:` URIs; nil where no store is configured.
    ///   - cachedRows: Data read for the previous study and, afterwards, for this one: if the version only adds to the
    ///     previous one, nothing else is read. Nil if the data is too large to be kept.
    /// - Throws: `StudyFailure` if the version holds nothing to train on; `EngineError` or `StorageError` if it is
    ///   incomplete or missing.
    init(_ request: TrainingRequest, buckets: S3Client? = nil, cachedRows: inout VersionRows?) throws {
        let uri = request.dataset.manifest.uri
        let manifest = try DatasetManifest(ArtifactFile.read(request.dataset.manifest, buckets), file: uri)
        let reader = DatasetReader(manifest, DatasetFiles(uri, buckets), name: uri)
        let rows = try VersionRows(reader, cachedRows: cachedRows.take())
        cachedRows = rows.size <= VersionRows.limit ? rows : nil
        let (training, test) = (rows.training, rows.test)
        let geometry = training.geometry(request.embedding ?? EmbeddingSpace())
        let usable = training.usable(geometry)
        testPositions = test.usable(geometry)
        let unscored = testPositions.count < test.count ? test.unusable(geometry) : []
        let example =
            try Self.example(from: training, split: .training, geometry: geometry, reader: reader)
            ?? Self.example(from: test, split: .test, geometry: geometry, reader: reader)
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
                    training.count == 0
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
        self.training = try training.matrix(usable, geometry)
        trainingLabels = training.labels(usable)
        self.test = testPositions.isEmpty ? nil : try test.matrix(testPositions, geometry)
        testLabels = test.labels(testPositions)
        let usableValidation = rows.validation.usable(geometry)
        validation = usableValidation.isEmpty ? nil : try rows.validation.matrix(usableValidation, geometry)
        validationLabels = rows.validation.labels(usableValidation)
    }

    /// Describes the fault of the first label of a split that cannot be used; nil where there is none. Its sample's
    /// name is read from the version again: no other names are needed.
    private static func example(
        from rows: TrainingRows,
        split: Split,
        geometry: EmbeddingGeometry,
        reader: DatasetReader
    ) throws -> String? {
        guard let first = rows.firstUnusable(geometry) else { return nil }
        return try rows.fault(first, geometry) { try reader.sampleID(of: $0, in: split) }
    }
}
