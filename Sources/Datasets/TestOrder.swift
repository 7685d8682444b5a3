internal import Tables
internal import Vocabulary

/// Living test labels in the order of the log, so that not all labels are searched each time that a study ends.
///
/// A cache, no part of the state: it is valid for one revision of the table and is rebuilt for any other.
struct TestOrder: Sendable {
    /// A test label that later versions contain.
    typealias Line = (sequence: Int64, id: SampleID)

    private var revision: UInt64?
    private var lines: [Line] = []

    /// Returns all living test labels, in the order of the log.
    ///
    /// - Complexity: O(1) where changes were followed, else O(*n* log *n*).
    mutating func lines(of labels: Table<SampleID, LabelRow>) -> [Line] {
        if revision != labels.revision {
            let rows = labels.reduce(into: [Line]()) { rows, id, row in
                if row.isTestLabel { rows.append((row.sequence, id)) }
            }
            // No two labels have the same position in the log.
            lines = rows.sorted { $0.sequence < $1.sequence }
            revision = labels.revision
        }
        return lines
    }

    /// Stores a row that has the log's last number, and updates the order.
    ///
    /// - Complexity: O(1); if a test label changes, O(*n*) in the test labels after it.
    mutating func set(_ id: SampleID, _ row: LabelRow, in labels: inout Table<SampleID, LabelRow>) {
        let isCurrent = revision == labels.revision
        let old = labels[id]
        labels[id] = row
        guard isCurrent else { return }
        if let old, old.isTestLabel { lines.remove(at: lines.partitioningIndex { $0.sequence >= old.sequence }) }
        if row.isTestLabel { lines.append((row.sequence, id)) }
        revision = labels.revision
    }
}

/// Keys of imported labels, so that not all labels are searched each time that one is imported.
///
/// A cache, no part of the state: it is valid for one revision of the table and is rebuilt for any other.
struct ImportKeys: Sendable {
    private var revision: UInt64?
    private var keys: Set<UInt64> = []

    func isCurrent(_ labels: Table<SampleID, LabelRow>) -> Bool { revision == labels.revision }

    mutating func contains(_ key: UInt64, of labels: Table<SampleID, LabelRow>) -> Bool {
        if !isCurrent(labels) {
            keys = labels.reduce(into: []) { keys, _, row in if let key = row.importKey { keys.insert(key) } }
            revision = labels.revision
        }
        return keys.contains(key)
    }

    /// Adds the row whose change produced the current revision of the table.
    mutating func add(_ row: LabelRow, in labels: Table<SampleID, LabelRow>) {
        if let key = row.importKey { keys.insert(key) }
        revision = labels.revision
    }
}
