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

    /// The number of bytes of an object; nil if there is none.
    public func size(of name: String) throws(StorageError) -> Int? {
        let path = try path(of: name)
        var status = stat()
        guard stat(path, &status) == 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw StorageError("look at", path)
        }
        return status.st_mode & S_IFMT == S_IFREG ? Int(status.st_size) : nil
    }

    /// Whether a name is that of a symbolic link, whatever it leads to.
    public func isLink(_ name: String) throws(StorageError) -> Bool { isSymbolicLink(try path(of: name)) }

    /// Removes an object. Nothing happens if there is none.
    public func remove(_ name: String) throws(StorageError) {
        let path = try path(of: name)
        try enter(.remove, path)
        guard unlink(path) == 0 else {
            if errno == ENOENT { return }
            throw StorageError("remove", path)
        }
        try leave(.remove, path)
        try synchronize(folder: folder(of: path))
    }

    /// The names of all objects in a folder of the store and below it, in byte order; none if there is no such folder.
    ///
    /// - Parameter folder: A relative path; empty for the whole store.
    /// - Returns: Names from the store's root, as the other methods take them.
    /// - Throws: `StorageError` if a folder cannot be read.
    public func list(_ folder: String) throws(StorageError) -> [String] {
        if !folder.isEmpty { try ObjectName.check(folder) }
        var names: [String] = []
        var folders = [folder]
        while let current = folders.popLast() {
            for (entry, isFolder) in try entries(current) where !entry.hasPrefix(ObjectName.temporaryPrefix) {
                let name = current.isEmpty ? entry : "\(current)/\(entry)"
                if isFolder { folders.append(name) } else { names.append(name) }
            }
        }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// Removes what writers have left behind that were killed, if it is older than `age`.
    ///
    /// - Returns: How many files were removed.
    @discardableResult
    public func removeLeftovers(olderThan age: Duration) throws(StorageError) -> Int {
        var removed = 0
        var folders = [""]
        let oldest = time(nil) - Int(age.components.seconds)
        while let current = folders.popLast() {
            for (entry, isFolder) in try entries(current) {
                let name = current.isEmpty ? entry : "\(current)/\(entry)"
                if isFolder {
                    folders.append(name)
                } else if entry.hasPrefix(ObjectName.temporaryPrefix) {
                    var status = stat()
                    let isOld = lstat("\(root)/\(name)", &status) == 0 && status.st_mtim.tv_sec <= oldest
                    if isOld, unlink("\(root)/\(name)") == 0 { removed += 1 }
                }
            }
        }
        return removed
    }

    /// What is in one folder: regular files and folders, links not followed.
    private func entries(_ folder: String) throws(StorageError) -> [(name: String, isFolder: Bool)] {
        let path = folder.isEmpty ? (root.isEmpty ? "/" : root) : "\(root)/\(folder)"
        guard let directory = opendir(path) else {
            if errno == ENOENT || errno == ENOTDIR { return [] }
            throw StorageError("list", path)
        }
        defer { closedir(directory) }
        var entries: [(name: String, isFolder: Bool)] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name == "." || name == ".." { continue }
            var status = stat()
            guard lstat("\(path)/\(name)", &status) == 0 else { continue }
            let kind = status.st_mode & S_IFMT
            if kind == S_IFREG || kind == S_IFDIR { entries.append((name, kind == S_IFDIR)) }
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
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw StorageError("read", path) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw StorageError("read", path) }
    guard status.st_mode & S_IFMT == S_IFREG else {
        throw StorageError("read", path, code: status.st_mode & S_IFMT == S_IFDIR ? EISDIR : EINVAL)
    }
    let size = Int(status.st_size)
    guard size <= maximumSize else {
        throw StorageError(.tooLarge, "read", path, "expected at most \(maximumSize) bytes, found \(size)")
    }
    var failure: Int32 = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
        count = 0
        while count < size, let start = buffer.baseAddress {
            let got = Glibc.read(descriptor, start + count, size - count)
            if got < 0, errno == EINTR { continue }
            if got < 0 { failure = errno }
            guard got > 0 else { return }
            count += got
        }
    }
    guard failure == 0 else { throw StorageError("read", path, code: failure) }
    return bytes
}
