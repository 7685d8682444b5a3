import Glibc

extension FolderStore {
    /// The bytes of an object.
    ///
    /// - Parameters:
    ///   - name: The object's name.
    ///   - maximumSize: The most bytes that are wanted.
    /// - Returns: All of the object's bytes.
    /// - Throws: `StorageError`, of kind `notFound` or `tooLarge` among others.
    public func read(_ name: String, maximumSize: Int) throws(StorageError) -> [UInt8] {
        try readFile(path(of: name), maximumSize: maximumSize)
    }

    /// Part of the bytes of an object.
    public func read(_ name: String, range: Range<Int>) throws(StorageError) -> [UInt8] {
        let path = try path(of: name)
        let file = try OpenFile(path)
        let lower = min(range.lowerBound, file.size)
        return try file.read(lower..<min(range.upperBound, file.size))
    }

    /// The number of bytes of an object; nil if there is none.
    public func size(of name: String) throws(StorageError) -> Int? {
        let path = try path(of: name)
        var status = stat()
        guard stat(path, &status) == 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw StorageError("inspect", path)
        }
        return status.st_mode & S_IFMT == S_IFREG ? Int(status.st_size) : nil
    }

    /// Whether a name is that of a symbolic link, whatever it leads to.
    public func isLink(_ name: String) throws(StorageError) -> Bool { isSymbolicLink(try path(of: name)) }

    /// Removes an object. Nothing happens if there is none; the target of a symbolic link is kept.
    public func remove(_ name: String) throws(StorageError) {
        let path = try path(of: name)
        try willPerform(.remove, path)
        guard try unlink(name, path) else { return }
        try didPerform(.remove, path)
        try synchronize(folder: folder(of: path))
    }

    /// Removes an object, descending from the root through folders only; links are not followed.
    ///
    /// - Returns: False if there is no such object.
    private func unlink(_ name: String, _ path: String) throws(StorageError) -> Bool {
        let parts = name.split(separator: "/").map(String.init)
        var folder = open(location, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        defer { if folder >= 0 { close(folder) } }
        for part in parts.dropLast() where folder >= 0 {
            let next = openat(folder, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
            let code = errno
            close(folder)
            folder = next
            errno = code
        }
        if folder >= 0, unlinkat(folder, parts[parts.count - 1], 0) == 0 { return true }
        if errno == ENOENT { return false }
        throw StorageError("remove", path)
    }

    /// All objects in a folder of the store and below it, in byte order of their names; none if there is no such
    /// folder.
    ///
    /// - Parameter folder: A relative path; empty for the whole store.
    /// - Returns: Names from the store's root, in the form that the other methods expect.
    /// - Throws: `StorageError` if a folder cannot be read.
    public func entries(_ folder: String) throws(StorageError) -> [ObjectEntry] {
        if !folder.isEmpty { try ObjectName.check(folder) }
        var found: [ObjectEntry] = []
        var folders = [folder]
        while let current = folders.popLast() {
            for entry in try files(in: current) where !entry.name.hasPrefix(ObjectName.temporaryPrefix) {
                let name = current.isEmpty ? entry.name : "\(current)/\(entry.name)"
                guard !entry.isFolder else {
                    folders.append(name)
                    continue
                }
                found.append(ObjectEntry(name: name, size: entry.size, modified: entry.modified))
            }
        }
        return found.sortedByName()
    }

    /// Removes the temporary files of writers that were killed, if they are older than `age`.
    ///
    /// - Returns: The number of removed files.
    @discardableResult
    public func removeLeftovers(olderThan age: Duration) throws(StorageError) -> Int {
        var removed = 0
        var folders = [""]
        let oldest = time(nil) - Int(age.components.seconds)
        while let current = folders.popLast() {
            for entry in try files(in: current) {
                let name = current.isEmpty ? entry.name : "\(current)/\(entry.name)"
                if entry.isFolder {
                    folders.append(name)
                } else if entry.name.hasPrefix(ObjectName.temporaryPrefix) {
                    if entry.modified <= oldest, Glibc.unlink("\(root)/\(name)") == 0 { removed += 1 }
                }
            }
        }
        return removed
    }

    private struct File {
        let name: String
        let isFolder: Bool
        let size: Int
        let modified: Int64
    }

    /// Lists the regular files and folders in one folder; links are not followed.
    private func files(in folder: String) throws(StorageError) -> [File] {
        let path = folder.isEmpty ? (root.isEmpty ? "/" : root) : "\(root)/\(folder)"
        guard let directory = opendir(path) else {
            if errno == ENOENT || errno == ENOTDIR { return [] }
            throw StorageError("list", path)
        }
        defer { closedir(directory) }
        var entries: [File] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name == "." || name == ".." { continue }
            var status = stat()
            guard lstat("\(path)/\(name)", &status) == 0 else { continue }
            let kind = status.st_mode & S_IFMT
            guard kind == S_IFREG || kind == S_IFDIR else { continue }
            entries.append(
                File(
                    name: name,
                    isFolder: kind == S_IFDIR,
                    size: Int(status.st_size),
                    modified: Int64(status.st_mtim.tv_sec)
                )
            )
        }
        return entries
    }
}

extension FileURI {
    /// Whether the path is that of a symbolic link, whatever it leads to.
    public var isLink: Bool { isSymbolicLink(path) }

    /// The bytes of the file.
    ///
    /// - Parameter maximumSize: The most bytes that are wanted.
    /// - Returns: All of the file's bytes.
    /// - Throws: `StorageError`, of kind `notFound` or `tooLarge` among others.
    public func read(maximumSize: Int = 256 << 20) throws(StorageError) -> [UInt8] {
        try readFile(path, maximumSize: maximumSize)
    }
}

private func isSymbolicLink(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
}

private func readFile(_ path: String, maximumSize: Int) throws(StorageError) -> [UInt8] {
    let file = try OpenFile(path)
    guard file.size <= maximumSize else {
        throw StorageError(.tooLarge, "read", path, reason: "expected at most \(maximumSize) bytes, found \(file.size)")
    }
    return try file.read(0..<file.size)
}

/// A regular file that is open for reading; owns its descriptor.
private struct OpenFile: ~Copyable {
    private let path: String
    private let descriptor: Int32
    let size: Int

    init(_ path: String) throws(StorageError) {
        // Non-blocking: if the file were replaced by a pipe, opening it would block for ever.
        let opened = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard opened >= 0 else { throw StorageError("read", path) }
        var status = stat()
        var code = fstat(opened, &status) == 0 ? 0 : errno
        let kind = status.st_mode & S_IFMT
        if code == 0, kind != S_IFREG { code = kind == S_IFDIR ? EISDIR : EINVAL }
        guard code == 0 else {
            close(opened)
            throw StorageError("read", path, code: code)
        }
        self.path = path
        descriptor = opened
        size = Int(status.st_size)
    }

    deinit { close(descriptor) }

    /// The bytes of a part within the object, or fewer if it was truncated meanwhile.
    borrowing func read(_ range: Range<Int>) throws(StorageError) -> [UInt8] {
        var failure: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: range.count) { buffer, count in
            count = 0
            while count < range.count, let start = buffer.baseAddress {
                let got = pread(descriptor, start + count, range.count - count, off_t(range.lowerBound + count))
                if got < 0, errno == EINTR { continue }
                if got < 0 { failure = errno }
                guard got > 0 else { return }
                count += got
            }
        }
        guard failure == 0 else { throw StorageError("read", path, code: failure) }
        return bytes
    }
}
