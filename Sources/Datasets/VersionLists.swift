internal import Tables
public import Vocabulary

/// Where a version was cut, of one whose test labels may still be asked for.
public struct CutMark: Hashable, Sendable {
    /// Number of its cut in the log.
    public let sequence: Int64
    /// Its training labels that were revised, retracted or moved since it was cut.
    public var changed: Int

    public init(sequence: Int64, changed: Int = 0) {
        self.sequence = sequence
        self.changed = changed
    }
}

/// A test label as a version has it that may still be asked for, and no later one: it was revised, retracted or moved since.
/// Kept under the number of the fact that it was.
public struct FormerTestLabel: Hashable, Sendable {
    public let sample: SampleID
    /// The number of the fact that took its place.
    public let until: Int64

    public init(sample: SampleID, until: Int64) {
        self.sample = sample
        self.until = until
    }
}

/// The test labels of versions: what a trainer predicts is told by its place among those of the version that it was given,
/// whatever has become of them since.
///
/// A version can be asked for while its cut is not sealed, while it waits for a study, and while a study on it runs; with the
/// study's conclusion its predictions have been paired, and nobody asks again. Of those alone a mark is kept, and of each
/// test label that has changed since the row that they hold.
extension DatasetsState {
    /// The test samples of a version in the order of its lines, which is that of the log.
    ///
    /// - Parameters:
    ///   - ordinal: Of a version that can be asked for.
    ///   - count: The most that are wanted.
    /// - Returns: As many as there are, at most *count*. Of a version that was cut before labels could change (format 1) its
    ///   own come first, and *count* must be theirs.
    /// - Complexity: O(*count*) where nothing has changed, else O(*n* log *n*) in test labels, and so the first time after an
    ///   abort, in all labels.
    public mutating func testSamples(of ordinal: Int, first count: Int) -> [SampleID] {
        guard count > 0 else { return [] }
        let mark = cuts[ordinal]?.sequence
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

    /// Forgets what no version holds any more that can be asked for.
    ///
    /// - Parameter studied: Ordinals of the versions that wait for a study, or are studied.
    /// - Complexity: O(1) where nothing is kept, else O(*n* log *n*) in what is kept and the cuts that are not sealed.
    public mutating func forgetVersions(except studied: [Int]) {
        guard !cuts.isEmpty || !former.isEmpty else { return }
        for ordinal in cuts.sortedKeys where pending[ordinal] == nil && !studied.contains(ordinal) {
            cuts[ordinal] = nil
        }
        guard !former.isEmpty, !isUnmarkedAsked(studied) else { return }
        let marks = cuts.sortedRows.map(\.value.sequence)
        for (sequence, label) in former.sortedRows {
            let next = marks.partitioningIndex { $0 > Int64(sequence) }
            if next == marks.count || marks[next] > label.until { former[sequence] = nil }
        }
    }

    /// Keeps a test label that is about to change, if a version holds it that can be asked for.
    mutating func keepFormer(_ sample: SampleID, _ row: LabelRow, until sequence: Int64, _ studied: [Int]) {
        let isHeld = cuts.contains { $1.sequence > row.sequence } || isUnmarkedAsked(studied)
        guard row.tests, isHeld else { return }
        former[Int(row.sequence)] = FormerTestLabel(sample: sample, until: sequence)
    }

    /// Counts a training label that changes in each marked version that holds it.
    ///
    /// - Complexity: O(*n*) in the versions that wait for their seal or for a study.
    mutating func countChange(of row: LabelRow) {
        guard row.split == .training else { return }
        for (ordinal, mark) in cuts.sortedRows where mark.sequence > row.sequence {
            cuts[ordinal] = CutMark(sequence: mark.sequence, changed: mark.changed + 1)
        }
    }

    /// Whether a version can be asked for that was cut before labels could change: it has no mark, and might hold any label.
    private func isUnmarkedAsked(_ studied: [Int]) -> Bool {
        studied.contains { cuts[$0] == nil } || pending.contains { ordinal, _ in cuts[ordinal] == nil }
    }
}

extension Array {
    /// The first position of an element that satisfies a condition, in an array in which all that do stand last.
    ///
    /// - Complexity: O(log *n*).
    func partitioningIndex(where condition: (Element) -> Bool) -> Int {
        var (low, high) = (startIndex, endIndex)
        while low < high {
            let middle = low + (high - low) / 2
            if condition(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
