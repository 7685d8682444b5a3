internal import EngineCore
internal import Events
internal import Hashing
internal import JSON
public import Storage
public import Vocabulary

/// Dataset versions as objects under one root, a folder or a prefix in a bucket:
///
///     PROJECT/segments/SHA256.jsonl         labels of one split, since the previous cut
///     PROJECT/tombstones/SHA256.jsonl       numbers of lines that are no longer valid (form 2)
///     PROJECT/pages/SHA256.json             part of the list of these files (form 2)
///     PROJECT/versions/ID/manifest.json     contents of a version; ID is the SHA-256 of this file
///     PROJECT/ordinals/N                    the id of version N
///     PROJECT/collected/ID.json             record that a version existed and was collected
///
/// No object is ever visible half written, and all objects of a version but the last are stored under their names
/// before the version is named.
public struct DatasetStore: Sendable {
    /// Objects by the names above; files of labels may be stored packed instead, as `NAME.jsonl.zst`.
    public let objects: any ObjectStore

    /// Creates a store of versions.
    ///
    /// - Parameters:
    ///   - objects: The store.
    ///   - compression: Compression of files of labels that are written from now on; existing files are read in either
    ///     form.
    public init(objects: any ObjectStore, compression: StoreCompression = .none) {
        self.objects = ZstdStore(objects, compression)
    }

    /// The manifest of a version by its version number, or nil if it is not stored.
    public func manifest(_ project: ProjectID, versionNumber: Int) throws -> DatasetManifest? {
        guard let id = try id(project, versionNumber: versionNumber) else { return nil }
        return try manifest(project, id: id)
    }

    /// The id of a version by its version number, or nil if it was never stored.
    public func id(_ project: ProjectID, versionNumber: Int) throws -> DatasetVersionID? {
        try read("\(project)/ordinals/\(versionNumber)").map { DatasetVersionID(String(decoding: $0, as: UTF8.self)) }
    }

    /// The manifest of a version by its id, or nil if it is not here. Its bytes must have the digest that names them.
    public func manifest(_ project: ProjectID, id: DatasetVersionID) throws -> DatasetManifest? {
        let path = "\(project)/versions/\(id)/manifest.json"
        guard let bytes = try read(path) else { return nil }
        guard SHA256Digest(of: bytes).hex == id.rawValue else {
            throw EngineError(
                "read \(path)",
                "the manifest does not have the digest that names it",
                remedy: "restore the file from a copy"
            )
        }
        return try DatasetManifest(bytes, file: path, id: id)
    }

    /// The version numbers that are stored, ascending.
    public func versionNumbers(_ project: ProjectID) throws -> [Int] {
        try objects.list("\(project)/ordinals").compactMap { $0.split(separator: "/").last.flatMap { Int($0) } }
            .sorted()
    }

    /// Writes the labels of one split and returns the segment by which a manifest names them.
    package func writeSegment(_ project: ProjectID, _ split: Split, lines: [SegmentLine]) throws -> DatasetSegment {
        var bytes: [UInt8] = []
        for line in lines { bytes += line.bytes }
        let digest = SHA256Digest(of: bytes).hex
        try objects.put(bytes, as: "\(project)/segments/\(digest).jsonl")
        return DatasetSegment(
            split: split,
            path: "../../segments/\(digest).jsonl",
            size: bytes.count,
            sha256: digest,
            records: lines.count
        )
    }

    /// Seals a version: the manifest, then the pointer to it.
    package func seal(_ manifest: DatasetManifest) throws -> SealedVersion {
        try objects.put(manifest.jsonBytes, as: manifestName(manifest))
        return try seal(known: manifest)
    }

    /// Seals a version whose manifest is in the store: writes the pointer to it. The manifest itself is not written,
    /// because a newer build may have stored more in it than this build reads, and the id is the digest of its bytes.
    package func seal(known manifest: DatasetManifest) throws -> SealedVersion {
        try write("\(manifest.project)/ordinals/\(manifest.versionNumber)", Array(manifest.id.rawValue.utf8))
        return SealedVersion(
            id: manifest.id,
            versionNumber: manifest.versionNumber,
            parent: manifest.parent,
            semanticVersion: manifest.semanticVersion,
            manifest: ArtifactReference(
                uri: try objects.uri(of: manifestName(manifest)).description,
                size: Int64(manifest.size),
                sha256: manifest.id.rawValue
            ),
            training: manifest.count(of: .training),
            validation: manifest.count(of: .validation),
            test: manifest.count(of: .test)
        )
    }

    private func manifestName(_ manifest: DatasetManifest) -> String {
        "\(manifest.project)/versions/\(manifest.id)/manifest.json"
    }

    // MARK: - Progress

    /// Offset up to which a partition of the dataset log is materialized in this store; nil in a new store.
    package func progress(_ partition: Int32) throws -> Int64? {
        try read("progress/\(partition)").flatMap { Int64(String(decoding: $0, as: UTF8.self)) }
            .map { max(0, $0) }
    }

    package func record(progress offset: Int64, of partition: Int32) throws {
        try write("progress/\(partition)", Array(String(offset).utf8))
    }

    private func read(_ path: String) throws -> [UInt8]? {
        try objects.readIfPresent(path, maximumSize: 1 << 30)
    }

    private func write(_ path: String, _ bytes: [UInt8]) throws { try objects.write(bytes, to: path) }
}
