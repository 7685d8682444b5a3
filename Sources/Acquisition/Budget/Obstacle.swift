internal import Tables
public import Vocabulary

/// Why nothing more is asked just now.
public enum Obstacle: Hashable, Sendable {
    /// The window's budget is spent; the time is the next window's.
    case budgetSpent(until: StreamTime)
    /// The rest of the window's budget is reserved for open tasks.
    case budgetPromised
    /// No window will ever hold one task.
    case budgetTooSmall
    /// A batch would exceed the open-task limit.
    case openTasks
    /// No source has a candidate.
    case noCandidate
    /// All candidates belong to sources that have had their share of the tasks.
    case shares
    /// All candidates belong to slices that have had their share, until then.
    case quotas(until: StreamTime)
    /// A batch waits for a newer model's scores or a wider choice, until then at most.
    case patience(until: StreamTime)

    /// The number in the state that stands for the case, above 0; numbers are never given anew.
    var number: Int {
        switch self {
        case .budgetSpent: 1
        case .budgetPromised: 2
        case .budgetTooSmall: 3
        case .openTasks: 4
        case .noCandidate: 5
        case .shares: 6
        case .quotas: 7
        case .patience: 8
        }
    }

    /// Whether a person may have to do something: not where the budget is used up, which has a notice of its own, or where
    /// something is asked soon.
    func isWorthANotice(at time: StreamTime) -> Bool {
        switch self {
        case .budgetSpent, .budgetPromised: false
        case .budgetTooSmall, .openTasks, .noCandidate, .shares: true
        case .quotas(let until), .patience(let until): until.milliseconds(since: time) > Self.soon
        }
    }

    /// Milliseconds.
    private static let soon: Int64 = 600_000
}

extension AcquisitionState {
    /// Why nothing is asked at the context's time; nil where something is due.
    ///
    /// - Complexity: O(1), with quotas O(*poolCapacity*).
    public func obstacle(_ context: SelectionContext) -> Obstacle? {
        let policy = context.policy
        if isExhausted(context) {
            let most = policy.budget.mostTasks(votes: context.votesPerTask, cost: policy.voteCost)
            if most == 0 { return .budgetTooSmall }
            return context.openTasks > 0 ? .budgetPromised : .budgetSpent(until: accounts.windowEnd(policy))
        }
        guard context.hasRoom() else { return .openTasks }
        guard hasCandidates(context) else {
            return pool.isEmpty && audit.isEmpty && triggers.isEmpty ? .noCandidate : .shares
        }
        var asking = EarliestAsking(room(context))
        readSources(&asking, context)
        switch asking.earliest {
        case .never: return .shares
        case .at(let time): return .quotas(until: time)
        case .afterPatience:
            let since = accounts.cadence.value.waitingSince ?? context.time
            let until = since.advanced(byMilliseconds: patience(context))
            return until > context.time ? .patience(until: until) : nil
        }
    }

    /// Looks, where there is traffic, whether nothing has been asked for a minute; to be called after `selectBatch`.
    ///
    /// - Returns: What to tell people: each reason once in the hour after the first, and at most one in ten seconds.
    /// - Complexity: O(1) but for one call in ten seconds of the stream's time.
    public mutating func tellIdleness(_ context: SelectionContext) -> Obstacle? {
        var watch = accounts.idleness.value
        let now = context.time
        guard context.policy.edition >= 2, now.milliseconds(since: watch.lookedAt) >= IdleWatch.interval else {
            return nil
        }
        let hadTraffic = now.milliseconds(since: watch.lookedAt) <= IdleWatch.patience
        watch.lookedAt = now
        defer { accounts.idleness.value = watch }
        guard let obstacle = obstacle(context), obstacle.isWorthANotice(at: now) else {
            watch.since = nil
            return nil
        }
        let since = hadTraffic ? max(watch.since ?? now, accounts.cadence.value.lastBatchAt) : now
        watch.since = since
        guard now.milliseconds(since: since) >= IdleWatch.patience else { return nil }
        if watch.told == 0 || now.milliseconds(since: watch.toldAt) >= IdleWatch.repetition {
            (watch.told, watch.toldAt) = (0, now)
        }
        guard watch.told & 1 << obstacle.number == 0 else { return nil }
        watch.told |= 1 << obstacle.number
        return obstacle
    }
}

/// Since when a project with traffic has asked nothing, and what was told of it.
public struct IdleWatch: Hashable, Sendable {
    /// When it was last looked at; 1970 before the first time.
    public var lookedAt: StreamTime
    /// Since when nothing could be asked, as far as looked; nil where something was.
    public var since: StreamTime?
    /// The obstacles told since `toldAt`, by the bits of their numbers; 0 before the first.
    public var told: Int
    /// When the first of them was told; all may be told again an hour later.
    public var toldAt: StreamTime

    /// Milliseconds between two looks.
    static let interval: Int64 = 10_000
    /// Milliseconds that nothing is asked before a reason is told.
    static let patience: Int64 = 60_000
    /// Milliseconds from the first reason told until all may be told again.
    static let repetition: Int64 = 3_600_000

    public init(
        lookedAt: StreamTime = StreamTime(milliseconds: 0),
        since: StreamTime? = nil,
        told: Int = 0,
        toldAt: StreamTime = StreamTime(milliseconds: 0)
    ) {
        self.lookedAt = lookedAt
        self.since = since
        self.told = told
        self.toldAt = toldAt
    }
}
