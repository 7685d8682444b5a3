public import Vocabulary

/// Votes, time and money spent and reserved. In every window spent + reserved never exceeds the budget plus the amount
/// carried over.
///
/// A task reserves as many votes as it may need when it is opened, with the most that each may cost; each answer
/// converts one reserved vote into a spent one at its actual cost, and closing the task releases the rest. A
/// reservation may outlast its window: it counts in the next one until it is settled.
public struct BudgetLedger: Hashable, Sendable {
    /// Start of the current window.
    public var windowStart: StreamTime
    public var votes: BudgetAccount
    /// Account of time, in milliseconds.
    public var time: BudgetAccount
    /// Account of money, in millionths of its unit.
    public var money: BudgetAccount

    /// Votes given in the current window.
    public var spent: Int { Int(votes.spent) }
    /// Votes reserved for open tasks, in whichever window they were opened.
    public var reserved: Int { Int(votes.reserved) }
    /// All votes ever spent.
    public var totalSpent: Int { Int(votes.totalSpent) }

    public init(windowStart: StreamTime, spent: Int = 0, reserved: Int = 0, totalSpent: Int = 0) {
        self.init(
            windowStart: windowStart,
            votes: BudgetAccount(spent: Int64(spent), reserved: Int64(reserved), totalSpent: Int64(totalSpent))
        )
    }

    public init(
        windowStart: StreamTime,
        votes: BudgetAccount,
        time: BudgetAccount = BudgetAccount(),
        money: BudgetAccount = BudgetAccount()
    ) {
        self.windowStart = windowStart
        self.votes = votes
        self.time = time
        self.money = money
    }

    /// Opens the window that contains `now`; unused budget is carried over as far as allowed.
    public mutating func advance(to now: StreamTime, budget: LabelBudget) {
        let elapsed = now.milliseconds(since: windowStart)
        guard budget.window > 0, elapsed >= budget.window else { return }
        let windows = elapsed / budget.window
        windowStart = windowStart.advanced(byMilliseconds: windows * budget.window)
        votes.close(windows: windows, of: Int64(budget.votes), carrying: budget.carriedWindows)
        time.close(windows: windows, of: budget.time, carrying: budget.carriedWindows)
        money.close(windows: windows, of: budget.money, carrying: budget.carriedWindows)
    }

    /// Number of further tasks of `count` votes each that the budget covers; 0 if the budget was lowered after more was
    /// reserved.
    public func affordableTasks(votes count: Int, cost: VoteCost, of budget: LabelBudget) -> Int {
        // Tasks that cost nothing would always be affordable: a budget of 0 means that nothing is to be queried.
        guard budget.time != 0, budget.money != 0 else { return 0 }
        let count = Int64(max(1, count))
        var tasks = votes.available(of: Int64(budget.votes)) / count
        let (time, money) = (cost.maximumTime.multiplied(by: count), cost.maximumMoney.multiplied(by: count))
        if time > 0 { tasks = min(tasks, self.time.available(of: budget.time) / time) }
        if money > 0 { tasks = min(tasks, self.money.available(of: budget.money) / money) }
        return Int(tasks)
    }

    /// Reserves the votes of one task; returns false and reserves nothing if the budget does not cover them.
    public mutating func reserve(_ count: Int, cost: VoteCost = .free, of budget: LabelBudget) -> Bool {
        guard count >= 0 else { return false }
        guard count == 0 || affordableTasks(votes: count, cost: cost, of: budget) > 0 else { return false }
        votes.reserved = votes.reserved.adding(Int64(count))
        // Without a budget nothing bounds the sum: it may wrap around, and wraps back as it is released.
        time.reserved = time.reserved &+ cost.maximumTime &* Int64(count)
        money.reserved = money.reserved &+ cost.maximumMoney &* Int64(count)
        return true
    }

    /// Counts one reserved vote as spent.
    ///
    /// - Parameters:
    ///   - cost: Cost as it was reserved.
    ///   - taken: Milliseconds that the annotator needed, if the tool reports them. Time beyond the reserved time is
    ///     not charged.
    public mutating func spend(cost: VoteCost = .free, taken: Int64? = nil) {
        let charged = cost.time(taken: taken)
        votes.spend(1, of: 1)
        time.spend(charged, of: cost.maximumTime)
        money.spend(cost.money(for: charged), of: cost.maximumMoney)
    }

    /// Charges a declined task: no vote, but the time that the annotator needed, and the cost of its seconds. The
    /// reservation of the task is kept.
    ///
    /// - Parameters:
    ///   - cost: Cost that the task reserved for a vote.
    ///   - taken: Milliseconds that the annotator needed, as for a vote.
    public mutating func spendOnDecline(cost: VoteCost, taken: Int64?) {
        let charged = cost.time(taken: taken)
        time.spend(charged, of: 0)
        money.spend(cost.money(for: charged) - cost.perVote, of: 0)
    }

    /// Releases reserved votes that will not be given.
    public mutating func release(_ count: Int, cost: VoteCost = .free) {
        votes.reserved = votes.reserved.subtracting(Int64(count))
        time.reserved = time.reserved &- cost.maximumTime &* Int64(count)
        money.reserved = money.reserved &- cost.maximumMoney &* Int64(count)
    }
}
