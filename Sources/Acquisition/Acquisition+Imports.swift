internal import Tables
public import Vocabulary

/// Samples with labels that nobody was asked for.
extension AcquisitionState {
    /// A label came in for a sample: it leaves every source, the audit sample among them, and is never asked for. One that
    /// trains counts as one that was asked for where the cold start, novelty and near-duplicates look.
    ///
    /// - Parameters:
    ///   - sample: With its embedding, if it has one.
    ///   - purpose: One of an import.
    ///   - isPlaced: Whether the embedding lies in the project's space.
    ///   - context: The entry that brought it.
    /// - Complexity: O(1) on average.
    public mutating func imported(
        _ sample: Sample,
        _ purpose: TaskPurpose,
        isPlaced: Bool,
        _ context: SelectionContext
    ) {
        var removal = SampleRemoval(sample: sample.id)
        writeSources(&removal, context)
        accounts.asked[sample.id] = purpose
        if context.policy.edition >= 2 { sides.note(sample, purpose) }
        guard purpose.split == .training else { return }
        if isPlaced { pool.remember(sample, task: accounts.cadence.value.trainingSamples, context.policy) }
        accounts.cadence.value.importedLabels += 1
    }

    /// Whether the sample's label was imported: what models say of it is no evidence.
    public func isImported(_ sample: SampleID) -> Bool { accounts.asked[sample]?.isImported ?? false }
}
