internal import Tables
internal import Vocabulary

/// Samples with test labels in the order of the log: not looked for among all labels each time that a study ends.
///
/// A cache, no part of the state: it holds for one revision of the table and is made anew for any other.
struct TestOrder: Sendable {
    private var revision: UInt64?
    private var samples: [SampleID] = []

    /// All of them.
    ///
    /// - Complexity: O(1) where changes were followed, else O(*n* log *n*).
    mutating func samples(of labels: Table<SampleID, LabelRow>) -> [SampleID] {
        if revision != labels.revision {
            let rows = labels.gather(into: [(sequence: Int64, id: SampleID)]()) { rows, id, row in
                if row.split == .test { rows.append((row.sequence, id)) }
            }
            // No two labels have the same place in the log.
            samples = rows.sorted { $0.sequence < $1.sequence }.map(\.id)
            revision = labels.revision
        }
        return samples
    }

    /// Adds the log's next label, and follows.
    mutating func set(_ id: SampleID, _ row: LabelRow, in labels: inout Table<SampleID, LabelRow>) {
        let isCurrent = revision == labels.revision
        labels[id] = row
        guard isCurrent else { return }
        if row.split == .test { samples.append(id) }
        revision = labels.revision
    }
}

/// Keys of imported labels: not looked for among all labels each time that one comes.
///
/// A cache, no part of the state: it holds for one revision of the table and is made anew for any other.
struct ImportKeys: Sendable {
    private var revision: UInt64?
    private var keys: Set<UInt64> = []

    func isCurrent(_ labels: Table<SampleID, LabelRow>) -> Bool { revision == labels.revision }

    mutating func contains(_ key: UInt64, of labels: Table<SampleID, LabelRow>) -> Bool {
        if !isCurrent(labels) {
            keys = labels.gather(into: []) { keys, _, row in if let key = row.importKey { keys.insert(key) } }
            revision = labels.revision
        }
        return keys.contains(key)
    }

    /// Takes in the row that made the table what it is now.
    mutating func follow(_ row: LabelRow, in labels: Table<SampleID, LabelRow>) {
        if let key = row.importKey { keys.insert(key) }
        revision = labels.revision
    }
}
