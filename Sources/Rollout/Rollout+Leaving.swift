internal import Tables
public import Vocabulary

/// Audit labels that judge no more.
extension RolloutState {
    /// Samples whose labels are to be evidence and have not entered: their tasks are open, or older ones are.
    ///
    /// - Complexity: O(*openings*).
    public var samplesOfOpenings: Set<SampleID> {
        openings.reduce(into: []) { samples, _, opening in samples.insert(opening.sample) }
    }

    /// The label of an audit sample has left the window, and trains: no model is judged by it from now on.
    ///
    /// It said what it said, so the champion's evidence is as it was. Under `rollout.bound: challenger` the pair counts on while
    /// the two models stand, neither of which was trained on it: evidence of which the oldest part were taken away again and again
    /// would bound nothing.
    public mutating func leaveWindow(_ sample: SampleID, _ policy: RolloutPolicy) {
        guard let row = rows[sample] else { return }
        if policy.bound != .challenger { uncountPair(row) }
        order.set(sample, nil, in: &rows)
    }

    /// Leaves labels out of all that models are judged by.
    ///
    /// - Parameter isWrong: Whether a label must not judge.
    /// - Returns: Their samples, ascending.
    /// - Complexity: O(*rowCapacity*), and O(*openings*) where there are any.
    public mutating func leaveOut(where isWrong: (SampleID) -> Bool) -> [SampleID] {
        let found = rows.reduce(into: [SampleID]()) { found, sample, row in
            if row.label != nil, isWrong(sample) { found.append(sample) }
        }.sorted()
        guard !found.isEmpty else { return [] }
        for sample in found { order.set(sample, nil, in: &rows) }
        for (number, opening) in openings.sortedRows where found.contains(opening.sample) {
            openings[number]?.label = nil
        }
        recountPairs()
        return found
    }
}
