internal import Tables
internal import Vocabulary

/// That nothing in a table has room within the quotas, a cache: in a project whose quotas bind this is so for most of a window,
/// and is asked after every entry.
struct QuotaBlock: Sendable {
    /// Of the table.
    var revision: UInt64
    let mark: QuotaMark

    func holds(_ revision: UInt64, _ quotas: SliceQuotas) -> Bool {
        self.revision == revision && quotas.keeps(mark)
    }
}

extension AcquisitionState {
    /// Finds out what quotas keep back whole.
    ///
    /// - Complexity: O(1) while they do and nothing has changed; else O(*n*), up to the first row with room.
    mutating func lookAtQuotas(_ votesPerTask: Int, _ policy: AcquisitionPolicy, at time: StreamTime) {
        guard let quotas = quotas(votesPerTask, policy, at: time) else {
            (poolBlock, triggeredBlock) = (nil, nil)
            return
        }
        if !isPoolBlocked(quotas) {
            let hasRoom = pool.contains { quotas.hasRoom($1.candidate.sample) }
            poolBlock = hasRoom ? nil : QuotaBlock(revision: pool.revision, mark: quotas.mark)
        }
        if !isTriggeredBlocked(quotas) {
            let hasRoom = triggered.contains { quotas.hasRoom($1.pooled.candidate.sample) }
            triggeredBlock = hasRoom ? nil : QuotaBlock(revision: triggered.revision, mark: quotas.mark)
        }
    }

    func isPoolBlocked(_ quotas: SliceQuotas?) -> Bool {
        guard let poolBlock, let quotas else { return false }
        return poolBlock.holds(pool.revision, quotas)
    }

    func isTriggeredBlocked(_ quotas: SliceQuotas?) -> Bool {
        guard let triggeredBlock, let quotas else { return false }
        return triggeredBlock.holds(triggered.revision, quotas)
    }

    /// What was kept back before the pool took a row is so still, if the row has no room either.
    mutating func poolTook(_ sample: Sample, _ quotas: SliceQuotas?, wasBlocked: Bool) {
        guard wasBlocked, let quotas, !quotas.hasRoom(sample) else { return }
        poolBlock?.revision = pool.revision
    }
}
