internal import Hashing
internal import S3
internal import Storage
internal import Vocabulary

/// Files that the manifest of a version names, wherever the version lies. What is read has the size and the digest that its
/// name says, or is refused.
struct DatasetFiles {
    /// The manifest's folder: names of objects in a store, or parts of a URI.
    private let folder: [String]
    /// Reads what is at a place.
    private let fetch: (_ place: String, _ size: Int) throws -> [UInt8]

    /// Files of a version in a store.
    init(_ objects: any ObjectStore, _ project: ProjectID, _ id: DatasetVersionID) {
        folder = [project.rawValue, "versions", id.rawValue]
        fetch = { name, size in
            guard try !objects.isLink(name) else { throw Self.link(name) }
            return try objects.read(name, maximumSize: size)
        }
    }

    /// Files of a version whose manifest an event names.
    init(_ manifest: String, _ buckets: S3Client?) {
        folder = manifest.split(separator: "/", omittingEmptySubsequences: false).dropLast().map(String.init)
        fetch = { uri, _ in
            if case .file(let file) = ObjectURI(uri), file.isLink { throw Self.link(uri) }
            return try ArtifactFile.read(ArtifactReference(uri: uri, size: nil, sha256: nil), buckets)
        }
    }

    private static func link(_ place: String) -> EngineError {
        DatasetForm.damage("it is a symbolic link, and a version's files are not", in: place)
    }

    /// Where a file is that a manifest names.
    ///
    /// - Throws: `EngineError` of a path that is not relative, or leads out of the project's folder.
    func place(_ path: String) throws(EngineError) -> String {
        let all = path.split(separator: "/", omittingEmptySubsequences: false)
        let parts = all.drop { $0 == ".." }
        let up = all.count - parts.count
        let isPlain = parts.allSatisfy { part in
            !part.isEmpty && part != "." && part != ".." && !part.contains(":") && !part.utf8.contains(0)
        }
        guard up <= 2, up < folder.count, !parts.isEmpty, isPlain else {
            throw DatasetForm.damage(
                "it names a file \"\(path.prefix(200))\", expected one of the project's folder by a relative path",
                in: "\(folder.joined(separator: "/"))/manifest.json"
            )
        }
        return (folder.dropLast(up) + parts.map(String.init)).joined(separator: "/")
    }

    /// The bytes of a file.
    ///
    /// - Throws: `StorageError` where it is not there or its store is away; `EngineError`, naming it, where it is not what it
    ///   should be.
    func read(_ path: String, size: Int, sha256: String) throws -> [UInt8] {
        let place = try place(path)
        let bytes: [UInt8]
        do {
            bytes = try fetch(place, size)
        } catch let error as StorageError where error.kind == .tooLarge {
            throw DatasetForm.damage("it is longer than the \(size) bytes that name it", in: place)
        }
        guard bytes.count == size else {
            throw DatasetForm.damage("it has \(bytes.count) bytes, not \(size)", in: place)
        }
        guard SHA256Digest(of: bytes).hex == sha256 else {
            throw DatasetForm.damage("it does not have the digest that names it", in: place)
        }
        return bytes
    }
}
