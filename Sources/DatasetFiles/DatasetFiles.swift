internal import EngineCore
internal import Hashing
package import S3
package import Storage
package import Vocabulary

/// Files that the manifest of a version names, wherever the version is stored. A file is refused if its size or digest
/// differs from its reference.
package struct DatasetFiles {
    /// The manifest's folder: names of objects in a store, or parts of a URI.
    private let folder: [String]
    /// Reads the object with a name.
    private let fetch: (_ name: String, _ size: Int) throws -> [UInt8]
    /// Reads part of the object with a name; nil if the object is read as a whole.
    private let fetchPart: (_ name: String, _ range: Range<Int>) throws -> [UInt8]?
    /// Size in bytes of the pieces in which a larger file is scanned.
    static let pieceSize = 8 << 20

    /// Creates access to the files of a version in a store.
    package init(_ objects: any ObjectStore, _ project: ProjectID, _ id: DatasetVersionID) {
        folder = [project.rawValue, "versions", id.rawValue]
        fetch = { name, size in
            guard try !objects.isLink(name) else { throw Self.link(name) }
            return try objects.read(name, maximumSize: size)
        }
        fetchPart = { name, range in
            if range.lowerBound == 0, try objects.isLink(name) { throw Self.link(name) }
            // A packed file can be unpacked only from its beginning, so it is read as a whole.
            if let packable = objects as? ZstdStore, try packable.isPacked(name) { return nil }
            return try objects.read(name, range: range)
        }
    }

    /// Creates access to the files of a version whose manifest an event names.
    package init(_ manifest: String, _ buckets: S3Client?) {
        folder = manifest.split(separator: "/", omittingEmptySubsequences: false).dropLast().map(String.init)
        fetchPart = { _, _ in nil }
        fetch = { uri, size in
            do {
                return try Self.read(uri, maximumSize: size, buckets)
            } catch let error as StorageError where error.kind == .notFound && ZstdStore.isPackable(uri) {
                let packed = uri + DatasetForm.compressedSuffix
                do {
                    let frame = try Self.read(packed, maximumSize: ZstdStore.bound(size), buckets)
                    return try ZstdStore.unpacked(frame, packed, maximumSize: size)
                } catch let other as StorageError where other.kind == .notFound { throw error }
            }
        }
    }

    private static func read(_ uri: String, maximumSize: Int, _ buckets: S3Client?) throws -> [UInt8] {
        if case .file(let file) = ObjectURI(uri), file.isLink { throw link(uri) }
        let reference = ArtifactReference(uri: uri, size: nil, sha256: nil)
        return try ArtifactFile.read(reference, maximumSize: maximumSize, buckets)
    }

    private static func link(_ name: String) -> EngineError {
        DatasetForm.damage("it is a symbolic link, and a version's files are not", in: name)
    }

    /// Name of the object, or the URI, of a file that a manifest names.
    ///
    /// - Throws: `EngineError` if the path is not relative, or leads out of the project's folder.
    func objectName(_ path: String) throws(EngineError) -> String {
        let all = path.split(separator: "/", omittingEmptySubsequences: false)
        let parts = all.drop { $0 == ".." }
        let up = all.count - parts.count
        let isPlain = parts.allSatisfy { part in
            !part.isEmpty && part != "." && part != ".." && !part.contains(":") && !part.utf8.contains(0)
        }
        guard up <= 2, up < folder.count, !parts.isEmpty, isPlain else {
            throw DatasetForm.damage(
                "it names a file \"\(path.prefix(200))\", expected a relative path inside the project's folder",
                in: "\(folder.joined(separator: "/"))/manifest.json"
            )
        }
        return (folder.dropLast(up) + parts.map(String.init)).joined(separator: "/")
    }

    /// Reads the bytes of a file.
    ///
    /// - Throws: `StorageError` if the file is missing or its store is unavailable; `EngineError`, naming the file, if
    ///   its size or digest differs.
    func read(_ path: String, size: Int, sha256: String) throws -> [UInt8] {
        let name = try objectName(path)
        let bytes = try Self.convertingErrors(name, size) { try fetch(name, size) }
        guard bytes.count == size else {
            throw DatasetForm.damage("it has \(bytes.count) bytes, not \(size)", in: name)
        }
        guard SHA256Digest(of: bytes).hex == sha256 else {
            throw DatasetForm.damage("it does not have the digest that names it", in: name)
        }
        return bytes
    }

    /// Converts storage errors that concern the content of a file into errors that name the file.
    private static func convertingErrors<R>(_ name: String, _ size: Int, _ body: () throws -> R) throws -> R {
        do {
            return try body()
        } catch let error as StorageError where error.kind == .tooLarge {
            throw DatasetForm.damage("it is longer than the \(size) bytes that its reference states", in: name)
        } catch let error as StorageError where error.kind == .damaged {
            throw DatasetForm.damage(error.reason, in: error.path)
        }
    }

    /// Passes the lines of a file to `body`; a large file that is stored plain is read in pieces, so that memory does
    /// not grow with it. A file that is stored packed is unpacked as a whole. Whether the file matches its reference is
    /// known at its end only: until this function returns, the lines passed to `body` are not confirmed.
    ///
    /// - Parameters:
    ///   - path: Path as in a manifest or a page.
    ///   - size: The file's size in bytes.
    ///   - sha256: Its digest.
    ///   - pieceSize: Bytes that are read at once.
    ///   - body: Borrows each line, without its line feed.
    /// - Throws: The errors of `read`.
    package func scan(
        _ path: String,
        size: Int,
        sha256: String,
        pieceSize: Int = pieceSize,
        _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        let name = try objectName(path)
        func part(_ range: Range<Int>) throws -> [UInt8]? {
            try Self.convertingErrors(name, size) { try fetchPart(name, range) }
        }
        guard size > pieceSize, var piece = try part(0..<pieceSize) else {
            let bytes = try read(path, size: size, sha256: sha256)
            return try bytes.withUnsafeBytes { try enumerateLines(of: $0, body) }
        }
        var hasher = SHA256Hasher()
        var offset = 0
        var rest: [UInt8] = []
        while !piece.isEmpty {
            hasher.update(piece)
            offset += piece.count
            guard offset <= size else { break }
            guard rest.count <= DatasetForm.lineSize else {
                let reason =
                    "a line that ends after byte \(offset - piece.count) is longer than \(DatasetForm.lineSize) bytes"
                throw DatasetForm.damage(reason, in: name)
            }
            let end = piece.lastIndex(of: 0x0A)
            rest += piece
            if let end {
                let completeSize = rest.count - piece.count + end + 1
                try rest.withUnsafeBytes {
                    try enumerateLines(of: UnsafeRawBufferPointer(rebasing: $0[..<completeSize]), body)
                }
                rest.removeFirst(completeSize)
            }
            // One byte more than the stated size is requested, to detect a file that is longer.
            piece = try part(offset..<offset + min(pieceSize, size - offset + 1)) ?? []
        }
        guard offset == size else {
            throw DatasetForm.damage("it has \(offset) bytes or more, not \(size)", in: name)
        }
        guard hasher.finish().hex == sha256 else {
            throw DatasetForm.damage("it does not have the digest that names it", in: name)
        }
        try rest.withUnsafeBytes { try enumerateLines(of: $0, body) }
    }
}
