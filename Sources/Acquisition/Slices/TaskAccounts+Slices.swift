internal import Strategies
internal import Tables
public import Vocabulary

/// Quotas of slices. The audit sample has none, because it must stay representative of the traffic.
extension TaskAccounts {
    /// Quotas of the ledger's window; nil where there are none.
    func quotas(_ context: SelectionContext) -> SliceQuotas? {
        context.policy.slices.map {
            SliceQuotas(
                $0,
                slices: slices,
                windowStart: ledger.value.windowStart,
                votes: context.policy.votes,
                votesPerTask: context.votesPerTask,
                at: context.time
            )
        }
    }

    /// Quotas of the window that contains the entry; the window opens if the entry is its first.
    mutating func quotasNow(_ context: SelectionContext) -> SliceQuotas? {
        guard context.policy.slices != nil else { return nil }
        ledger.value.advance(to: context.time, budget: context.policy.budget)
        return quotas(context)
    }

    /// Time at which quotas may allow more than now: the window's end, or the time at which a slice is no longer new
    /// and may have another share.
    func nextQuota(_ context: SelectionContext) -> StreamTime {
        let end = windowEnd(context.policy)
        return min(end, quotas(context)?.nextAgeing ?? end)
    }

    /// Removes slices that used nothing of this window and are no longer new, if there is no capacity for another
    /// slice: a slice that returns is new again.
    ///
    /// - Complexity: O(*n*) in the slices if there is no capacity, else O(1).
    mutating func makeRoomForSlices(_ context: SelectionContext) {
        guard let quota = context.policy.slices, slices.count >= SlicePolicy.sliceLimit else { return }
        let start = ledger.value.windowStart
        func isPast(_ account: SliceAccount) -> Bool {
            guard account.windowStart != start else { return false }
            // If new slices have no share of their own, being new again has no effect.
            return quota.newShare == nil || context.time.milliseconds(since: account.firstQueriedAt) >= quota.newFor
        }
        guard slices.count(where: { isPast($1) }) > 0 else { return }
        for (name, account) in slices.sortedRows where isPast(account) { slices[name] = nil }
    }

    /// Charges the votes of a new task for a training label to its slice.
    mutating func countSlice(_ sample: Sample, _ context: SelectionContext) {
        guard let quota = context.policy.slices else { return }
        let name = SliceQuotas.account(of: sample, quota, in: slices)
        let start = ledger.value.windowStart
        var account = slices[name] ?? SliceAccount(firstQueriedAt: context.time, windowStart: start)
        if account.windowStart != start { account.votes = 0 }
        account.windowStart = start
        account.votes += context.votesPerTask
        slices[name] = account
    }
}

extension AcquisitionState {
    /// Applies a revision: all accounts of slices are removed if the key has changed, and candidates are judged again
    /// if the reasons for setting them aside have.
    public mutating func configured(_ policy: AcquisitionPolicy, after old: AcquisitionPolicy) {
        if policy.setsAside != old.setsAside || policy.batch.duplicateDistance != old.batch.duplicateDistance {
            pool.reassessSetAside(policy)
        }
        guard policy.slices?.key != old.slices?.key else { return }
        for name in accounts.slices.sortedKeys { accounts.slices[name] = nil }
    }

    /// Credits the slice with votes that will not be given, if its task was opened in the current window.
    public mutating func sliceReleased(
        _ sample: Sample,
        votes: Int,
        openedAt: StreamTime,
        policy: AcquisitionPolicy
    ) {
        guard let quota = policy.slices else { return }
        let name = SliceQuotas.account(of: sample, quota, in: accounts.slices)
        // Tasks opened before the account's first task were not charged to it.
        guard var account = accounts.slices[name], openedAt >= account.windowStart, openedAt >= account.firstQueriedAt
        else { return }
        account.votes = max(0, account.votes - votes)
        accounts.slices[name] = account
    }
}
