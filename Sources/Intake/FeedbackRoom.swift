internal import Vocabulary

/// Limits the feedback of each project that enters its journal to `rollout.feedback_per_hour`, by drawing users.
///
/// Entries are kept for ever, and a million verdicts an hour provide little more information than ten thousand. The
/// rest of an hour's capacity determines the share of the users whose feedback is forwarded: all while the capacity is
/// at least half full, then half of them, a quarter, an eighth. The share halves as the capacity does, so that a steady
/// flood settles where as much is forwarded as the hour allows, and a sudden one uses no more than the capacity. The
/// share is no smaller than newly added capacity can carry: once a flood has ended, the feedback of the last minute
/// determines how many users are forwarded, however little capacity the flood has left. A user who is drawn at a share
/// is drawn at every larger one.
///
/// The capacity is kept in memory: a worker that restarts begins with full capacity.
struct FeedbackRoom {
    private struct Account {
        var entries: Double
        var last: Int64
        /// Feedback of the last minute, entered or not; older feedback counts less and less.
        var recent = 0.0
    }

    private static let minute = 60_000.0

    private static let hour = 3_600_000.0
    /// Bounded, because projects are created and removed while a worker keeps running.
    private static let capacity = 65_536
    /// The smallest share of users is 2 to the power of minus this.
    private static let maximumHalvings = 20

    private var accounts: [ProjectID: Account] = [:]
    /// Accounts that the pending transaction has changed, with their values before it; nil for new accounts.
    private var before: [ProjectID: Account?] = [:]

    /// Charges one feedback to the capacity, if its user is drawn.
    ///
    /// - Parameters:
    ///   - project: The project whose journal receives the feedback.
    ///   - limit: Entries an hour, above 0.
    ///   - draw: The user's draw, in `0..<1`, the same at every worker.
    ///   - time: Milliseconds; a step back counts as no elapsed time.
    ///   - share: The share of the traffic that this worker reads, in `0...1`: the worker has the same share of the
    ///     limit.
    /// - Returns: The share of the users that is currently forwarded, the probability with which this user was drawn;
    ///   nil if the user is not drawn, and nothing is charged.
    /// - Complexity: O(1).
    mutating func admit(_ project: ProjectID, limit: Int, draw: Double, at time: Int64, share: Double) -> Double? {
        let hourlyCapacity = max(1, Double(limit) * share)
        let known = accounts[project]
        var account = known ?? Account(entries: hourlyCapacity, last: time)
        account.entries = min(
            hourlyCapacity,
            account.entries + hourlyCapacity * Double(max(0, time - account.last)) / Self.hour
        )
        account.recent -= account.recent * min(1, Double(max(0, time - account.last)) / Self.minute)
        account.recent += 1
        account.last = time
        let carried = hourlyCapacity * Self.minute / Self.hour / account.recent
        let userShare = max(Self.userShare(account.entries / hourlyCapacity), Self.userShare(carried / 2))
        let isAdmitted = draw < userShare && account.entries >= 1
        if isAdmitted { account.entries -= 1 }
        if before[project] == nil { before[project] = .some(known) }
        if known == nil, accounts.count >= Self.capacity { accounts.removeAll() }
        accounts[project] = account
        return isAdmitted ? userShare : nil
    }

    /// Returns the share of the users that is forwarded when a given part of the capacity is left, in `0...1`.
    private static func userShare(_ left: Double) -> Double {
        var (share, level) = (1.0, 0.5)
        for _ in 0..<maximumHalvings where left < level {
            share /= 2
            level /= 2
        }
        return share
    }

    /// The transaction is committed.
    mutating func committed() { before.removeAll(keepingCapacity: true) }

    /// The transaction is aborted: the capacity that it used is restored.
    mutating func aborted() {
        for (project, account) in before { accounts[project] = account }
        before.removeAll(keepingCapacity: true)
    }
}
