internal import Tables

/// Whether no row of a table has free capacity within the quotas, a cache: in a project whose quotas bind this is true
/// for most of a window, and is checked after every entry.
struct QuotaBlock: Sendable {
    /// Revision of the table that `snapshot` holds for.
    private var revision: UInt64 = 0
    private var snapshot: QuotaSnapshot?

    /// Whether quotas blocked all rows when they were last checked.
    var blockedAtLastCheck: Bool { snapshot != nil }

    /// Whether all rows of a table are known to be kept back.
    func holds<Key, Value>(_ table: Table<Key, Value>, _ quotas: SliceQuotas?) -> Bool {
        guard let snapshot, let quotas else { return false }
        return revision == table.revision && quotas.isUnchanged(since: snapshot)
    }

    /// Determines whether quotas block all rows.
    ///
    /// - Complexity: O(1) while they do and nothing has changed; else O(*n*), up to the first row with free capacity.
    mutating func update<Key, Value>(
        _ table: Table<Key, Value>,
        _ quotas: SliceQuotas?,
        hasRoom: (Value, SliceQuotas) -> Bool
    ) {
        guard let quotas else {
            snapshot = nil
            return
        }
        guard !holds(table, quotas) else { return }
        snapshot = table.contains { hasRoom($1, quotas) } ? nil : quotas.snapshot
        revision = table.revision
    }

    /// Follows a change of the table after which all rows are still kept back.
    mutating func revalidate<Key, Value>(_ table: Table<Key, Value>) { revision = table.revision }
}
