import Storage
import Synchronization

/// A store in which somebody else acts in the middle of a change: before it is made, or just after.
final class MeetingStore: ObjectStore {
    /// A moment: changes are counted from 0.
    struct Moment: Hashable, Sendable {
        let change: Int
        let isAfter: Bool

        /// All of so many changes.
        static func all(_ changes: Int) -> [Moment] {
            (0..<changes).flatMap { number in [false, true].map { Moment(change: number, isAfter: $0) } }
        }
    }

    private let store: any ObjectStore
    private let state = Mutex(0)
    private let moment: Moment?
    private let meet: @Sendable () throws(StorageError) -> Void

    /// Calls `meet` at a moment, or never.
    init(
        _ store: any ObjectStore,
        at moment: Moment? = nil,
        _ meet: @escaping @Sendable () throws(StorageError) -> Void = {}
    ) {
        self.store = store
        self.moment = moment
        self.meet = meet
    }

    /// How many changes were asked for so far.
    var changes: Int { state.withLock { $0 } }

    var location: String { store.location }
    func uri(of name: String) throws(StorageError) -> ObjectURI { try store.uri(of: name) }
    func read(_ name: String, maximumSize: Int) throws(StorageError) -> [UInt8] {
        try store.read(name, maximumSize: maximumSize)
    }
    func size(of name: String) throws(StorageError) -> Int? { try store.size(of: name) }
    func read(_ name: String, range: Range<Int>) throws(StorageError) -> [UInt8] {
        try store.read(name, range: range)
    }
    func entries(_ folder: String) throws(StorageError) -> [ObjectEntry] { try store.entries(folder) }
    func removeLeftovers(olderThan age: Duration) throws(StorageError) -> Int {
        try store.removeLeftovers(olderThan: age)
    }

    func put(_ bytes: UnsafeRawBufferPointer, as name: String) throws(StorageError) -> Bool {
        try change { () throws(StorageError) in try store.put(bytes, as: name) }
    }
    func write(_ bytes: UnsafeRawBufferPointer, to name: String) throws(StorageError) {
        try change { () throws(StorageError) in try store.write(bytes, to: name) }
    }
    func remove(_ name: String) throws(StorageError) {
        try change { () throws(StorageError) in try store.remove(name) }
    }

    private func change<R>(_ body: () throws(StorageError) -> R) throws(StorageError) -> R {
        let number = state.withLock { count in
            defer { count += 1 }
            return count
        }
        if moment == Moment(change: number, isAfter: false) { try meet() }
        let result = try body()
        if moment == Moment(change: number, isAfter: true) { try meet() }
        return result
    }
}
