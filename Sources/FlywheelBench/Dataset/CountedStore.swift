import Storage
import Synchronization

/// Store that counts the bytes read from it, and the bytes and objects written to it.
final class CountedStore: ObjectStore {
    /// Bytes read, and bytes and objects written, since the last call of `takeTraffic()`.
    struct Traffic {
        var bytesRead = 0
        var bytesWritten = 0
        var objectsWritten = 0
        /// Bytes written of labels and tombstones alone.
        var changeBytes = 0
        /// Bytes written of manifests and pages alone.
        var listBytes = 0
    }

    private let store: any ObjectStore
    private let traffic = Mutex(Traffic())

    init(_ store: any ObjectStore) { self.store = store }

    func takeTraffic() -> Traffic {
        traffic.withLock { traffic in
            defer { traffic = Traffic() }
            return traffic
        }
    }

    private func count(_ name: String, _ bytes: Int) {
        traffic.withLock { traffic in
            traffic.bytesWritten += bytes
            traffic.objectsWritten += 1
            if name.contains("/segments/") || name.contains("/tombstones/") { traffic.changeBytes += bytes }
            if name.contains("/pages/") || name.contains("/versions/") { traffic.listBytes += bytes }
        }
    }

    var location: String { store.location }
    func uri(of name: String) throws(StorageError) -> ObjectURI { try store.uri(of: name) }
    func size(of name: String) throws(StorageError) -> Int? { try store.size(of: name) }
    func isLink(_ name: String) throws(StorageError) -> Bool { try store.isLink(name) }
    func remove(_ name: String) throws(StorageError) { try store.remove(name) }
    func entries(_ folder: String) throws(StorageError) -> [ObjectEntry] { try store.entries(folder) }
    func removeLeftovers(olderThan age: Duration) throws(StorageError) -> Int {
        try store.removeLeftovers(olderThan: age)
    }

    func read(_ name: String, maximumSize: Int) throws(StorageError) -> [UInt8] {
        let bytes = try store.read(name, maximumSize: maximumSize)
        traffic.withLock { $0.bytesRead += bytes.count }
        return bytes
    }

    func read(_ name: String, range: Range<Int>) throws(StorageError) -> [UInt8] {
        let bytes = try store.read(name, range: range)
        traffic.withLock { $0.bytesRead += bytes.count }
        return bytes
    }

    func put(_ bytes: UnsafeRawBufferPointer, as name: String) throws(StorageError) -> Bool {
        let isNew = try store.put(bytes, as: name)
        if isNew { count(name, bytes.count) }
        return isNew
    }

    func write(_ bytes: UnsafeRawBufferPointer, to name: String) throws(StorageError) {
        try store.write(bytes, to: name)
        count(name, bytes.count)
    }
}
