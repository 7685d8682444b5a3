internal import Vocabulary

/// Holds the feedback of each project that enters its journal to `rollout.feedback_per_hour`, by drawing users.
///
/// Entries stay for ever, and a million verdicts an hour say little more than ten thousand do. What is left of an hour's room says
/// which share of the users goes on: all while it is at least half full, then half of them, a quarter, an eighth. The share
/// halves as the room does, so that a steady flood comes to rest where as much goes on as the hour allows, and a sudden one takes
/// no more than the room. It is no smaller than what comes anew can carry: once a flood has ended, what came in the last minute
/// says how many users go on, however empty it has left the room. Whoever is drawn at a share is drawn at every larger one.
///
/// It lives in memory: a worker that restarts begins with a full one.
struct FeedbackRoom {
    private struct Account {
        var entries: Double
        var last: Int64
        /// Feedback of the last minute, entered or not; what is older counts less and less.
        var recent = 0.0
    }

    private static let minute = 60_000.0

    private static let hour = 3_600_000.0
    /// Projects come and go; a worker does not.
    private static let capacity = 65_536
    /// The smallest share of users is 2 to the power of minus this.
    private static let mostHalvings = 20

    private var accounts: [ProjectID: Account] = [:]
    /// Accounts that the pending transaction has changed, with their values before it; nil for new accounts.
    private var before: [ProjectID: Account?] = [:]

    /// Takes the room of one feedback, if its user is drawn.
    ///
    /// - Parameters:
    ///   - project: Whose journal it goes to.
    ///   - limit: Entries an hour, above 0.
    ///   - draw: Of the user, in `0..<1`, the same at every worker.
    ///   - time: Milliseconds; going back counts as standing still.
    ///   - share: The part of the traffic that this worker sees, in `0...1`: of the limit it has as much.
    /// - Returns: The share of the users that goes on now, the probability with which this one was drawn; nil where it is not, and
    ///   nothing is taken.
    /// - Complexity: O(1).
    mutating func take(_ project: ProjectID, limit: Int, draw: Double, at time: Int64, share: Double) -> Double? {
        let most = max(1, Double(limit) * share)
        let known = accounts[project]
        var account = known ?? Account(entries: most, last: time)
        account.entries = min(most, account.entries + most * Double(max(0, time - account.last)) / Self.hour)
        account.recent -= account.recent * min(1, Double(max(0, time - account.last)) / Self.minute)
        account.recent += 1
        account.last = time
        let carried = most * Self.minute / Self.hour / account.recent
        let drawn = max(Self.drawn(account.entries / most), Self.drawn(carried / 2))
        let isTaken = draw < drawn && account.entries >= 1
        if isTaken { account.entries -= 1 }
        if before[project] == nil { before[project] = .some(known) }
        if known == nil, accounts.count >= Self.capacity { accounts.removeAll() }
        accounts[project] = account
        return isTaken ? drawn : nil
    }

    /// The share of the users that goes on where so much of the room is left, in `0...1`.
    private static func drawn(_ left: Double) -> Double {
        var (share, level) = (1.0, 0.5)
        for _ in 0..<mostHalvings where left < level {
            share /= 2
            level /= 2
        }
        return share
    }

    /// The transaction stands.
    mutating func committed() { before.removeAll(keepingCapacity: true) }

    /// The transaction does not stand: what it took comes again.
    mutating func aborted() {
        for (project, account) in before { accounts[project] = account }
        before.removeAll(keepingCapacity: true)
    }
}
