import Glibc

/// Objects in a folder: whole files under names, written such that a partial file is never visible.
///
/// A name never leads out of the folder; links inside it are the operator's responsibility. The value holds no open
/// files, and is safe to use from any thread and any process.
///
/// ```swift
/// let store = try FolderStore(root: folder)
/// try store.write(Array("[1]".utf8), to: "rows/1.json")
/// let bytes = try store.read("rows/1.json")
/// let names = try store.list("rows")
/// ```
public struct FolderStore: ObjectStore {
    /// The folder, absolute or relative to the process.
    public let root: String
    private let interposer: StorageInterposer?

    /// The objects in a folder, which is created if necessary.
    ///
    /// - Parameters:
    ///   - root: The folder.
    ///   - interposer: Called before and after every change of the disk; for tests.
    /// - Throws: `StorageError` if it cannot be created, or is not a folder.
    public init(root: String, interposer: StorageInterposer? = nil) throws(StorageError) {
        self.interposer = interposer
        guard !root.isEmpty, !root.utf8.contains(0) else {
            throw StorageError(.invalidName, "open", root, reason: "expected the path of a folder")
        }
        let isOnlySlashes = root.allSatisfy { $0 == "/" }
        self.root = isOnlySlashes ? "" : String(root.reversed().drop { $0 == "/" }.reversed())
        try makeFolders(isOnlySlashes ? "/" : self.root)
    }

    /// The path of an object, whether or not it exists.
    public func path(of name: String) throws(StorageError) -> String {
        try ObjectName.check(name)
        return "\(root)/\(name)"
    }

    /// The folder.
    public var location: String { root.isEmpty ? "/" : root }

    /// The `file:` URI of an object, whether or not it exists; the folder must have been given by an absolute path.
    public func uri(of name: String) throws(StorageError) -> ObjectURI {
        guard let uri = FileURI(path: try path(of: name)) else {
            throw StorageError(.invalidName, "name", root, reason: "the folder's path is not absolute")
        }
        return .file(uri)
    }

    /// The name of the object that a URI refers to; nil if the URI is outside of this folder.
    public func name(of uri: FileURI) -> String? {
        guard uri.path.utf8.starts(with: "\(root)/".utf8) else { return nil }
        let name = String(uri.path.dropFirst(root.count + 1))
        do throws(StorageError) {
            try ObjectName.check(name)
            return name
        } catch {
            return nil
        }
    }

    /// Stores bytes under a name that identifies them, such as their digest. A repetition changes nothing.
    ///
    /// The bytes are on the disk, under their name, when this returns.
    ///
    /// - Returns: Whether they were written now; false if they existed.
    /// - Throws: `StorageError`, of kind `conflict` if other bytes have that name.
    @discardableResult
    public func put(_ bytes: UnsafeRawBufferPointer, as name: String) throws(StorageError) -> Bool {
        if try size(of: name) == nil {
            var writer = try makeWriter(nextTo: name)
            try writer.append(bytes)
            if try writer.commitUnlessPresent(as: name) { return true }
        }
        let stored = try read(name, maximumSize: .max)
        let isEqual = stored.count == bytes.count && stored.elementsEqual(bytes)
        guard isEqual else {
            throw StorageError(.conflict, "put", "\(root)/\(name)", reason: "other bytes are stored under this name")
        }
        // The process that wrote the object may have ended before the name was durable.
        try synchronize(folder: folder(of: path(of: name)))
        return false
    }

    /// Stores bytes under a name, replacing its previous content: readers see the old bytes or the new, also after a
    /// crash.
    public func write(_ bytes: UnsafeRawBufferPointer, to name: String) throws(StorageError) {
        var writer = try makeWriter(nextTo: name)
        try writer.append(bytes)
        try writer.commit(as: name)
    }

    /// A writer for an object that is written in pieces, or whose name is known only at the end.
    ///
    /// - Parameter name: Any name in the folder where the object will be.
    /// - Returns: A writer; its bytes are discarded unless it is committed.
    /// - Throws: `StorageError` if the folder or the file cannot be created.
    public func makeWriter(nextTo name: String) throws(StorageError) -> ObjectWriter {
        let path = try path(of: name)
        let folder = folder(of: path)
        try makeFolders(folder)
        try willPerform(.create, folder)
        let writer = try ObjectWriter(store: self, folder: folder)
        try didPerform(.create, folder)
        return writer
    }

    func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Creates a folder and its parents, each of them durable before the next one is created.
    private func makeFolders(_ path: String) throws(StorageError) {
        if try makeFolder(path) { return }
        switch errno {
        case EEXIST:
            var status = stat()
            guard stat(path, &status) == 0 else { throw StorageError("open the folder", path) }
            guard status.st_mode & S_IFMT == S_IFDIR else { throw StorageError("open the folder", path, code: ENOTDIR) }
        case ENOENT where folder(of: path) != path:
            try makeFolders(folder(of: path))
            if try !makeFolder(path), errno != EEXIST { throw StorageError("make the folder", path) }
        default: throw StorageError("make the folder", path)
        }
    }

    /// Creates a folder, and returns whether it did; if not, `errno` contains the reason.
    private func makeFolder(_ path: String) throws(StorageError) -> Bool {
        var status = stat()
        if stat(path, &status) == 0 {
            errno = EEXIST
            return false
        }
        try willPerform(.makeFolder, path)
        guard mkdir(path, 0o755) == 0 else { return false }
        try didPerform(.makeFolder, path)
        try synchronize(folder: folder(of: path))
        return true
    }

    // MARK: - Effects

    func willPerform(_ kind: StorageEffect.Kind, _ path: String) throws(StorageError) {
        try interposer?(StorageEffect(kind, path, isDone: false))
    }

    func didPerform(_ kind: StorageEffect.Kind, _ path: String) throws(StorageError) {
        try interposer?(StorageEffect(kind, path, isDone: true))
    }

    /// Makes the entries of a folder durable.
    func synchronize(folder path: String) throws(StorageError) {
        try willPerform(.synchronizeFolder, path)
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw StorageError("open the folder", path) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw StorageError("synchronize the folder", path) }
        try didPerform(.synchronizeFolder, path)
    }
}
