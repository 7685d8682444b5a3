internal import Tables
public import Vocabulary

/// Removal of audit labels by which models are no longer judged.
extension RolloutState {
    /// Samples whose labels have not entered the evidence yet, because their tasks or older ones are open.
    ///
    /// - Complexity: O(*openings*).
    public var samplesOfOpenings: Set<SampleID> {
        openings.reduce(into: []) { samples, _, opening in samples.insert(opening.sample) }
    }

    /// Removes an audit sample whose label has left the window and is used for training: no model is judged by it from
    /// now on.
    ///
    /// The label itself is unchanged, so the champion's evidence stays as it was. Under `rollout.bound: challenger` the
    /// pair continues to count while the two models keep their roles, neither of which was trained on the label:
    /// evidence whose oldest part is removed again and again would bound nothing.
    public mutating func removeMovedLabel(_ sample: SampleID, _ policy: RolloutPolicy) {
        guard let row = rows[sample] else { return }
        if policy.bound != .challenger { uncountPair(row) }
        order.set(sample, nil, in: &rows)
    }

    /// Removes labels from everything that models are judged by.
    ///
    /// - Parameter isExcluded: Whether a label must not be used for judging.
    /// - Returns: The samples of the labels, in ascending order.
    /// - Complexity: O(*rowCapacity*), and O(*openings*) if there are any.
    public mutating func excludeLabels(where isExcluded: (SampleID) -> Bool) -> [SampleID] {
        let found = rows.reduce(into: [SampleID]()) { found, sample, row in
            if row.label != nil, isExcluded(sample) { found.append(sample) }
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
