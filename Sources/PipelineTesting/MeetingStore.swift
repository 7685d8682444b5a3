package import Storage
internal import Synchronization

/// A store in which another party acts during a change: before it is made, or just after.
package final class MeetingStore: ObjectStore {
    /// A time relative to a change: changes are counted from 0.
    package struct Moment: Hashable, Sendable {
        package let change: Int
        package let isAfter: Bool

        package init(change: Int, isAfter: Bool) {
            self.change = change
            self.isAfter = isAfter
        }

        /// Returns all moments of a given number of changes.
        package static func all(_ changes: Int) -> [Moment] {
            (0..<changes).flatMap { number in [false, true].map { Moment(change: number, isAfter: $0) } }
        }
    }

    private let store: any ObjectStore
    private let state = Mutex(0)
    private let moment: Moment?
    private let interfere: @Sendable () throws(StorageError) -> Void

    /// Creates a store that calls `interfere` at a given time, or never.
    package init(
        _ store: any ObjectStore,
        at moment: Moment? = nil,
        _ interfere: @escaping @Sendable () throws(StorageError) -> Void = {}
    ) {
        self.store = store
        self.moment = moment
        self.interfere = interfere
    }

    /// Number of changes requested so far.
    package var changes: Int { state.withLock { $0 } }

    package var location: String { store.location }
    package func uri(of name: String) throws(StorageError) -> ObjectURI { try store.uri(of: name) }
    package func read(_ name: String, maximumSize: Int) throws(StorageError) -> [UInt8] {
        try store.read(name, maximumSize: maximumSize)
    }
    package func size(of name: String) throws(StorageError) -> Int? { try store.size(of: name) }
    package func read(_ name: String, range: Range<Int>) throws(StorageError) -> [UInt8] {
        try store.read(name, range: range)
    }
    package func entries(_ folder: String) throws(StorageError) -> [ObjectEntry] { try store.entries(folder) }
    package func removeLeftovers(olderThan age: Duration) throws(StorageError) -> Int {
        try store.removeLeftovers(olderThan: age)
    }

    package func put(_ bytes: UnsafeRawBufferPointer, as name: String) throws(StorageError) -> Bool {
        try change { () throws(StorageError) in try store.put(bytes, as: name) }
    }
    package func write(_ bytes: UnsafeRawBufferPointer, to name: String) throws(StorageError) {
        try change { () throws(StorageError) in try store.write(bytes, to: name) }
    }
    package func remove(_ name: String) throws(StorageError) {
        try change { () throws(StorageError) in try store.remove(name) }
    }

    private func change<R>(_ body: () throws(StorageError) -> R) throws(StorageError) -> R {
        let number = state.withLock { count in
            defer { count += 1 }
            return count
        }
        if moment == Moment(change: number, isAfter: false) { try interfere() }
        let result = try body()
        if moment == Moment(change: number, isAfter: true) { try interfere() }
        return result
    }
}
