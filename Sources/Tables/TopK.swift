/// The first rows of a table in some order, known in advance: the next row to evict is found without a scan of all
/// rows.
///
/// A cache, not part of the state: it is valid for one revision of the table and is rebuilt for any other, so that its
/// result is the same whether the table reached its state by itself, from the changelog or by an undo.
///
/// ```swift
/// var pool = Table<String, Int>()
/// var lowest = TopK<Int>()
/// lowest.set("s-1", 7, in: &pool, from: nil, to: 7)
/// lowest.set("s-2", 3, in: &pool, from: nil, to: 3)
/// let first = lowest.first(of: pool) { _, score in score }
/// ```
public struct TopK<Rank: Comparable & Sendable>: Sendable {
    @usableFromInline let size: Int
    @usableFromInline var revision: UInt64?
    /// The first rank is the last element; every row that is not included ranks behind all of these.
    @usableFromInline var ranks: [Rank] = []

    /// - Parameter size: Number of rows known in advance, at least 1: many if only the first row is ever removed, few
    ///   if the table is changed by others all the time.
    @inlinable public init(size: Int = 64) { self.size = size }

    /// Returns the rank of the first row.
    ///
    /// - Parameters:
    ///   - table: The same table at every call.
    ///   - rank: The same function at every call; its result differs between any two rows.
    /// - Returns: Nil for an empty table.
    /// - Complexity: O(1) on average over many calls, if changes are followed; O(*n*) if they were not.
    @inlinable public mutating func first<Key, Value>(
        of table: Table<Key, Value>,
        by rank: (Key, Value) -> Rank
    ) -> Rank? {
        if revision != table.revision || ranks.isEmpty {
            ranks = table.smallest(size, by: rank).reversed()
            revision = table.revision
        }
        return ranks.last
    }

    /// Changes one row, and updates the known ranks if they are current.
    ///
    /// - Parameters:
    ///   - key: The key of the row.
    ///   - value: The new value; nil to remove the row.
    ///   - table: As for `first`.
    ///   - old: The rank that the row had; nil for a new row.
    ///   - new: The rank that the row has now; nil for a removed row.
    /// - Complexity: O(1).
    @inlinable public mutating func set<Key, Value>(
        _ key: Key,
        _ value: Value?,
        in table: inout Table<Key, Value>,
        from old: Rank?,
        to new: Rank?
    ) {
        let isCurrent = isCurrent(table)
        table[key] = value
        if isCurrent { follow(table, from: old, to: new) }
    }

    /// Whether the known ranks are current for the table.
    @inlinable public func isCurrent<Key, Value>(_ table: Table<Key, Value>) -> Bool { revision == table.revision }

    /// Updates the known ranks after one change of a row; they must have been current before the change.
    ///
    /// - Parameters:
    ///   - table: The table after the change.
    ///   - old: As for `set`.
    ///   - new: As for `set`.
    @inlinable public mutating func follow<Key, Value>(_ table: Table<Key, Value>, from old: Rank?, to new: Rank?) {
        revision = table.revision
        guard old != new, let lastKnown = ranks.first else { return }
        if let old, !(lastKnown < old) {
            let index = index(of: old)
            if index < ranks.count, ranks[index] == old { ranks.remove(at: index) }
        }
        // A row that ranks behind all known rows continues to do so.
        guard let new, new < lastKnown else { return }
        ranks.insert(new, at: index(of: new))
        if ranks.count > size { ranks.removeFirst() }
    }

    /// Index of the first known rank that is not greater than `rank`; the count of known ranks if all are greater.
    @inlinable func index(of rank: Rank) -> Int { ranks.partitioningIndex { !(rank < $0) } }
}
