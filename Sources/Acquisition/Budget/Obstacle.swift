internal import Tables
public import Vocabulary

/// Reason for which no further query is made at present.
public enum Obstacle: Hashable, Sendable {
    /// The window's budget is spent; the time is the next window's.
    case budgetSpent(until: StreamTime)
    /// The rest of the window's budget is reserved for open tasks.
    case budgetReserved
    /// No window will ever hold one task.
    case budgetTooSmall
    /// A batch would exceed the open-task limit.
    case openTasks
    /// No source has a candidate.
    case noCandidate
    /// All candidates belong to sources that have used their share of the tasks.
    case shares
    /// All candidates belong to slices that have used their share, until that time.
    case quotas(until: StreamTime)
    /// A batch waits for a newer model's scores or a wider choice, until then at most.
    case waiting(until: StreamTime)

    /// Number of the case in the state, above 0; numbers are never reused.
    var number: Int {
        switch self {
        case .budgetSpent: 1
        case .budgetReserved: 2
        case .budgetTooSmall: 3
        case .openTasks: 4
        case .noCandidate: 5
        case .shares: 6
        case .quotas: 7
        case .waiting: 8
        }
    }

    /// Whether a person may have to act: false if the budget is used up, which has a notice of its own, and if the next
    /// query is due soon.
    func isWorthANotice(at time: StreamTime) -> Bool {
        switch self {
        case .budgetSpent, .budgetReserved: false
        case .budgetTooSmall, .openTasks, .noCandidate, .shares: true
        case .quotas(let until), .waiting(let until): until.milliseconds(since: time) > Self.soon
        }
    }

    /// Milliseconds up to which the next query counts as due soon.
    private static let soon: Int64 = 600_000
}

extension AcquisitionState {
    /// Reason for which nothing is queried at the context's time; nil if a query is due.
    ///
    /// - Complexity: O(1), with quotas O(*poolCapacity*).
    public func obstacle(_ context: SelectionContext) -> Obstacle? {
        let policy = context.policy
        if isExhausted(context) {
            let most = policy.budget.mostTasks(votes: context.votesPerTask, cost: policy.voteCost)
            if most == 0 { return .budgetTooSmall }
            return context.openTasks > 0 ? .budgetReserved : .budgetSpent(until: accounts.windowEnd(policy))
        }
        guard context.hasRoom() else { return .openTasks }
        guard hasCandidates(context) else {
            return pool.isEmpty && audit.isEmpty && triggers.isEmpty ? .noCandidate : .shares
        }
        var queryTime = EarliestQueryTime(room(context))
        readSources(&queryTime, context)
        switch queryTime.earliest {
        case .never: return .shares
        case .at(let time): return .quotas(until: time)
        case .afterMaximumWait:
            let since = accounts.schedule.value.waitingSince ?? context.time
            let until = since.advanced(byMilliseconds: maximumWait(context))
            return until > context.time ? .waiting(until: until) : nil
        }
    }

    /// Checks, while there is traffic, whether nothing has been queried for a minute; to be called after `selectBatch`.
    ///
    /// - Returns: The reason to report to people: each reason once in the hour after the first, and at most one in ten
    ///   seconds.
    /// - Complexity: O(1) except for one call in ten seconds of the stream's time.
    public mutating func checkIdleness(_ context: SelectionContext) -> Obstacle? {
        var watch = accounts.idleness.value
        let now = context.time
        guard context.policy.edition >= 2, now.milliseconds(since: watch.checkedAt) >= IdleWatch.interval else {
            return nil
        }
        let hadTraffic = now.milliseconds(since: watch.checkedAt) <= IdleWatch.reportAfter
        watch.checkedAt = now
        defer { accounts.idleness.value = watch }
        guard let obstacle = obstacle(context), obstacle.isWorthANotice(at: now) else {
            watch.since = nil
            return nil
        }
        let since = hadTraffic ? max(watch.since ?? now, accounts.schedule.value.lastBatchAt) : now
        watch.since = since
        guard now.milliseconds(since: since) >= IdleWatch.reportAfter else { return nil }
        if watch.reported == 0 || now.milliseconds(since: watch.reportedAt) >= IdleWatch.repetition {
            (watch.reported, watch.reportedAt) = (0, now)
        }
        guard watch.reported & 1 << obstacle.number == 0 else { return nil }
        watch.reported |= 1 << obstacle.number
        return obstacle
    }
}

/// Time since which a project with traffic has queried nothing, and the reasons reported for it.
public struct IdleWatch: Hashable, Sendable {
    /// Time of the last check; 1970 before the first.
    public var checkedAt: StreamTime
    /// Time since which no query was possible, as far as checked; nil if one was.
    public var since: StreamTime?
    /// The obstacles reported since `reportedAt`, as a bit set of their numbers; 0 before the first.
    public var reported: Int
    /// Time at which the first of them was reported; all may be reported again an hour later.
    public var reportedAt: StreamTime

    /// Milliseconds between two checks.
    static let interval: Int64 = 10_000
    /// Milliseconds without a query before a reason is reported.
    static let reportAfter: Int64 = 60_000
    /// Milliseconds from the first reported reason until all may be reported again.
    static let repetition: Int64 = 3_600_000

    public init(
        checkedAt: StreamTime = StreamTime(milliseconds: 0),
        since: StreamTime? = nil,
        reported: Int = 0,
        reportedAt: StreamTime = StreamTime(milliseconds: 0)
    ) {
        self.checkedAt = checkedAt
        self.since = since
        self.reported = reported
        self.reportedAt = reportedAt
    }
}
