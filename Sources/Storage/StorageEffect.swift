/// A call to the system that changes a disk, as an interposer sees it: just before it is made, and just after.
public struct StorageEffect: Hashable, Sendable, CustomStringConvertible {
    /// Kinds of calls to the system.
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        case makeFolder, create, append, synchronize, rename, synchronizeFolder, remove
    }

    /// Kind of the call to the system.
    public let kind: Kind
    /// The file or folder of the call; for a rename, the new name.
    public let path: String
    /// Whether it has been done.
    public let isDone: Bool

    init(_ kind: Kind, _ path: String, isDone: Bool) {
        self.kind = kind
        self.path = path
        self.isDone = isDone
    }

    /// As in `before rename /data/x`.
    public var description: String { "\(isDone ? "after" : "before") \(kind.rawValue) \(path)" }
}

/// A hook between a store and the disk, for tests: an error that it throws is thrown to the store's caller, and the
/// effect that was announced to it in advance is not performed.
public typealias StorageInterposer = @Sendable (StorageEffect) throws(StorageError) -> Void
