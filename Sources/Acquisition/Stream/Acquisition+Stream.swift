internal import Statistics
internal import Tables
internal import Vocabulary

/// Asking one by one: the rule decides as a candidate comes, and the pool holds only what is to be asked for.
extension AcquisitionState {
    /// Judges a candidate; one that is to be asked for waits in the pool until votes and room allow its task.
    ///
    /// A challenger's word on a sample is no event: it would count every sample twice.
    mutating func receiveStreamed(
        _ pooled: PooledCandidate,
        pending: Int,
        _ rule: StreamPolicy,
        _ votesPerTask: Int,
        _ policy: AcquisitionPolicy,
        _ context: EntryContext
    ) {
        let candidate = pooled.candidate
        let id = candidate.sample.id
        guard candidate.model?.role != .challenger, pool[id] == nil else { return }
        var leaving: SampleID?
        if pool.count >= policy.poolCapacity {
            // What waits for the quota of its slice gives way to what need not wait.
            guard let quotas = quotasOfPool(votesPerTask, policy, at: context.time),
                quotas.hasRoom(candidate.sample),
                let least = floor.first(of: pool, by: { PoolRank($1, quotas) }), !least.hasRoom
            else { return }
            leaving = least.id
        }
        var filter = stream.value ?? StreamFilter(rule)
        var generator = SplitMix64(seed: context.seed ^ 0x7374_7265_616d_2121)
        let propensity = filter.judge(
            score: candidate.score,
            confidence: candidate.output?.top.probability,
            pending: pending,
            policy: rule,
            using: &generator
        )
        stream.value = filter
        guard let propensity else { return }
        let quotas = poolBlock == nil ? nil : quotasOfPool(votesPerTask, policy, at: context.time)
        let wasBlocked = isPoolBlocked(quotas)
        defer { poolTook(candidate.sample, quotas, wasBlocked: wasBlocked) }
        if let leaving { pool[leaving] = nil }
        pool[id] = PooledCandidate(candidate: candidate, modelOrdinal: pooled.modelOrdinal, propensity: propensity)
    }

    /// The candidates that the rule chose, most useful first. What a batch's pool left behind was never judged, and goes.
    mutating func takeStreamed(
        _ count: Int,
        votesPerTask: Int,
        policy: AcquisitionPolicy,
        at time: StreamTime
    ) -> [PooledCandidate] {
        var chosen: [PooledCandidate] = []
        for (id, pooled) in pool.sortedRows {
            if pooled.propensity == nil { pool[id] = nil } else { chosen.append(pooled) }
        }
        chosen.sort { Self.isLessUseful($1, $0) }
        return Array(withinQuota(chosen, votesPerTask: votesPerTask, policy: policy, at: time).prefix(count))
    }
}
