internal import Compression
internal import Storage

/// Compression of files of labels that are written to a store of dataset versions; both forms can be read.
public enum StoreCompression: String, Hashable, Sendable, CaseIterable {
    case none, zstd
}

/// A store of dataset versions in which files of labels may be stored packed: `NAME.jsonl` as `NAME.jsonl.zst`.
///
/// Names, sizes and digests are always those of the text: manifests and pages, and with them ids, do not depend on how
/// the files are stored. One store may hold both forms; of a text that is stored twice, either copy may be read.
struct ZstdStore: ObjectStore {
    private let store: any ObjectStore
    private let compression: StoreCompression

    package init(_ store: any ObjectStore, _ compression: StoreCompression) {
        self.store = store
        self.compression = compression
    }

    /// Whether a file may be packed: files of labels and tombstones may; packs may not, since other programs read them.
    static func isPackable(_ name: String) -> Bool {
        name.hasSuffix(".jsonl") && (name.contains("/segments/") || name.contains("/tombstones/"))
    }

    private static func packed(_ name: String) -> String { name + DatasetForm.compressedSuffix }

    /// Largest size in bytes of a packed text of `size` bytes.
    static func bound(_ size: Int) -> Int { Zstd.bound(size) }

    var location: String { store.location }
    func uri(of name: String) throws(StorageError) -> ObjectURI { try store.uri(of: name) }

    /// Whether a text is not stored plain: it is stored packed, or not at all.
    func isPacked(_ name: String) throws(StorageError) -> Bool {
        guard Self.isPackable(name) else { return false }
        return try store.size(of: name) == nil
    }

    // MARK: - Reading

    func read(_ name: String, maximumSize: Int) throws(StorageError) -> [UInt8] {
        guard Self.isPackable(name) else { return try store.read(name, maximumSize: maximumSize) }
        return try readEither(name, isPackedFirst: compression == .zstd) { (name) throws(StorageError) in
            try store.read(name, maximumSize: maximumSize)
        } packed: { (name) throws(StorageError) in
            try unpacked(name, maximumSize: maximumSize)
        }
    }

    func read(_ name: String, range: Range<Int>) throws(StorageError) -> [UInt8] {
        guard Self.isPackable(name) else { return try store.read(name, range: range) }
        // Each read of a part of a packed text unpacks all of it: the plain copy is tried first, whichever form is
        // written.
        return try readEither(name, isPackedFirst: false) { (name) throws(StorageError) in
            try store.read(name, range: range)
        } packed: { (name) throws(StorageError) in
            // A frame is unpacked from its beginning.
            let bytes = try unpacked(name, maximumSize: DatasetForm.segmentSize)
            return Array(bytes[min(range.lowerBound, bytes.count)..<min(range.upperBound, bytes.count)])
        }
    }

    /// The text's size, packed or not.
    func size(of name: String) throws(StorageError) -> Int? {
        if let size = try store.size(of: name) { return size }
        guard Self.isPackable(name) else { return nil }
        do throws(StorageError) {
            let head = try store.read(Self.packed(name), range: 0..<Zstd.headSize)
            return try Self.convertingErrors(Self.packed(name)) { () throws(ZstdError) in try Zstd.size(of: head) }
        } catch {
            guard error.kind == .notFound else { throw error }
            return nil
        }
    }

    func isLink(_ name: String) throws(StorageError) -> Bool {
        if try store.isLink(name) { return true }
        guard Self.isPackable(name) else { return false }
        return try store.isLink(Self.packed(name))
    }

    /// Returns the copy that `read` does not use of a text that is stored both plain and packed, and its name; nil
    /// where there is only one copy.
    func otherCopy(_ name: String, maximumSize: Int) throws(StorageError) -> (name: String, bytes: [UInt8])? {
        let packed = Self.packed(name)
        guard Self.isPackable(name), try store.exists(name), try store.exists(packed) else { return nil }
        return compression == .zstd
            ? (name, try store.read(name, maximumSize: maximumSize))
            : (packed, try unpacked(packed, maximumSize: maximumSize))
    }

    /// Reads the copy that is expected first, else the other: a damaged copy does not prevent the reading of a text
    /// that is stored twice.
    private func readEither(
        _ name: String,
        isPackedFirst: Bool,
        _ plain: (String) throws(StorageError) -> [UInt8],
        packed: (String) throws(StorageError) -> [UInt8]
    ) throws(StorageError) -> [UInt8] {
        var damage: StorageError?
        do throws(StorageError) {
            return try isPackedFirst ? packed(Self.packed(name)) : plain(name)
        } catch {
            guard error.kind == .notFound || error.kind == .damaged else { throw error }
            if error.kind == .damaged { damage = error }
        }
        do throws(StorageError) {
            return try isPackedFirst ? plain(name) : packed(Self.packed(name))
        } catch {
            guard error.kind == .notFound else { throw error }
            if let damage { throw damage }
            // The error states the plain name.
            throw StorageError(.notFound, "read", "\(location)/\(name)", reason: "there is no such object")
        }
    }

    private func unpacked(_ name: String, maximumSize: Int) throws(StorageError) -> [UInt8] {
        let frame = try store.read(name, maximumSize: Zstd.bound(maximumSize))
        return try Self.unpacked(frame, name, maximumSize: maximumSize)
    }

    /// The text of a frame that was read from an object.
    ///
    /// - Throws: `StorageError` of kind `damaged` or `tooLarge`.
    static func unpacked(_ frame: [UInt8], _ name: String, maximumSize: Int) throws(StorageError) -> [UInt8] {
        try convertingErrors(name) { () throws(ZstdError) in try Zstd.unpack(frame, maximumSize: maximumSize) }
    }

    private static func convertingErrors<R>(_ name: String, _ body: () throws(ZstdError) -> R) throws(StorageError) -> R
    {
        do throws(ZstdError) {
            return try body()
        } catch {
            throw StorageError(error.kind == .tooLarge ? .tooLarge : .damaged, "unpack", name, reason: error.reason)
        }
    }

    // MARK: - Writing

    func put(_ bytes: UnsafeRawBufferPointer, as name: String) throws(StorageError) -> Bool {
        guard Self.isPackable(name) else { return try store.put(bytes, as: name) }
        let packed = Self.packed(name)
        guard compression == .zstd else {
            // A packed file that was written while packing was configured is checked, and kept.
            if try store.exists(packed), try holds(bytes, packed) { return false }
            return try store.put(bytes, as: name)
        }
        // A plain file that was written before packing was configured is checked, and kept.
        if try store.exists(name) { return try store.put(bytes, as: name) }
        let frame = try Self.convertingErrors(packed) { () throws(ZstdError) in try Zstd.pack(bytes) }
        do throws(StorageError) {
            return try store.put(frame, as: packed)
        } catch {
            // Another release may pack the same text into other bytes.
            guard error.kind == .conflict, try holds(bytes, packed) else { throw error }
            return false
        }
    }

    /// Whether a text is stored packed under a name, durably.
    ///
    /// - Throws: `StorageError` if that cannot be determined now; a damaged file does not hold the text.
    private func holds(_ text: UnsafeRawBufferPointer, _ packed: String) throws(StorageError) -> Bool {
        do throws(StorageError) {
            let frame = try store.read(packed, maximumSize: Zstd.bound(text.count))
            let found = try Self.unpacked(frame, packed, maximumSize: text.count)
            guard found.count == text.count, found.elementsEqual(text) else { return false }
            // The process that wrote it may have died before its name was durable; storing it again ensures that.
            _ = try store.put(frame, as: packed)
            return true
        } catch {
            guard !error.isTemporary else { throw error }
            return false
        }
    }

    func write(_ bytes: UnsafeRawBufferPointer, to name: String) throws(StorageError) {
        try store.write(bytes, to: name)
    }

    func honoursRevisions(_ name: String, _ bytes: [UInt8]) throws(StorageError) -> Bool {
        try store.honoursRevisions(name, bytes)
    }

    // MARK: - Objects as they are stored

    func remove(_ name: String) throws(StorageError) { try store.remove(name) }
    func entries(_ folder: String) throws(StorageError) -> [ObjectEntry] { try store.entries(folder) }
    func removeLeftovers(olderThan age: Duration) throws(StorageError) -> Int {
        try store.removeLeftovers(olderThan: age)
    }
}
