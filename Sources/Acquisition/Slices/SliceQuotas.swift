internal import Strategies
internal import Tables
internal import Vocabulary

/// Free capacity within the quotas of slices at one time.
struct SliceQuotas: Sendable {
    /// Name of the account of the slices beyond those distinguished, which count together. The names of all other
    /// accounts begin with `=`, so that none equals this one.
    private static let others = "others"

    private let quota: SlicePolicy
    private let slices: Table<String, SliceAccount>
    private let windowStart: StreamTime
    private let votes: Int
    private let votesPerTask: Int
    private let time: StreamTime

    /// - Parameters:
    ///   - quota: The policy in force.
    ///   - slices: Votes that each slice has used.
    ///   - windowStart: Start of the window that contains `time`.
    ///   - votes: Votes of a window, for all slices together.
    ///   - votesPerTask: The most votes that a task may use.
    ///   - time: The current time.
    init(
        _ quota: SlicePolicy,
        slices: Table<String, SliceAccount>,
        windowStart: StreamTime,
        votes: Int,
        votesPerTask: Int,
        at time: StreamTime
    ) {
        self.quota = quota
        self.slices = slices
        self.windowStart = windowStart
        self.votes = votes
        self.votesPerTask = votesPerTask
        self.time = time
    }

    /// The account of a sample. A slice beyond those distinguished counts with all others like it; a slice that has a
    /// share of its own is always distinguished.
    static func account(
        of sample: Sample,
        _ quota: SlicePolicy,
        in slices: Table<String, SliceAccount>
    ) -> String {
        let slice = sample.metadata[quota.key] ?? ""
        let name = "=" + slice
        let isDistinguished = slices[name] != nil || slices.count < SlicePolicy.sliceLimit || quota.hasShare(for: slice)
        return isDistinguished ? name : others
    }

    /// The account of a sample, as it is now.
    func account(of sample: Sample) -> String { Self.account(of: sample, quota, in: slices) }

    /// Number of tasks that an account has free capacity for.
    func capacity(ofAccount name: String) -> Int {
        let account = slices[name]
        let share = quota.share(
            of: name == Self.others ? nil : String(name.dropFirst()),
            age: account.map { time.milliseconds(since: $0.firstQueriedAt) }
        )
        let budget = Int(share.millionths * Int64(votes) / LabelShare.whole)
        let taken = account.map { $0.windowStart == windowStart ? $0.votes : 0 } ?? 0
        return max(0, budget - taken) / max(1, votesPerTask)
    }

    /// Whether a task of the sample could be opened, as far as its slice is concerned.
    func hasRoom(_ sample: Sample) -> Bool { capacity(ofAccount: account(of: sample)) > 0 }

    /// The candidates, in their order, for which the quotas of their slices have free capacity.
    ///
    /// - Complexity: O(*n*).
    func filter(_ ranked: [PooledCandidate]) -> [PooledCandidate] {
        var capacities: [String: Int] = [:]
        var kept: [PooledCandidate] = []
        for pooled in ranked {
            let name = account(of: pooled.candidate.sample)
            let left = capacities[name] ?? capacity(ofAccount: name)
            capacities[name] = left - 1
            if left > 0 { kept.append(pooled) }
        }
        return kept
    }

    /// Time at which the next slice stops being new; nil if there is none, or if new slices have no share of their own.
    ///
    /// - Complexity: O(*n* log *n*) comparisons in the slices; O(1) if new slices have no share of their own.
    var nextAgeing: StreamTime? {
        guard quota.newShare != nil else { return nil }
        let ages = slices.smallest(slices.count) { AgeingRank(at: $1.firstQueriedAt, name: $0) }
        return ages.map { $0.at.advanced(byMilliseconds: quota.newFor) }.first { $0 > time }
    }

    /// Snapshot of these quotas: while they stay unchanged, every slice that has free capacity now still has it.
    var snapshot: QuotaSnapshot {
        QuotaSnapshot(
            quota: quota,
            revision: slices.revision,
            windowStart: windowStart,
            votes: votes,
            votesPerTask: votesPerTask,
            until: nextAgeing
        )
    }

    /// Whether nothing has changed the free capacity since a snapshot.
    func isUnchanged(since snapshot: QuotaSnapshot) -> Bool {
        snapshot.revision == slices.revision && snapshot.windowStart == windowStart && snapshot.votes == votes
            && snapshot.votesPerTask == votesPerTask && snapshot.quota == quota
            && snapshot.until.map { time < $0 } ?? true
    }

    private struct AgeingRank: Comparable {
        let at: StreamTime
        let name: String

        static func < (a: Self, b: Self) -> Bool { a.at != b.at ? a.at < b.at : a.name < b.name }
    }
}

/// Everything that the free capacity of slices depends on, except the slices themselves.
struct QuotaSnapshot: Sendable {
    let quota: SlicePolicy
    /// Revision of the table of slices.
    let revision: UInt64
    let windowStart: StreamTime
    let votes: Int
    let votesPerTask: Int
    /// Time at which the next slice stops being new; nil: never.
    let until: StreamTime?
}
