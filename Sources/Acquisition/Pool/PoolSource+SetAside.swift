internal import Strategies
internal import Tables
internal import Vocabulary

/// Candidates that are queried only if no others are left.
extension PoolSource {
    /// Cached data about the queried and the unanswerable samples, derived from the tables of a pool.
    struct SampleCache: Sendable {
        var known = KnownSamples()
        var answerability: AnswerabilityModel?
        fileprivate var cacheKey: CacheKey?
        /// Whether `known` has every row of the memory, at the index of its slot.
        fileprivate var isComplete = false
        /// Slots written since `cacheKey`, and the memory's revision after the last of these writes. If the memory has
        /// another revision, more has changed; nil if nothing was followed yet or too many slots were written.
        private var written: (slots: [Int], revision: UInt64?) = ([], nil)
        private static let writtenLimit = 1_024

        /// Records that one slot of the memory was written.
        ///
        /// - Parameters:
        ///   - slot: The slot that was written.
        ///   - old: Revision of the memory before the write.
        ///   - new: Revision of the memory after the write.
        mutating func noteWrite(_ slot: Int, from old: UInt64, to new: UInt64) {
            guard written.revision == old else { return }
            written.slots.append(slot)
            written.revision = written.slots.count <= Self.writtenLimit ? new : nil
        }

        /// The slots that have changed since `cacheKey`; nil where that is not known.
        fileprivate func changes(of queriedSketches: Table<Int, EmbeddingSketch>) -> [Int]? {
            written.revision == queriedSketches.revision ? written.slots : nil
        }

        fileprivate mutating func finishUpdate(_ queriedSketches: Table<Int, EmbeddingSketch>, _ cacheKey: CacheKey) {
            self.cacheKey = cacheKey
            written = ([], queriedSketches.revision)
        }
    }

    /// Revisions and settings that a sample cache was computed from.
    fileprivate struct CacheKey: Equatable, Sendable {
        let queriedSketches: UInt64
        let unanswerable: UInt64
        let waiting: UInt64?
        let dimension: Int
        let share: Double
        let slots: Int
    }

    /// Reason for which a candidate is selected last.
    ///
    /// - Complexity: O(*m* · *dimension*) at worst for *m* queried samples; more for the first call after a change of
    ///   them.
    mutating func reason(toSetAside sample: Sample, _ policy: AcquisitionPolicy) -> SetAside? {
        guard policy.setsAside, let embedding = sample.embedding, !embedding.isEmpty else { return nil }
        updateSampleCache(dimension: embedding.count, policy)
        if sampleCache.known.likeness(of: embedding) != nil { return .known }
        return sampleCache.answerability?.isUnanswerable(embedding) == true ? .unanswerable : nil
    }

    /// Brings `sampleCache` up to date.
    mutating func updateSampleCache(dimension: Int, _ policy: AcquisitionPolicy) {
        let cacheKey = CacheKey(
            queriedSketches: queriedSketches.revision,
            unanswerable: unanswerable.revision,
            waiting: policy.stream == nil ? nil : candidates.revision,
            dimension: dimension,
            share: policy.batch.duplicateDistance,
            slots: policy.batch.memory
        )
        let old = sampleCache.cacheKey
        guard old != cacheKey else { return }
        let queried = updateKnownSamples(cacheKey, policy)
        if old?.queriedSketches != cacheKey.queriedSketches || old?.unanswerable != cacheKey.unanswerable
            || old?.dimension != cacheKey.dimension
        {
            sampleCache.answerability = AnswerabilityModel(
                unanswerable: unanswerable.sortedRows.compactMap(\.value.sketch),
                queried: queried,
                dimension: dimension
            )
        }
        sampleCache.finishUpdate(queriedSketches, cacheKey)
    }

    /// Brings the known sketches up to date, slot by slot if nothing more has changed.
    ///
    /// - Returns: Sketches of the queried samples, in the order of their slots; sketches of other dimensions may be
    ///   missing.
    private mutating func updateKnownSamples(_ cacheKey: CacheKey, _ policy: AcquisitionPolicy) -> [EmbeddingSketch] {
        let (dimension, share) = (cacheKey.dimension, cacheKey.share)
        if sampleCache.isComplete, cacheKey.waiting == nil, sampleCache.cacheKey?.slots == cacheKey.slots,
            let slots = sampleCache.changes(of: queriedSketches)
        {
            let changes = slots.compactMap { slot in queriedSketches[slot].map { (slot, $0) } }
            if sampleCache.known.replace(changes, dimension: dimension, share: share) {
                return sampleCache.known.sketches
            }
        }
        let queried = queriedSketches(policy)
        var known = queried
        if policy.stream != nil {
            // Candidates that a stream's rule has chosen wait here for their tasks.
            for (_, pooled) in candidates.sortedRows where pooled.propensity != nil {
                let embedding = pooled.candidate.sample.embedding
                if let sketch = embedding.flatMap({ EmbeddingSketch($0, keepsDigest: true) }) { known.append(sketch) }
            }
        }
        sampleCache.known.update(known, dimension: dimension, share: share)
        sampleCache.isComplete =
            cacheKey.waiting == nil && sampleCache.known.sketches.count == queriedSketches.count
            && !queriedSketches.contains { slot, _ in slot >= queriedSketches.count }
        return queried
    }

    /// Returns the sketches kept of queried samples, in the order of their slots.
    private func queriedSketches(_ policy: AcquisitionPolicy) -> [EmbeddingSketch] {
        let slots = queriedSketches.reduce(into: 0) { slots, slot, _ in
            if slot < policy.batch.memory { slots = max(slots, slot + 1) }
        }
        // Each sketch is stored at the index of its slot: sorting the rows would be slower.
        let bySlot = queriedSketches.reduce(into: [EmbeddingSketch?](repeating: nil, count: slots)) {
            sketches,
            slot,
            sketch in
            if slot >= 0, slot < slots { sketches[slot] = sketch }
        }
        return bySlot.compactMap { $0 }
    }

    /// Sets aside candidates that have the embedding of a sample that is queried now: they would keep others out of a
    /// full pool.
    ///
    /// - Complexity: O(*poolCapacity*).
    mutating func setAsideCopies(of samples: [Sample], _ policy: AcquisitionPolicy) {
        guard policy.setsAside, policy.stream == nil, policy.batch.duplicateDistance > 0 else { return }
        let embeddings = samples.compactMap(\.embedding)
        let keys = Set(embeddings.map { PooledCandidate.key(of: $0) })
        let digests = Set(embeddings.compactMap { EmbeddingSketch.digest(of: $0) })
        guard !digests.isEmpty else { return }
        // Most candidates of a pool share no key with any of the samples, and this table excludes nearly all of those
        // with one lookup.
        func slot(_ key: UInt32) -> Int { Int((key &* 0x9E37_79B1) >> 20) }
        var hasKey = [Bool](repeating: false, count: 1 << 12)
        for key in keys { hasKey[slot(key)] = true }
        let copies = candidates.reduce(into: [SampleID]()) { copies, id, pooled in
            guard hasKey[slot(pooled.key)], keys.contains(pooled.key), pooled.setAside != .known,
                let embedding = pooled.candidate.sample.embedding,
                let digest = EmbeddingSketch.digest(of: embedding), digests.contains(digest)
            else { return }
            copies.append(id)
        }
        for id in copies { candidates[id] = candidates[id]?.settingAside(.known) }
    }

    /// Determines again which candidates are set aside, after a change that affects the reasons.
    ///
    /// - Complexity: O(*poolCapacity* · *m* · *dimension*) at worst.
    mutating func reassessSetAside(_ policy: AcquisitionPolicy) {
        for (id, pooled) in candidates.sortedRows {
            let found = policy.stream == nil ? reason(toSetAside: pooled.candidate.sample, policy) : nil
            if found != pooled.setAside { candidates[id] = pooled.settingAside(found) }
        }
    }

    // MARK: - Samples that nobody could answer

    /// Records an unanswerable sample.
    ///
    /// - Returns: Earlier ones that are nearer to it than any answerable sample, the nearest first, at most five.
    mutating func learnUnanswerable(
        _ sample: Sample,
        notes: [String],
        _ policy: AcquisitionPolicy
    ) -> [UnanswerableSample] {
        let number = (unanswerable.reduce(into: -1) { $0 = max($0, $2.number) }) + 1
        let sketch = sample.embedding.flatMap { EmbeddingSketch($0, keepsDigest: true) }
        let alike = sample.embedding.map { self.alike($0, policy) } ?? []
        unanswerable[number % UnanswerableSample.limit] = UnanswerableSample(
            number: number,
            sample: sample.id,
            sketch: sketch,
            notes: notes
        )
        return alike
    }

    private func alike(_ embedding: [Float], _ policy: AcquisitionPolicy) -> [UnanswerableSample] {
        let rows = unanswerable.sortedRows.map(\.value).filter { $0.sketch?.dimension == embedding.count }
        let sketches = rows.compactMap(\.sketch)
        let digests = Set(sketches.compactMap(\.digest) + [EmbeddingSketch.digest(of: embedding)].compactMap { $0 })
        let scale = PointMatrix.scale(of: sketches.map { $0.unit * 127 })
        guard let points = PointMatrix(sketches, scale: scale) else { return [] }
        let (point, _) = points.scaled(EmbeddingSketch.fold(embedding))
        var bound = Float.infinity
        for (slot, sketch) in queriedSketches.sortedRows where slot < policy.batch.memory {
            guard sketch.dimension == embedding.count, !(sketch.digest.map { digests.contains($0) } ?? true),
                let other = PointMatrix([sketch], scale: scale)
            else { continue }
            bound = min(bound, other.squaredDistance(0, toPoint: point))
        }
        let near = rows.indices.map { (distance: points.squaredDistance($0, toPoint: point), row: $0) }
            .filter { $0.distance <= bound }
            .sorted { $0 < $1 }
        return near.prefix(5).map { rows[$0.row] }
    }
}

extension AcquisitionPolicy {
    /// Whether some candidates are selected last whatever their score.
    var setsAside: Bool { edition >= 2 && (stream != nil || (isDiverse && function != .random)) }
}
