public import DatasetFiles
internal import EngineCore
internal import Events
internal import Learner
public import Vocabulary

/// Matrices of the labels of a version, of every split, as the built-in trainer holds them.
public struct TrainingMatrix: Sendable {
    public let rows: Int
    public let columns: Int
    /// Bytes of the numbers, in single precision.
    public var bytes: Int { rows.multiplied(by: columns).multiplied(by: MemoryLayout<Float>.size) }
    /// Keeps the measured memory allocated.
    private let matrices: [FeatureMatrix]

    init(_ version: VersionRows) throws {
        let geometry = version.training.geometry(EmbeddingSpace())
        matrices = try [version.training, version.validation, version.test].filter { $0.count > 0 }.map { rows in
            try rows.matrix(rows.usable(geometry), geometry)
        }
        rows = matrices.reduce(0) { $0.adding($1.rowCount) }
        columns = geometry.dimension
    }
}

extension DatasetStore {
    /// Reads a version as the built-in trainer does; for benchmarks.
    ///
    /// - Throws: `EngineError` or `StorageError` if the version is not whole, or holds nothing to train on.
    public func trainingMatrix(_ project: ProjectID, id: DatasetVersionID) throws -> TrainingMatrix {
        guard let manifest = try manifest(project, id: id) else {
            throw EngineError("read version \(id)", "it is not in the store", remedy: "name the store with --store")
        }
        return try TrainingMatrix(VersionRows(reader(of: manifest), cachedRows: nil))
    }
}
