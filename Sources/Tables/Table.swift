/// Rows by key, that remember what changed since the last commit (for the changelog) and what it was before (for an abort).
///
/// Rows are looked up by hash and never visited in hash order: whoever visits them gets them by ascending key.
public struct Table<Key: Hashable & Comparable & Sendable, Value: Equatable & Sendable>: Sendable {
    @usableFromInline var rows: [Key: Value] = [:]
    /// What each key touched since the last commit was before; nil for absent.
    private var before: [Key: Value?] = [:]
    /// Differs after any change, so that whoever keeps a view of the rows knows when it is out of date.
    public private(set) var revision: UInt64 = 0

    public init() {}

    public var count: Int { rows.count }
    public var isEmpty: Bool { rows.isEmpty }

    /// - Complexity: O(1).
    public subscript(key: Key) -> Value? {
        get { rows[key] }
        set {
            let old = rows[key]
            guard old != newValue else { return }
            if before[key] == nil { before[key] = .some(old) }
            rows[key] = newValue
            revision += 1
        }
    }

    /// The row at a key, or a default where there is none.
    public subscript(key: Key, default value: @autoclosure () -> Value) -> Value {
        get { rows[key] ?? value() }
        set { self[key] = newValue }
    }

    /// The keys in ascending order.
    ///
    /// - Complexity: O(*n* log *n*).
    public var sortedKeys: [Key] { rows.keys.sorted() }

    /// The rows by ascending key.
    ///
    /// - Complexity: O(*n* log *n*).
    public var sortedRows: [(key: Key, value: Value)] { rows.sorted { $0.key < $1.key } }

    /// The row that precedes all others, or nil of an empty table.
    ///
    /// - Parameter areInIncreasingOrder: A strict total order of rows, or the answer would depend on hashing.
    /// - Returns: The same row whatever the order of insertion.
    /// - Complexity: O(*n*).
    public func minimum(by areInIncreasingOrder: ((key: Key, value: Value), (key: Key, value: Value)) -> Bool)
        -> (key: Key, value: Value)?
    {
        var least: (key: Key, value: Value)?
        for row in rows {
            if let current = least, !areInIncreasingOrder((row.key, row.value), current) { continue }
            least = (row.key, row.value)
        }
        return least
    }

    /// The least ranks of rows, in ascending order.
    ///
    /// - Parameters:
    ///   - count: Rows wanted; all if there are fewer.
    ///   - rank: Differs between any two rows, or the answer would depend on hashing; it had better hold the key.
    /// - Returns: The same ranks whatever the order of insertion.
    /// - Complexity: O(*n* log *m*) comparisons for *m* rows wanted, O(*n* + *m* log² *m*) on average.
    @inlinable public func least<Rank: Comparable>(_ count: Int, by rank: (Key, Value) -> Rank) -> [Rank] {
        guard count > 0 else { return [] }
        var kept: [Rank] = []
        var bound: Rank?
        for row in rows {
            let rank = rank(row.key, row.value)
            if let bound, !(rank < bound) { continue }
            kept.append(rank)
            // Twice as many as wanted are gathered before the worse half goes: the bound falls fast.
            if kept.count > 64, kept.count / 2 >= count {
                kept.sort()
                kept.removeSubrange(count...)
                bound = kept.last
            }
        }
        kept.sort()
        return Array(kept.prefix(count))
    }

    /// How many rows satisfy a condition.
    ///
    /// - Complexity: O(*n*).
    public func count(where condition: (Key, Value) -> Bool) -> Int {
        var count = 0
        for (key, value) in rows where condition(key, value) { count += 1 }
        return count
    }

    // MARK: - Changelog

    /// Whether anything differs from the last commit.
    public var hasChanges: Bool { !before.isEmpty }

    /// The rows to write, by ascending key; a nil value is a tombstone. Rows changed back are left out.
    public var changes: [(key: Key, value: Value?)] {
        var changes: [(key: Key, value: Value?)] = []
        for key in before.keys.sorted() {
            let now = rows[key]
            if let was = before[key], was == now { continue }
            changes.append((key, now))
        }
        return changes
    }

    /// The rows are now what is stored.
    public mutating func commit() { before.removeAll(keepingCapacity: true) }

    /// Returns to the last commit.
    public mutating func undo() {
        for (key, was) in before { rows[key] = was }
        revision += 1
        before.removeAll(keepingCapacity: true)
    }

    /// Puts a row read back from the changelog; it is not a change.
    public mutating func restore(_ key: Key, _ value: Value?) {
        rows[key] = value
        revision += 1
    }
}

/// The key of a table of one row.
public struct Single: Hashable, Comparable, Sendable {
    public init() {}
    public static func < (a: Self, b: Self) -> Bool { false }
}

/// A table of one row that always has a value.
public struct Cell<Value: Equatable & Sendable>: Sendable {
    /// Empty until the value is first set; what the changelog sees.
    public var table: Table<Single, Value>
    private let initial: Value

    public init(_ initial: Value) {
        self.initial = initial
        table = Table()
    }

    /// The value set last, or the initial one.
    public var value: Value {
        get { table[Single()] ?? initial }
        set { table[Single()] = newValue }
    }
}
