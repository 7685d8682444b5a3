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
        guard let quota = policy.slices else { return ranked }
        var room: [String: Int] = [:]
        var kept: [PooledCandidate] = []
        for pooled in ranked {
            let name = sliceName(pooled.candidate.sample, quota)
            let left = room[name] ?? roomLeft(name, votesPerTask, quota, policy, at: time)
            room[name] = left - 1
            if left > 0 { kept.append(pooled) }
        }
        return kept
    }

    /// A task for training was opened.
    mutating func countSlice(_ sample: Sample, votes: Int, policy: AcquisitionPolicy, at time: StreamTime) {
        guard let quota = policy.slices else { return }
        let name = sliceName(sample, quota)
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
        let name = sliceName(sample, quota)
        guard var account = slices[name], openedAt >= account.windowStart else { return }
        account.votes = max(0, account.votes - votes)
        slices[name] = account
    }

    /// Whether every candidate of the pool waits for a quota alone.
    func isQuotaSpent(votesPerTask: Int, policy: AcquisitionPolicy) -> Bool {
        guard policy.slices != nil, !pool.isEmpty else { return false }
        let time = ledger.value.windowStart
        return withinQuota(pool.sortedRows.map(\.value), votesPerTask: votesPerTask, policy: policy, at: time).isEmpty
    }

    private func roomLeft(
        _ name: String,
        _ votesPerTask: Int,
        _ quota: SlicePolicy,
        _ policy: AcquisitionPolicy,
        at time: StreamTime
    ) -> Int {
        let account = slices[name]
        let share = quota.share(
            of: String(name.dropFirst()),
            age: account.map { time.milliseconds(since: $0.firstAskedAt) }
        )
        let budget = Int(share.millionths * Int64(policy.votes) / LabelShare.whole)
        let taken = account.map { $0.windowStart == ledger.value.windowStart ? $0.votes : 0 } ?? 0
        return max(0, budget - taken) / max(1, votesPerTask)
    }

    /// A slice beyond those told apart counts with all others like it.
    private func sliceName(_ sample: Sample, _ quota: SlicePolicy) -> String {
        // With a sign in front no name is empty, and none is that of the others.
        let name = "=" + (sample.metadata[quota.key] ?? "")
        return slices[name] != nil || slices.count < SlicePolicy.sliceLimit ? name : Self.otherSlices
    }

    private static let otherSlices = "others"
}
