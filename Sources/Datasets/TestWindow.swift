internal import Tables
public import Vocabulary

/// Audit label after the anchor that is a test label, in the order of acceptance.
public struct WindowLabel: Hashable, Sendable {
    public let sample: SampleID
    /// Whether its sample is of a group: others of the group may test at any time, so it never moves.
    public let isGrouped: Bool

    public init(sample: SampleID, isGrouped: Bool = false) {
        self.sample = sample
        self.isGrouped = isGrouped
    }
}

/// Test labels that are moved to training: the anchor stays for ever, the newest labels form the window, and the others
/// are used for training.
extension DatasetsState {
    /// Number of audit labels in the anchor: the first that were accepted, whatever becomes of them.
    public static let anchorSize = 100
    /// Maximum number of labels moved to training at one cut; the others are moved at the next cuts.
    public static let movesPerCutLimit = 256

    /// Moves the labels that are no longer in the window to training, the oldest first.
    ///
    /// A label that was accepted before the project had a window, or whose sample is in a group, stays a test label.
    ///
    /// - Parameters:
    ///   - size: Labels in the window, at least 1.
    ///   - context: Context of the entry that is about to cut a version.
    ///   - isWaiting: Whether a sample's label is to be evidence and has not become it; such labels are moved later.
    /// - Returns: The facts for the log, at most `movesPerCutLimit`; none in a project of format 1.
    /// - Complexity: O(*m*) in the labels that are moved and the labels that wait; the first time after an abort O(*n*
    ///   log *n*) in the table.
    public mutating func shrinkWindow(
        to size: Int,
        _ context: ChangeContext,
        isWaiting: (SampleID) -> Bool
    ) -> [LabelChange] {
        guard window.count > size, format(context.policy) >= DatasetFormat.changes else { return [] }
        var changes: [LabelChange] = []
        for number in numbersToMove(size, isWaiting) {
            guard let label = window[number] else { continue }
            windowOrder.remove(number, from: &window)
            guard !label.isGrouped, labels[label.sample]?.isTestLabel ?? false else { continue }
            if case .success(let change) = move(label.sample, to: .training, context, removesFromWindow: false) {
                changes.append(change)
            }
        }
        return changes
    }

    private mutating func numbersToMove(_ size: Int, _ isWaiting: (SampleID) -> Bool) -> [Int] {
        let numbers = windowOrder.numbers(of: window)
        var chosen: [Int] = []
        for number in numbers.prefix(numbers.count - size) {
            guard chosen.count < Self.movesPerCutLimit else { break }
            if let label = window[number], !isWaiting(label.sample) { chosen.append(number) }
        }
        return chosen
    }

    /// Adds a newly accepted test label to the anchor, while that is not complete, or to the window.
    ///
    /// - Parameters:
    ///   - sample: Accepted sample.
    ///   - log: Position of the log, including the label.
    ///   - startsWindow: Whether labels are moved to training; once they were, the order is kept whatever a
    ///     revision specifies.
    mutating func addToWindow(_ sample: Sample, _ log: inout LogPosition, startsWindow: Bool) {
        if log.anchored == 0 {
            guard startsWindow else { return }
            // Test labels accepted earlier have no known order, so they stay test labels.
            log.anchored = min(Self.anchorSize, log.test - 1)
        }
        guard log.anchored >= Self.anchorSize else {
            log.anchored += 1
            return
        }
        let label = WindowLabel(sample: sample.id, isGrouped: sample.group != nil)
        windowOrder.append(label, at: Int(log.sequence), to: &window)
    }

    /// Removes a label from the window because it is no longer a test label for another reason.
    ///
    /// - Complexity: O(1); O(*n*) in the window where the label was revised before.
    mutating func removeFromWindow(_ sample: SampleID, _ row: LabelRow) {
        guard row.isTestLabel, !window.isEmpty else { return }
        var number = Int(exactly: row.sequence)
        if number.flatMap({ window[$0]?.sample }) != sample {
            // A revised label is there under the number of its acceptance.
            number = window.reduce(into: nil) { found, number, label in
                if label.sample == sample { found = number }
            }
        }
        if let number { windowOrder.remove(number, from: &window) }
    }
}

/// The numbers of labels in the window, in order.
///
/// A cache, no part of the state: it is valid for one revision of the table and is rebuilt for any other.
struct WindowOrder: Sendable {
    private var revision: UInt64?
    private var ordered: [Int] = []

    /// Returns all numbers in the window, ascending.
    ///
    /// - Complexity: O(1) where changes were followed, else O(*n* log *n*).
    mutating func numbers(of window: Table<Int, WindowLabel>) -> [Int] {
        if revision != window.revision {
            ordered = window.sortedKeys
            revision = window.revision
        }
        return ordered
    }

    /// Adds a label under the log's last number, and updates the order.
    mutating func append(_ label: WindowLabel, at number: Int, to window: inout Table<Int, WindowLabel>) {
        let isCurrent = revision == window.revision
        window[number] = label
        guard isCurrent else { return }
        ordered.append(number)
        revision = window.revision
    }

    /// Removes a label, and updates the order.
    ///
    /// - Complexity: O(log *n*), plus the move of the numbers after it.
    mutating func remove(_ number: Int, from window: inout Table<Int, WindowLabel>) {
        let isCurrent = revision == window.revision
        window[number] = nil
        guard isCurrent else { return }
        let index = ordered.partitioningIndex { $0 >= number }
        if index < ordered.count, ordered[index] == number { ordered.remove(at: index) }
        revision = window.revision
    }
}
