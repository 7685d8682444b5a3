internal import Kinds
internal import Tables
internal import Vocabulary

/// Rule by which a row is evicted from a full table of audit samples.
enum EvictionRule {
    /// The oldest label.
    case label
    /// The sample with the highest draw among those without a label.
    case draw
    /// The oldest sample without a label; samples on which the models of their pair may differ come later, open tasks
    /// last.
    case age
}

/// Eviction rank of a row in a full table: among the rows that may be evicted, the oldest label or the sample with the
/// highest draw is first.
struct EvictionRank: Comparable, Sendable {
    let isKept: Bool
    /// Under rule `age`: 0 if the models of the pair agree or there is no pair, 1 if they may differ, 2 if its task is
    /// open. Under the other rules 0.
    let worth: Int
    let order: Double
    let id: SampleID

    init(_ id: SampleID, _ row: AuditRow, _ rule: EvictionRule) {
        isKept = (row.label != nil) != (rule == .label)
        worth = rule == .age && row.label == nil ? row.worth : 0
        order = rule == .draw ? -row.draw : Double(row.since.milliseconds)
        self.id = id
    }

    static func < (a: EvictionRank, b: EvictionRank) -> Bool {
        if a.isKept != b.isKept { return b.isKept }
        if a.worth != b.worth { return a.worth < b.worth }
        return a.order != b.order ? a.order < b.order : a.id < b.id
    }
}

extension AuditRow {
    /// Value of the row's label for its pair: 2 where its task is open, 1 where the models may differ, else 0.
    fileprivate var worth: Int {
        if opening != nil { return 2 }
        guard pair != nil else { return 0 }
        guard let first = predictions.first, predictions.count > 1 else { return 1 }
        return predictions.contains { $0.label.agreement(with: first.label) < 1 } ? 1 : 0
    }
}

/// Number of audit rows with a label, and the rows to evict first, without a scan of all rows.
///
/// A cache, not part of the state: both are valid for one revision of the table and are recomputed for any other.
struct EvictionOrder: Sendable {
    private static let size = 256

    private var revision: UInt64?
    private var labelled = 0
    /// One order for each rule: a full table alternates between the rules with every label.
    private var labels = TopK<EvictionRank>(size: Self.size)
    private var draws = TopK<EvictionRank>(size: Self.size)
    private var ages = TopK<EvictionRank>(size: Self.size)

    /// Returns the number of rows with a label.
    ///
    /// - Complexity: O(1) if all changes were followed, else O(*n*).
    mutating func labelled(of rows: Table<SampleID, AuditRow>) -> Int {
        if revision != rows.revision {
            labelled = rows.count { $1.label != nil }
            revision = rows.revision
        }
        return labelled
    }

    /// Returns the row to evict first.
    mutating func first(of rows: Table<SampleID, AuditRow>, _ rule: EvictionRule) -> EvictionRank? {
        switch rule {
        case .label: labels.first(of: rows) { EvictionRank($0, $1, rule) }
        case .draw: draws.first(of: rows) { EvictionRank($0, $1, rule) }
        case .age: ages.first(of: rows) { EvictionRank($0, $1, rule) }
        }
    }

    /// Changes or removes a row, and updates the orders and the count accordingly.
    mutating func set(_ id: SampleID, _ row: AuditRow?, in rows: inout Table<SampleID, AuditRow>) {
        let isCurrent = revision == rows.revision
        let old = rows[id]
        func rank(_ row: AuditRow?, _ rule: EvictionRule) -> EvictionRank? { row.map { EvictionRank(id, $0, rule) } }
        let (hasLabels, hasAges) = (labels.isCurrent(rows), ages.isCurrent(rows))
        draws.set(id, row, in: &rows, from: rank(old, .draw), to: rank(row, .draw))
        if hasLabels { labels.follow(rows, from: rank(old, .label), to: rank(row, .label)) }
        if hasAges { ages.follow(rows, from: rank(old, .age), to: rank(row, .age)) }
        guard isCurrent else { return }
        labelled += (row?.label == nil ? 0 : 1) - (old?.label == nil ? 0 : 1)
        revision = rows.revision
    }
}
