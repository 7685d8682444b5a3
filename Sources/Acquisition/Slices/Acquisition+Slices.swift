internal import Tables
public import Vocabulary

/// What one slice has taken of the current window.
public struct SliceAccount: Hashable, Sendable {
    /// When its first task was opened.
    public var firstAskedAt: StreamTime
    /// The window that `votes` belong to.
    public var windowStart: StreamTime
    /// Votes given to tasks opened in that window, or promised to them.
    public var votes: Int

    public init(firstAskedAt: StreamTime, windowStart: StreamTime, votes: Int = 0) {
        self.firstAskedAt = firstAskedAt
        self.windowStart = windowStart
        self.votes = votes
    }
}

/// Quotas of slices. The audit sample has none: it must stay an image of the traffic.
extension AcquisitionState {
    /// The candidates, in their order, that the quotas of their slices leave room for.
    ///
    /// - Complexity: O(*n*).
    func withinQuota(
        _ ranked: [PooledCandidate],
        votesPerTask: Int,
        policy: AcquisitionPolicy,
        at time: StreamTime
    ) -> [PooledCandidate] {
        guard let quotas = quotas(votesPerTask, policy, at: time) else { return ranked }
        var room: [String: Int] = [:]
        var kept: [PooledCandidate] = []
        for pooled in ranked {
            let name = quotas.account(of: pooled.candidate.sample)
            let left = room[name] ?? quotas.room(name)
            room[name] = left - 1
            if left > 0 { kept.append(pooled) }
        }
        return kept
    }

    /// What quotas leave room for in the ledger's window; nil where there are none.
    func quotas(_ votesPerTask: Int, _ policy: AcquisitionPolicy, at time: StreamTime) -> SliceQuotas? {
        policy.slices.map {
            SliceQuotas(
                $0,
                slices: slices,
                windowStart: ledger.value.windowStart,
                votes: policy.votes,
                votesPerTask: votesPerTask,
                at: time
            )
        }
    }

    /// The same for the pool, which must know which of its rows to do without when it is full.
    mutating func quotasOfPool(
        _ votesPerTask: Int,
        _ policy: AcquisitionPolicy,
        at time: StreamTime
    ) -> SliceQuotas? {
        // The entry may be the first of a window.
        if policy.slices != nil { ledger.value.advance(to: time, budget: policy.budget) }
        let quotas = quotas(votesPerTask, policy, at: time)
        let isKept = floorMark.map { mark in quotas.map { $0.keeps(mark) } ?? false } ?? (quotas == nil)
        if !isKept {
            floor = Foremost()
            floorMark = quotas?.mark
        }
        return quotas
    }

    /// Where there is no room for another slice, those go that took nothing of this window and are new no longer: which they
    /// are if they come back.
    ///
    /// - Complexity: O(*n*) in the slices where there is no room, else O(1).
    mutating func makeRoomForSlices(_ policy: AcquisitionPolicy, at time: StreamTime) {
        guard let quota = policy.slices, slices.count >= SlicePolicy.sliceLimit else { return }
        let start = ledger.value.windowStart
        func isPast(_ account: SliceAccount) -> Bool {
            guard account.windowStart != start else { return false }
            // Where new slices have no share of their own, to be new again means nothing.
            return quota.newShare == nil || time.milliseconds(since: account.firstAskedAt) >= quota.newFor
        }
        guard slices.count(where: { isPast($1) }) > 0 else { return }
        for (name, account) in slices.sortedRows where isPast(account) { slices[name] = nil }
    }

    /// A revision came: accounts of another key's slices say nothing of its own.
    public mutating func configured(_ policy: AcquisitionPolicy, after old: AcquisitionPolicy) {
        guard policy.slices?.key != old.slices?.key else { return }
        for name in slices.sortedKeys { slices[name] = nil }
    }

    /// A task for training was opened.
    mutating func countSlice(_ sample: Sample, votes: Int, policy: AcquisitionPolicy, at time: StreamTime) {
        guard let quota = policy.slices else { return }
        let name = SliceQuotas.account(of: sample, quota, in: slices)
        let start = ledger.value.windowStart
        var account = slices[name] ?? SliceAccount(firstAskedAt: time, windowStart: start)
        if account.windowStart != start { account.votes = 0 }
        account.windowStart = start
        account.votes += votes
        slices[name] = account
    }

    /// Votes that nobody will give return to the slice, if its task was opened in the current window.
    public mutating func sliceReleased(
        _ sample: Sample,
        votes: Int,
        openedAt: StreamTime,
        policy: AcquisitionPolicy
    ) {
        guard let quota = policy.slices else { return }
        let name = SliceQuotas.account(of: sample, quota, in: slices)
        // Before the account's first task none was charged to it.
        guard var account = slices[name], openedAt >= account.windowStart, openedAt >= account.firstAskedAt else {
            return
        }
        account.votes = max(0, account.votes - votes)
        slices[name] = account
    }

    /// Whether every candidate of the pool waits for a quota alone.
    func isQuotaSpent(votesPerTask: Int, policy: AcquisitionPolicy, at time: StreamTime) -> Bool {
        guard let quotas = quotas(votesPerTask, policy, at: time), !pool.isEmpty else { return false }
        return isPoolBlocked(quotas) || !pool.contains { quotas.hasRoom($1.candidate.sample) }
    }
}
