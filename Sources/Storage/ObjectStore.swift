internal import Glibc

/// What a store could not do.
public struct StorageError: Error, Hashable, Sendable, CustomStringConvertible {
    public let operation: String
    public let path: String
    public let reason: String
    /// The system's error number, 0 where it was not the system.
    public let number: Int32

    init(_ operation: String, _ path: String, reason: String, number: Int32 = 0) {
        self.operation = operation
        self.path = path
        self.reason = reason
        self.number = number
    }

    init(_ operation: String, _ path: String, errno number: Int32) {
        self.init(operation, path, reason: String(cString: strerror(number)), number: number)
    }

    public var description: String { "could not \(operation) \(path): \(reason)" }
}

/// Files under one folder, named by relative paths. Nothing outside it can be named, and no file is ever seen half written.
public struct ObjectStore: Hashable, Sendable {
    /// Absolute, without a slash at its end.
    public let root: String

    /// Makes the folder if it is not there.
    public init(root: String) throws(StorageError) {
        let absolute = root.hasPrefix("/") ? root : FileSystem.currentFolder + "/" + root
        self.root = absolute.count > 1 && absolute.hasSuffix("/") ? String(absolute.dropLast()) : absolute
        try FileSystem.makeFolder(self.root)
    }

    /// The `file:` URI of an object.
    public func uri(of path: String) -> String { FileURI.text(root + "/" + path) }

    public func exists(_ path: String) throws(StorageError) -> Bool {
        FileSystem.exists(try resolve(path))
    }

    /// - Throws: `StorageError` if the object is larger than `maximumSize` bytes, or cannot be read.
    public func read(_ path: String, maximumSize: Int) throws(StorageError) -> [UInt8] {
        try FileSystem.read(try resolve(path), maximumSize: maximumSize)
    }

    /// Writes an object: under another name first, made durable, then renamed, and the folder made durable too. One that is
    /// there with the same bytes is left alone.
    public func write(_ path: String, _ bytes: [UInt8]) throws(StorageError) {
        let target = try resolve(path)
        if FileSystem.exists(target), let known = try? FileSystem.read(target, maximumSize: bytes.count), known == bytes { return }
        let folder = target.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        try FileSystem.makeFolder(folder)
        let temporary = "\(target).\(getpid()).partial"
        try FileSystem.writeDurably(temporary, bytes)
        guard rename(temporary, target) == 0 else {
            let number = errno
            unlink(temporary)
            throw StorageError("rename to", target, errno: number)
        }
        try FileSystem.syncFolder(folder)
    }

    /// The names in a folder, ascending; empty when there is none. Unfinished files are left out.
    public func list(_ path: String) throws(StorageError) -> [String] {
        let folder = try resolve(path)
        guard let handle = opendir(folder) else {
            if errno == ENOENT { return [] }
            throw StorageError("list", folder, errno: errno)
        }
        defer { closedir(handle) }
        var names: [String] = []
        while let entry = readdir(handle) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != "..", !name.hasSuffix(".partial") { names.append(name) }
        }
        return names.sorted()
    }

    private func resolve(_ path: String) throws(StorageError) -> String {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard !path.isEmpty, !path.utf8.contains(0),
            !parts.contains(where: { $0.isEmpty || $0 == "." || $0 == ".." })
        else {
            throw StorageError("name", path, reason: "expected a relative path without empty, . or .. parts")
        }
        return root + "/" + path
    }
}
