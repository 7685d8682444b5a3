/// The rows of a table that stand first in some order, known beforehand: the next one to give way is found without a look at
/// all of them.
///
/// A cache, no part of the state: it holds for one revision of the table and is built anew for any other, so that it answers
/// the same whether the table has come here by itself, from the changelog or by an undo.
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
    /// The first of all comes last; every row that is not among them stands behind them all.
    @usableFromInline var ranks: [Rank] = []

    /// - Parameter size: Rows known beforehand, at least 1: many where nothing but the first ever leaves, few where the table is
    ///   changed by others all the time.
    @inlinable public init(size: Int = 64) { self.size = size }

    /// The rank of the row that stands first.
    ///
    /// - Parameters:
    ///   - table: Always the same one.
    ///   - rank: Always the same; differs between any two rows.
    /// - Returns: Nil of an empty table.
    /// - Complexity: O(1) on average over many, where changes are followed; O(*n*) where they were not.
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

    /// Changes one row, and follows.
    ///
    /// - Parameters:
    ///   - key: Of the row.
    ///   - value: Nil to remove it.
    ///   - table: As for `first`.
    ///   - old: The rank that the row had; nil of a new one.
    ///   - new: The rank that it has now; nil of one that is gone.
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

    /// Whether it knows the table as it is.
    @inlinable public func isCurrent<Key, Value>(_ table: Table<Key, Value>) -> Bool { revision == table.revision }

    /// Follows one change of a row, if it knew the table as it was before.
    ///
    /// - Parameters:
    ///   - table: As it is now.
    ///   - old: As for `set`.
    ///   - new: As for `set`.
    @inlinable public mutating func follow<Key, Value>(_ table: Table<Key, Value>, from old: Rank?, to new: Rank?) {
        revision = table.revision
        guard old != new, let hindmost = ranks.first else { return }
        if let old, !(hindmost < old) {
            let place = place(of: old)
            if place < ranks.count, ranks[place] == old { ranks.remove(at: place) }
        }
        // What stands behind all that are known goes on doing so.
        guard let new, new < hindmost else { return }
        ranks.insert(new, at: place(of: new))
        if ranks.count > size { ranks.removeFirst() }
    }

    /// Index of the first known rank that is not greater than `rank`; the count of known ranks if all are greater.
    @inlinable func place(of rank: Rank) -> Int {
        var (low, high) = (0, ranks.count)
        while low < high {
            let middle = (low + high) / 2
            if rank < ranks[middle] { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
