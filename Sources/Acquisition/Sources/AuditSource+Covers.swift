internal import Statistics
internal import Tables
public import Vocabulary

/// Audit samples that trainers predict, and others that they are hidden among.
extension AuditSource {
    /// Candidates whose pair's challenger has not predicted them, and for which no trainer has been asked for a
    /// prediction yet.
    ///
    /// - Returns: Candidates by the time at which their pairs were fixed, then by id.
    /// - Complexity: O(*capacity* log *capacity*).
    public var unrequested: [(sample: SampleID, pairing: AuditPairing)] {
        guard !pairings.isEmpty else { return [] }
        return pairings.sortedRows
            .filter { $0.value.isSilent && $0.value.awaitedUntil == nil && candidates[$0.key] != nil }
            .sorted { ($0.value.fixedAt, $0.key) < ($1.value.fixedAt, $1.key) }
            .map { ($0.key, $0.value) }
    }
}

extension AcquisitionState {
    /// Whether the pool has at least `count` candidates that have not hidden an audit sample yet.
    ///
    /// - Complexity: O(*poolCapacity*).
    public func hasCovers(_ count: Int = 1) -> Bool {
        guard count > 0 else { return true }
        // Each candidate hides only once: a sample that is repeated would reveal that it is no audit sample, and so
        // which of the others may be.
        return pool.candidates.count - covers.count >= count
            || pool.candidates.count { id, _ in covers[id] == nil } >= count
    }

    /// Draws candidates of the pool that have not hidden an audit sample yet, at random.
    ///
    /// - Parameters:
    ///   - count: The most to draw.
    ///   - entry: Entry that provides the seed of the draw.
    /// - Returns: Distinct samples, in the order drawn.
    /// - Complexity: O(*poolCapacity* log *poolCapacity*).
    public func drawCovers(_ count: Int, _ entry: EntryContext) -> [Sample] {
        let fresh = pool.candidates.sortedKeys.filter { covers[$0] == nil }
        var generator = SplitMix64(seed: entry.seed ^ 0x636F_7665_7273)
        return SeededSampling.distinctIndices(count, of: fresh.count, using: &generator)
            .compactMap { pool.candidates[fresh[$0]]?.candidate.sample }
    }

    /// Records that samples have hidden audit samples; samples that have left the pool are removed from the record.
    ///
    /// - Complexity: O(*poolCapacity* log *poolCapacity*).
    public mutating func noteCovers(_ samples: [SampleID], at time: StreamTime) {
        for sample in covers.sortedKeys where pool.candidates[sample] == nil { covers[sample] = nil }
        for sample in samples { covers[sample] = time.milliseconds }
    }
}
