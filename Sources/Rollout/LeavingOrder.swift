internal import Tables
internal import Vocabulary

/// Which row of a full table gives way first: of those that may, the oldest label or the sample drawn last.
struct Leaving: Comparable, Sendable {
    let isKept: Bool
    let order: Double
    let id: SampleID

    init(_ id: SampleID, _ row: AuditRow, givesLabel: Bool) {
        isKept = (row.label != nil) != givesLabel
        order = givesLabel ? Double(row.since.milliseconds) : -row.draw
        self.id = id
    }

    static func < (a: Leaving, b: Leaving) -> Bool {
        if a.isKept != b.isKept { return b.isKept }
        return a.order != b.order ? a.order < b.order : a.id < b.id
    }
}

/// How many audit rows have a label, and which of them leave first, without a look at all of them.
///
/// A cache, no part of the state: both hold for one revision of the table and are worked out anew for any other.
struct LeavingOrder: Sendable {
    private static let size = 256

    private var revision: UInt64?
    private var labelled = 0
    /// Where labels give way, and where they do not: a full table goes from one to the other and back with every label.
    private var givingLabels = Foremost<Leaving>(size: Self.size)
    private var keepingLabels = Foremost<Leaving>(size: Self.size)

    /// Rows with a label.
    ///
    /// - Complexity: O(1) where changes were followed, else O(*n*).
    mutating func labelled(of rows: Table<SampleID, AuditRow>) -> Int {
        if revision != rows.revision {
            labelled = rows.count { $1.label != nil }
            revision = rows.revision
        }
        return labelled
    }

    /// The row that leaves first.
    mutating func first(of rows: Table<SampleID, AuditRow>, givesLabel: Bool) -> Leaving? {
        if givesLabel {
            givingLabels.first(of: rows) { Leaving($0, $1, givesLabel: true) }
        } else {
            keepingLabels.first(of: rows) { Leaving($0, $1, givesLabel: false) }
        }
    }

    /// Changes a row, or removes it, and follows.
    mutating func set(_ id: SampleID, _ row: AuditRow?, in rows: inout Table<SampleID, AuditRow>) {
        let isCurrent = revision == rows.revision
        let old = rows[id]
        let isGivingCurrent = givingLabels.isCurrent(rows)
        func rank(_ row: AuditRow?, _ givesLabel: Bool) -> Leaving? {
            row.map { Leaving(id, $0, givesLabel: givesLabel) }
        }
        keepingLabels.set(id, row, in: &rows, from: rank(old, false), to: rank(row, false))
        if isGivingCurrent { givingLabels.follow(rows, from: rank(old, true), to: rank(row, true)) }
        guard isCurrent else { return }
        labelled += (row?.label == nil ? 0 : 1) - (old?.label == nil ? 0 : 1)
        revision = rows.revision
    }
}
