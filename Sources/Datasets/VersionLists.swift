internal import Tables
public import Vocabulary

/// Cut position of a version whose test labels may still be requested.
public struct CutMark: Hashable, Sendable {
    /// Sequence number of the version's cut in the log.
    public let sequence: Int64
    /// Number of training labels of the version that were revised, retracted or moved since it was cut.
    public var changed: Int

    public init(sequence: Int64, changed: Int = 0) {
        self.sequence = sequence
        self.changed = changed
    }
}

/// A test label of a version whose test labels may still be requested, and of no later version: it was revised,
/// retracted or moved since. Stored under the number of its former fact.
public struct FormerTestLabel: Hashable, Sendable {
    public let sample: SampleID
    /// The number of the fact that replaced it.
    public let until: Int64

    public init(sample: SampleID, until: Int64) {
        self.sample = sample
        self.until = until
    }
}

/// Test labels of versions: a trainer's prediction is identified by its index among the test labels of the version that
/// the trainer was given, whatever has become of them since.
///
/// A version can be requested while its cut is not sealed, while it waits for a study, and while a study on it runs;
/// with the study's conclusion its predictions have been paired, and it is not requested again. For these versions
/// alone a mark is kept, and for each test label that has changed since, the row that they contain.
extension DatasetsState {
    /// The test samples of a version in the order of its lines, which is the order of the log.
    ///
    /// - Parameters:
    ///   - versionNumber: Version number of a version that can be requested.
    ///   - count: Maximum number of samples.
    /// - Returns: As many as there are, at most *count*. For a version that was cut before labels could change (format
    ///   1), its own samples are first, and *count* must be their number.
    /// - Complexity: O(*count*) if nothing has changed, else O(*n* log *n*) in test labels; likewise the first time
    ///   after an abort, in all labels.
    public mutating func testSamples(of versionNumber: Int, first count: Int) -> [SampleID] {
        guard count > 0 else { return [] }
        let mark = cuts[versionNumber]?.sequence
        let living = testLines()
        if former.isEmpty {
            let end = mark.map { mark in living.partitioningIndex { $0.sequence > mark } } ?? living.count
            return living[..<min(end, count)].map(\.id)
        }
        var lines = living.filter { line in mark.map { line.sequence < $0 } ?? true }
        for (sequence, label) in former.sortedRows {
            let line = (sequence: Int64(sequence), id: label.sample)
            if mark.map({ line.sequence < $0 && $0 < label.until }) ?? true { lines.append(line) }
        }
        return lines.sorted { $0.sequence < $1.sequence }.prefix(count).map(\.id)
    }

    /// Removes marks and former test labels that are not needed by any version that can still be requested.
    ///
    /// - Parameter studied: Version numbers of the versions that wait for a study, or are studied.
    /// - Complexity: O(1) if nothing is stored, else O(*n* log *n*) in the stored entries and the cuts that are not
    ///   sealed.
    public mutating func forgetVersions(except studied: [Int]) {
        guard !cuts.isEmpty || !former.isEmpty else { return }
        for versionNumber in cuts.sortedKeys where pending[versionNumber] == nil && !studied.contains(versionNumber) {
            cuts[versionNumber] = nil
        }
        guard !former.isEmpty, !isUnmarkedRequested(studied) else { return }
        let marks = cuts.sortedRows.map(\.value.sequence)
        for (sequence, label) in former.sortedRows {
            let next = marks.partitioningIndex { $0 > Int64(sequence) }
            if next == marks.count || marks[next] > label.until { former[sequence] = nil }
        }
    }

    /// Keeps a test label that is about to change, if a version that can be requested contains it.
    mutating func keepFormer(_ sample: SampleID, _ row: LabelRow, until sequence: Int64, _ studied: [Int]) {
        let isHeld = cuts.contains { $1.sequence > row.sequence } || isUnmarkedRequested(studied)
        guard row.isTestLabel, isHeld else { return }
        former[Int(row.sequence)] = FormerTestLabel(sample: sample, until: sequence)
    }

    /// Counts a training label that changes in each marked version that holds it.
    ///
    /// - Complexity: O(*n*) in the versions that wait for their seal or for a study.
    mutating func countChange(of row: LabelRow) {
        guard row.split == .training else { return }
        for (versionNumber, mark) in cuts.sortedRows where mark.sequence > row.sequence {
            cuts[versionNumber] = CutMark(sequence: mark.sequence, changed: mark.changed + 1)
        }
    }

    /// Whether a version that was cut before labels could change can be requested: it has no mark, and might contain
    /// any label.
    private func isUnmarkedRequested(_ studied: [Int]) -> Bool {
        studied.contains { cuts[$0] == nil } || pending.contains { versionNumber, _ in cuts[versionNumber] == nil }
    }
}
