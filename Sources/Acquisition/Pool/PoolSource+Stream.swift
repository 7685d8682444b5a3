internal import Kinds
internal import Statistics
internal import Strategies
internal import Tables
internal import Vocabulary

/// Queries one by one: the rule decides when a candidate arrives, and the pool holds only the candidates that are to be
/// queried.
extension PoolSource {
    /// Judges a candidate; one that is to be queried waits in the pool until votes and free capacity allow its task.
    ///
    /// A challenger's prediction for a sample is no event: it would count every sample twice.
    mutating func judge(
        _ pooled: PooledCandidate,
        by rule: StreamPolicy,
        accounts: inout TaskAccounts,
        in context: SelectionContext
    ) {
        let candidate = pooled.candidate
        let id = candidate.sample.id
        guard candidate.model?.role != .challenger, candidates[id] == nil else { return }
        guard isJudged(candidate.sample, rule, context.policy) else { return }
        var evicted: SampleID?
        if candidates.count >= context.policy.poolCapacity {
            // A candidate that waits for the quota of its slice is evicted for one that need not wait.
            guard let quotas = quotas(&accounts, context), quotas.hasRoom(candidate.sample),
                let least = leastUseful(quotas), !least.hasRoom
            else { return }
            evicted = least.id
        }
        var filter = stream.value ?? StreamFilter(rule)
        var generator = SplitMix64(seed: context.entry.seed ^ 0x7374_7265_616d_2121)
        let propensity = filter.judge(
            score: candidate.score,
            confidence: candidate.output?.confidence,
            pending: context.unlearnedLabels,
            policy: rule,
            using: &generator
        )
        stream.value = filter
        guard let propensity else { return }
        let quotas = blockedAtLastCheck ? quotas(&accounts, context) : nil
        let wasBlocked = isBlocked(quotas)
        defer { maintainBlock(afterAdding: pooled, quotas, wasBlocked: wasBlocked) }
        if let evicted { remove(evicted) }
        candidates[id] = PooledCandidate(
            candidate: candidate,
            modelVersionNumber: pooled.modelVersionNumber,
            propensity: propensity
        )
    }

    /// Whether a candidate is an event of the stream at all. A candidate near a queried sample or among unanswerable
    /// ones is not, except for every hundredth; a copy never is.
    private mutating func isJudged(_ sample: Sample, _ rule: StreamPolicy, _ policy: AcquisitionPolicy) -> Bool {
        guard reason(toSetAside: sample, policy) != nil else { return true }
        if let embedding = sample.embedding, sampleCache.known.likeness(of: embedding) == .copy { return false }
        var filter = stream.value ?? StreamFilter(rule)
        let isJudged = filter.passOver()
        stream.value = filter
        return isJudged
    }

    /// The candidates that the rule chose, most useful first. Candidates that remain from a batch's pool were never
    /// judged, and are removed.
    mutating func selectStreamed(_ count: Int, _ quotas: SliceQuotas?) -> [PooledCandidate] {
        var chosen: [PooledCandidate] = []
        for (id, pooled) in candidates.sortedRows {
            if pooled.propensity == nil { remove(id) } else { chosen.append(pooled) }
        }
        chosen.sort { $1.isLessUseful(than: $0) }
        return Array((quotas?.filter(chosen) ?? chosen).prefix(count))
    }
}
