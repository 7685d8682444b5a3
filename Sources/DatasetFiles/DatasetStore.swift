internal import EngineCore
internal import Events
internal import Hashing
internal import JSON
public import Storage
public import Vocabulary

/// Dataset versions as objects under one root, a folder or a place in a bucket:
///
///     PROJECT/segments/SHA256.jsonl         labels of one split, since the cut before
///     PROJECT/tombstones/SHA256.jsonl       numbers of lines that no longer hold (form 2)
///     PROJECT/pages/SHA256.json             part of the list of these files (form 2)
///     PROJECT/versions/ID/manifest.json     what a version is made of; ID is the SHA-256 of this file
///     PROJECT/ordinals/N                    the id of version N
///     PROJECT/collected/ID.json             that a version was there, and was collected
///
/// No object is ever seen half written, and all but the last of a version are where they belong before it is named.
public struct DatasetStore: Sendable {
    /// Objects by the names above; files of labels may lie packed beside them, as `NAME.jsonl.zst`.
    public let objects: any ObjectStore

    /// Versions in a store.
    ///
    /// - Parameters:
    ///   - objects: The store.
    ///   - compression: How files of labels are written from now on; whatever lies there is read.
    public init(objects: any ObjectStore, compression: StoreCompression = .none) {
        self.objects = ZstdStore(objects, compression)
    }

    /// The manifest of a version by its ordinal, or nil if it is not here.
    public func manifest(_ project: ProjectID, ordinal: Int) throws -> DatasetManifest? {
        guard let id = try id(project, ordinal: ordinal) else { return nil }
        return try manifest(project, id: id)
    }

    /// The id of a version by its ordinal, or nil if it was never here.
    public func id(_ project: ProjectID, ordinal: Int) throws -> DatasetVersionID? {
        try read("\(project)/ordinals/\(ordinal)").map { DatasetVersionID(String(decoding: $0, as: UTF8.self)) }
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

    /// The ordinals that are here, ascending.
    public func ordinals(_ project: ProjectID) throws -> [Int] {
        try objects.list("\(project)/ordinals").compactMap { $0.split(separator: "/").last.flatMap { Int($0) } }
            .sorted()
    }

    /// Writes the labels of one split and returns how a manifest names them.
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

    /// Seals a version whose manifest is in the store: the pointer to it. Of the manifest nothing is written, for a newer build
    /// may have said more in it than is read here, and its bytes are what the id stands for.
    package func seal(known manifest: DatasetManifest) throws -> SealedVersion {
        try write("\(manifest.project)/ordinals/\(manifest.ordinal)", Array(manifest.id.rawValue.utf8))
        return SealedVersion(
            id: manifest.id,
            ordinal: manifest.ordinal,
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

    /// Up to which offset a partition of the dataset log is materialized here; nil on a new disk.
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
