/// Objects under names: whole byte strings, none of which is ever visible partially.
///
/// A name is a relative path, as in `segments/ab12.jsonl`: parts separated by `/`, none of them empty, `.` or `..`,
/// none beginning with `.tmp-`. Safe from any thread and any process. `StoreLawTests` in the tests states the
/// guarantees of every store; among them:
///
/// - Bytes that are stored when a call returns are visible to the next reader, also after a crash of the store.
/// - If many callers put different bytes under one new name, exactly one call reports that they were written; the
///   others throw a conflict.
/// - A reader of a name that is being overwritten receives the old bytes or the new.
public protocol ObjectStore: Sendable {
    /// The folder, or the URI with which the objects' URIs begin; for people.
    var location: String { get }

    /// The URI of an object, whether or not it exists.
    func uri(of name: String) throws(StorageError) -> ObjectURI

    /// The bytes of an object.
    ///
    /// - Parameters:
    ///   - name: The object's name.
    ///   - maximumSize: The most bytes that are wanted.
    /// - Returns: All of the object's bytes.
    /// - Throws: `StorageError`, of kind `notFound` or `tooLarge` among others.
    func read(_ name: String, maximumSize: Int) throws(StorageError) -> [UInt8]

    /// Part of the bytes of an object.
    ///
    /// - Parameters:
    ///   - name: The object's name.
    ///   - range: The range of the bytes, counted from 0; no more than these are requested and held, except if an
    ///     object must be decompressed.
    /// - Returns: The existing bytes of the range: fewer, or none, if the object ends before.
    /// - Throws: `StorageError`, of kind `notFound` among others.
    func read(_ name: String, range: Range<Int>) throws(StorageError) -> [UInt8]

    /// The number of bytes of an object; nil if there is none.
    func size(of name: String) throws(StorageError) -> Int?

    /// Whether a name is that of a symbolic link; false where there are none.
    func isLink(_ name: String) throws(StorageError) -> Bool

    /// Stores bytes under a name that identifies them, such as their digest. A repetition changes nothing.
    ///
    /// - Returns: Whether they were written now; false if they existed. A store that cannot determine this, since the
    ///   response to the first attempt was lost, returns false.
    /// - Throws: `StorageError`, of kind `conflict` if other bytes have that name.
    @discardableResult
    func put(_ bytes: UnsafeRawBufferPointer, as name: String) throws(StorageError) -> Bool

    /// Stores bytes under a name, replacing its previous content.
    func write(_ bytes: UnsafeRawBufferPointer, to name: String) throws(StorageError)

    /// Whether the store refuses a write that names a revision other than the stored one. This is tried on an object
    /// with the content `bytes`, and changes nothing.
    func honoursRevisions(_ name: String, _ bytes: [UInt8]) throws(StorageError) -> Bool

    /// Removes an object. Nothing happens if there is none, and nothing outside of the store is ever removed.
    func remove(_ name: String) throws(StorageError)

    /// All objects in a folder of the store and below it, in byte order of their names; none if there is no such
    /// folder.
    ///
    /// - Parameter folder: A relative path; empty for the whole store.
    /// - Returns: Names from the store's root, in the form that the other methods expect.
    /// - Throws: `StorageError` if a folder cannot be read.
    func entries(_ folder: String) throws(StorageError) -> [ObjectEntry]

    /// Removes the leftovers of writers that were killed, if they are older than `age`.
    ///
    /// - Returns: The number of removed leftovers.
    @discardableResult
    func removeLeftovers(olderThan age: Duration) throws(StorageError) -> Int
}

extension ObjectStore {
    /// The bytes of an object of 256 MiB at most.
    public func read(_ name: String) throws(StorageError) -> [UInt8] { try read(name, maximumSize: 256 << 20) }

    /// The bytes of an object; nil if there is none.
    public func readIfPresent(_ name: String, maximumSize: Int) throws(StorageError) -> [UInt8]? {
        do throws(StorageError) {
            return try read(name, maximumSize: maximumSize)
        } catch {
            guard error.kind == .notFound else { throw error }
            return nil
        }
    }

    /// True: a store whose writes name no revision has none to honour.
    public func honoursRevisions(_ name: String, _ bytes: [UInt8]) throws(StorageError) -> Bool { true }

    /// False: buckets have no symbolic links.
    public func isLink(_ name: String) throws(StorageError) -> Bool { false }

    /// Whether there is an object of that name.
    public func exists(_ name: String) throws(StorageError) -> Bool { try size(of: name) != nil }

    /// The names of all objects in a folder of the store and below it, in byte order; none if there is no such folder.
    public func list(_ folder: String) throws(StorageError) -> [String] { try entries(folder).map(\.name) }

    /// The names of all objects, in byte order.
    public func list() throws(StorageError) -> [String] { try list("") }

    /// Removes the leftovers of writers that were killed, if they are more than a day old.
    @discardableResult
    public func removeLeftovers() throws(StorageError) -> Int { try removeLeftovers(olderThan: .seconds(86_400)) }

    /// Stores bytes under a name that identifies them, like the other method.
    @discardableResult
    public func put(_ bytes: [UInt8], as name: String) throws(StorageError) -> Bool {
        try withBuffer(of: bytes) { (buffer) throws(StorageError) in try put(buffer, as: name) }
    }

    /// Stores bytes under a name, replacing its previous content.
    public func write(_ bytes: [UInt8], to name: String) throws(StorageError) {
        try withBuffer(of: bytes) { (buffer) throws(StorageError) in try write(buffer, to: name) }
    }
}

/// Description of an object in a store's listing.
public struct ObjectEntry: Hashable, Sendable {
    /// Name of the object, in the form that the other methods expect.
    public let name: String
    /// Size in bytes.
    public let size: Int
    /// Time at which it was written, in seconds since 1970, by the store's clock.
    public let modified: Int64

    public init(name: String, size: Int, modified: Int64) {
        self.name = name
        self.size = size
        self.modified = modified
    }
}

extension [ObjectEntry] {
    /// The entries, sorted in byte order of their names.
    public func sortedByName() -> [ObjectEntry] {
        sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }
}

/// Calls `body` with the bytes of an array, and throws the errors of `body`.
func withBuffer<R>(
    of bytes: [UInt8],
    _ body: (UnsafeRawBufferPointer) throws(StorageError) -> R
) throws(StorageError) -> R {
    let result = bytes.withUnsafeBytes { buffer in Result { () throws(StorageError) in try body(buffer) } }
    return try result.get()
}

/// Rules for names, the same for every store.
public enum ObjectName {
    /// Prefix of the names of files that are not complete yet.
    static let temporaryPrefix = ".tmp-"

    /// Refuses a name that could lead out of the store.
    ///
    /// - Throws: `StorageError` of kind `invalidName`.
    public static func check(_ name: String) throws(StorageError) {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        let isSound = parts.allSatisfy { part in
            !part.isEmpty && part != "." && part != ".." && !part.hasPrefix(temporaryPrefix)
        }
        guard isSound, !name.utf8.contains(0), name.utf8.count <= 1_024 else {
            let reason = "expected a relative path without empty, '.', '..' or temporary parts"
            throw StorageError(.invalidName, "use the name", name, reason: reason)
        }
    }
}
