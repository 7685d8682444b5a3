internal import Tables
public import Vocabulary

/// Samples whose labels were imported without a query.
extension AcquisitionState {
    /// Records an imported label of a sample: the sample is removed from every source, the audit sample included, and
    /// is never queried. A sample for training counts as a queried one for the cold start, novelty and near-duplicates.
    ///
    /// - Parameters:
    ///   - sample: Sample with its embedding, if it has one.
    ///   - purpose: Purpose of an import.
    ///   - isInSpace: Whether the embedding is in the project's space.
    ///   - context: Context at the entry that contains it.
    /// - Complexity: O(1) on average.
    public mutating func imported(
        _ sample: Sample,
        _ purpose: TaskPurpose,
        isInSpace: Bool,
        _ context: SelectionContext
    ) {
        var removal = SampleRemoval(sample: sample.id)
        writeSources(&removal, context)
        accounts.queried[sample.id] = purpose
        if context.policy.edition >= 2 { sides.note(sample, purpose) }
        guard purpose.split == .training else { return }
        if isInSpace { pool.storeSketch(of: sample, index: accounts.schedule.value.trainingSamples, context.policy) }
        accounts.schedule.value.importedLabels += 1
    }

    /// Whether the sample's label was imported: predictions of models for it are no evidence.
    public func isImported(_ sample: SampleID) -> Bool { accounts.queried[sample]?.isImported ?? false }
}
