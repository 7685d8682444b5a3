import Glibc
import Synchronization

/// Writer of an object: a temporary file that receives its name only when it is complete and durable.
///
/// Unless it is committed, the file is removed; if the process is killed, `removeLeftovers` finds it.
public struct ObjectWriter: ~Copyable {
    private let store: FolderStore
    private let path: String
    private let folder: String
    private var descriptor: Int32
    /// Number of bytes written so far.
    public private(set) var count = 0

    private static let serial = Atomic<Int>(0)

    init(store: FolderStore, folder: String) throws(StorageError) {
        self.store = store
        self.folder = folder
        var candidate = ""
        var opened: Int32 = -1
        // Another machine may share the folder and have a process with the same id; O_EXCL prevents a conflict.
        repeat {
            let number = Self.serial.add(1, ordering: .relaxed).newValue
            candidate = "\(folder)/\(ObjectName.temporaryPrefix)\(getpid())-\(number)"
            opened = open(candidate, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        } while opened < 0 && (errno == EEXIST || errno == EINTR)
        path = candidate
        descriptor = opened
        guard opened >= 0 else { throw StorageError("make", candidate) }
    }

    deinit {
        if descriptor >= 0 {
            close(descriptor)
            // A process that has ended removes nothing: an interposer may simulate that.
            if (try? store.willPerform(.remove, path)) != nil { unlink(path) }
        }
    }

    /// Appends the next piece.
    ///
    /// - Throws: `StorageError` if the disk is full or fails; the writer is then unusable.
    public mutating func append(_ bytes: UnsafeRawBufferPointer) throws(StorageError) {
        var rest = bytes
        try store.willPerform(.append, path)
        while let start = rest.baseAddress, !rest.isEmpty {
            let written = write(descriptor, start, rest.count)
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { throw StorageError("write", path) }
            rest = UnsafeRawBufferPointer(rebasing: rest[written...])
            count += written
        }
        try store.didPerform(.append, path)
    }

    /// Appends the next piece.
    public mutating func append(_ bytes: [UInt8]) throws(StorageError) {
        let result = bytes.withUnsafeBytes { buffer -> Result<Void, StorageError> in
            do throws(StorageError) {
                return .success(try append(buffer))
            } catch {
                return .failure(error)
            }
        }
        try result.get()
    }

    /// Stores the object durably under its name, replacing its previous content.
    ///
    /// - Parameter name: A name in the same folder that the writer was made for.
    /// - Throws: `StorageError`; the name then keeps its previous content, and the temporary file is removed.
    public consuming func commit(as name: String) throws(StorageError) {
        let target = try finish(name)
        try store.willPerform(.rename, target)
        guard rename(path, target) == 0 else { throw StorageError("rename to", target) }
        // The file has its name now, and must not be removed, whatever follows.
        close(descriptor)
        descriptor = -1
        try store.didPerform(.rename, target)
        try store.synchronize(folder: folder)
    }

    /// Stores the object durably under its name, unless the name is in use; of several concurrent calls only one
    /// succeeds.
    ///
    /// A file system without hard links cannot guarantee that: there the last call prevails.
    ///
    /// - Returns: Whether the object has its name; if not, its bytes are discarded.
    /// - Throws: `StorageError`; the name then keeps its previous content, and the temporary file is removed.
    consuming func commitUnlessPresent(as name: String) throws(StorageError) -> Bool {
        let target = try finish(name)
        try store.willPerform(.rename, target)
        if link(path, target) != 0 {
            guard errno != EEXIST else { return false }
            // File systems report in many ways that they have no hard links; any other error is reported by this call
            // too.
            guard rename(path, target) == 0 else { throw StorageError("rename to", target) }
        }
        try store.didPerform(.rename, target)
        close(descriptor)
        descriptor = -1
        // Removes the second name of the file; if the process is killed before this, `removeLeftovers` removes it.
        unlink(path)
        try store.synchronize(folder: folder)
        return true
    }

    /// Makes the bytes durable, and returns the path that the file will have.
    private borrowing func finish(_ name: String) throws(StorageError) -> String {
        let target = try store.path(of: name)
        guard store.folder(of: target) == folder else {
            throw StorageError(.invalidName, "write", target, reason: "the writer was made for \(folder)")
        }
        try store.willPerform(.synchronize, path)
        guard fsync(descriptor) == 0 else { throw StorageError("synchronize", path) }
        try store.didPerform(.synchronize, path)
        return target
    }
}
