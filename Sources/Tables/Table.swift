/// Rows by key, with a record of the changes since the last commit (for the changelog) and of the values before them
/// (for an abort).
///
/// Rows are looked up by hash and never visited in hash order: every iteration is by ascending key.
///
/// Everything is inlinable: reducers access tables many times per entry, and code that must determine the types of its
/// rows at run time costs several times as much.
///
/// ```swift
/// var votes = Table<String, Int>()
/// votes["s-1"] = 1
/// votes.commit()
/// votes["s-1"] = 2
/// let changes = votes.changes
/// votes.undo()
/// ```
public struct Table<Key: Hashable & Comparable & Sendable, Value: Equatable & Sendable>: Sendable {
    @usableFromInline var rows: [Key: Value] = [:]
    /// Row, as of the last commit, of each key touched since; nil for absent.
    @usableFromInline var before: [Key: Value?] = [:]
    @usableFromInline var revisions: UInt64 = 0

    @inlinable public init() {}

    @inlinable public var count: Int { rows.count }
    @inlinable public var isEmpty: Bool { rows.isEmpty }
    /// Differs after any change, so that the owner of a view of the rows can detect that it is out of date.
    @inlinable public var revision: UInt64 { revisions }

    /// - Complexity: O(1).
    @inlinable public subscript(key: Key) -> Value? {
        get { rows[key] }
        set {
            if let newValue { put(newValue, at: key) } else { remove(key) }
        }
    }

    /// The row at a key, or a default where there is none.
    @inlinable public subscript(key: Key, default value: @autoclosure () -> Value) -> Value {
        get { rows[key] ?? value() }
        set { put(newValue, at: key) }
    }

    /// Equal texts may differ in their bytes, on which the changelog is based: the first spelling of a key is kept.
    @inlinable mutating func put(_ value: Value, at key: Key) {
        let index = rows.index(forKey: key)
        if let index, rows.values[index] == value { return }
        if let known = before.index(forKey: key) {
            // Likewise for values: one that equals the value before the transaction is not written again.
            let old = before.values[known]
            let kept = old.flatMap { $0 == value ? $0 : nil } ?? value
            if let index { rows.values[index] = kept } else { rows[before.keys[known]] = kept }
        } else if let index {
            before[rows.keys[index]] = .some(rows.values[index])
            rows.values[index] = value
        } else {
            before[key] = .some(nil)
            rows[key] = value
        }
        revisions += 1
    }

    @inlinable mutating func remove(_ key: Key) {
        guard let index = rows.index(forKey: key) else { return }
        let old = rows.remove(at: index)
        if before.index(forKey: key) == nil { before[old.key] = .some(old.value) }
        revisions += 1
    }

    /// The keys in ascending order.
    ///
    /// - Complexity: O(*n* log *n*).
    @inlinable public var sortedKeys: [Key] { rows.keys.sorted() }

    /// The rows by ascending key.
    ///
    /// - Complexity: O(*n* log *n*).
    @inlinable public var sortedRows: [(key: Key, value: Value)] { rows.sorted { $0.key < $1.key } }

    /// Returns the row that precedes all others; nil for an empty table.
    ///
    /// - Parameter areInIncreasingOrder: A strict total order of rows; otherwise the result would depend on hashing.
    /// - Returns: The same row whatever the order of insertion.
    /// - Complexity: O(*n*).
    @inlinable public func minimum(
        by areInIncreasingOrder: ((key: Key, value: Value), (key: Key, value: Value)) -> Bool
    )
        -> (key: Key, value: Value)?
    {
        var least: (key: Key, value: Value)?
        for row in rows {
            if let current = least, !areInIncreasingOrder((row.key, row.value), current) { continue }
            least = (row.key, row.value)
        }
        return least
    }

    /// Returns the smallest ranks of rows, in ascending order.
    ///
    /// - Parameters:
    ///   - count: Number of ranks wanted; all are returned if there are fewer.
    ///   - rank: Must differ between any two rows, otherwise the result would depend on hashing; it should contain the
    ///     key.
    /// - Returns: The same ranks whatever the order of insertion.
    /// - Complexity: O(*n* log *m*) comparisons for *m* rows wanted, O(*n* + *m* log² *m*) on average.
    @inlinable public func smallest<Rank: Comparable>(_ count: Int, by rank: (Key, Value) -> Rank) -> [Rank] {
        guard count > 0 else { return [] }
        var kept: [Rank] = []
        var bound: Rank?
        for row in rows {
            let rank = rank(row.key, row.value)
            if let bound, !(rank < bound) { continue }
            kept.append(rank)
            // Twice as many as wanted are collected before the worse half is removed: the bound decreases fast.
            if kept.count > 64, kept.count / 2 >= count {
                kept.sort()
                kept.removeSubrange(count...)
                bound = kept.last
            }
        }
        kept.sort()
        return Array(kept.prefix(count))
    }

    /// Returns the number of rows that satisfy a condition.
    ///
    /// - Complexity: O(*n*).
    @inlinable public func count(where condition: (Key, Value) -> Bool) -> Int {
        var count = 0
        for (key, value) in rows where condition(key, value) { count += 1 }
        return count
    }

    /// Whether any row satisfies a condition.
    ///
    /// - Complexity: O(*n*).
    @inlinable public func contains(where condition: (Key, Value) -> Bool) -> Bool {
        rows.contains { condition($0.key, $0.value) }
    }

    /// Accumulates all rows into a value: a sum, a count, a minimum. `accumulate` must yield the same result in any
    /// order, or it would depend on hashing.
    ///
    /// - Complexity: O(*n*).
    @inlinable public func reduce<Sum>(into sum: Sum, _ accumulate: (inout Sum, Key, Value) -> Void) -> Sum {
        var sum = sum
        for (key, value) in rows { accumulate(&sum, key, value) }
        return sum
    }

    // MARK: - Changelog

    /// Whether any row was changed since the last commit, even if it was changed back.
    @inlinable public var hasChanges: Bool { !before.isEmpty }

    /// The rows to write, by ascending key; a nil value is a tombstone. Rows changed back are left out.
    @inlinable public var changes: [(key: Key, value: Value?)] {
        var changes: [(key: Key, value: Value?)] = []
        for key in before.keys.sorted() {
            let now = rows[key]
            if let was = before[key], was == now { continue }
            changes.append((key, now))
        }
        return changes
    }

    /// Marks the current rows as stored.
    @inlinable public mutating func commit() {
        // Most tables are unchanged at most commits.
        if !before.isEmpty { before.removeAll(keepingCapacity: true) }
    }

    /// Returns to the last commit.
    @inlinable public mutating func undo() {
        for (key, was) in before { rows[key] = was }
        revisions += 1
        before.removeAll(keepingCapacity: true)
    }

    /// Sets a row that was read back from the changelog; this does not count as a change.
    @inlinable public mutating func restore(_ key: Key, _ value: Value?) {
        rows[key] = value
        revisions += 1
    }
}
