internal import Events
internal import Learner
public import Vocabulary

/// The training labels of a version as the built-in trainer holds them.
public struct TrainingMatrix: Sendable {
    public let rows: Int
    public let columns: Int
    /// Of its numbers, in single precision.
    public var bytes: Int { rows.multiplied(by: columns).multiplied(by: MemoryLayout<Float>.size) }
    private let rowsOfVersion: VersionRows

    init(_ rows: VersionRows) throws {
        let geometry = rows.training.geometry(EmbeddingSpace())
        let usable = rows.training.usable(geometry)
        let matrix = try rows.training.matrix(usable, geometry)
        self.rows = matrix.rowCount
        columns = matrix.columnCount
        rowsOfVersion = rows
    }
}

extension DatasetStore {
    /// Reads a version as the built-in trainer does; for benchmarks.
    ///
    /// - Throws: `EngineError` and `StorageError` of a version that is not whole, or holds nothing to train on.
    public func trainingMatrix(_ project: ProjectID, id: DatasetVersionID) throws -> TrainingMatrix {
        guard let manifest = try manifest(project, id: id) else {
            throw EngineError("read version \(id)", "it is not in the store", remedy: "name the store with --store")
        }
        return try TrainingMatrix(VersionRows(reader(of: manifest), kept: nil))
    }
}
