public import Vocabulary

/// Votes, time and money bought and promised. In every window spent + reserved never exceeds the budget and what was
/// carried over.
///
/// A task reserves as many votes as it may need when it is opened, with the most that each may cost; each answer turns one
/// reserved vote into a spent one at what it did cost, and closing releases what is left. A reservation outlives its
/// window: it counts in the next one until it is settled.
public struct BudgetLedger: Hashable, Sendable {
    /// When the current window began.
    public var windowStart: StreamTime
    public var votes: BudgetAccount
    /// In milliseconds.
    public var time: BudgetAccount
    /// In millionths of the unit of money.
    public var money: BudgetAccount

    /// Votes given in the current window.
    public var spent: Int { Int(votes.spent) }
    /// Votes promised to open tasks, whenever these were opened.
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

    /// Opens the window that `time` falls in; unused budget goes with it as far as it may be carried.
    public mutating func advance(to now: StreamTime, budget: LabelBudget) {
        let elapsed = now.milliseconds(since: windowStart)
        guard budget.window > 0, elapsed >= budget.window else { return }
        let windows = elapsed / budget.window
        windowStart = windowStart.advanced(byMilliseconds: windows * budget.window)
        votes.close(windows: windows, of: Int64(budget.votes), carrying: budget.carriedWindows)
        time.close(windows: windows, of: budget.time, carrying: budget.carriedWindows)
        money.close(windows: windows, of: budget.money, carrying: budget.carriedWindows)
    }

    /// How many more tasks of so many votes the budget holds; 0 when a lower budget came while more was promised.
    public func affordableTasks(votes count: Int, cost: VoteCost, of budget: LabelBudget) -> Int {
        // What costs nothing could always be had: a budget of nothing says that nobody is to be asked.
        guard budget.time != 0, budget.money != 0 else { return 0 }
        let count = Int64(max(1, count))
        var tasks = votes.available(of: Int64(budget.votes)) / count
        let (time, money) = (cost.maximumTime.multiplied(by: count), cost.maximumMoney.multiplied(by: count))
        if time > 0 { tasks = min(tasks, self.time.available(of: budget.time) / time) }
        if money > 0 { tasks = min(tasks, self.money.available(of: budget.money) / money) }
        return Int(tasks)
    }

    /// Promises the votes of one task; false, and nothing, when the budget does not hold them.
    public mutating func reserve(_ count: Int, cost: VoteCost = .free, of budget: LabelBudget) -> Bool {
        guard count >= 0 else { return false }
        guard count == 0 || affordableTasks(votes: count, cost: cost, of: budget) > 0 else { return false }
        votes.reserved = votes.reserved.adding(Int64(count))
        // Where there is no budget nothing bounds the sum: it may wrap around, and comes back as it is released.
        time.reserved = time.reserved &+ cost.maximumTime &* Int64(count)
        money.reserved = money.reserved &+ cost.maximumMoney &* Int64(count)
        return true
    }

    /// One reserved vote was given.
    ///
    /// - Parameters:
    ///   - cost: As it was reserved.
    ///   - taken: How long the annotator took, in milliseconds, if the tool says. Time beyond the reserved is not charged.
    public mutating func spend(cost: VoteCost = .free, taken: Int64? = nil) {
        let charged = cost.time(taken: taken)
        votes.spend(1, of: 1)
        time.spend(charged, of: cost.maximumTime)
        money.spend(cost.money(for: charged), of: cost.maximumMoney)
    }

    /// Somebody declined a task: no vote, but the time that it took, and what its seconds cost. What the task reserved stays.
    ///
    /// - Parameters:
    ///   - cost: As a vote of the task reserved it.
    ///   - taken: As for a vote.
    public mutating func spendOnDecline(cost: VoteCost, taken: Int64?) {
        let charged = cost.time(taken: taken)
        time.spend(charged, of: 0)
        money.spend(cost.money(for: charged) - cost.perVote, of: 0)
    }

    /// Reserved votes that nobody will give.
    public mutating func release(_ count: Int, cost: VoteCost = .free) {
        votes.reserved = votes.reserved.subtracting(Int64(count))
        time.reserved = time.reserved &- cost.maximumTime &* Int64(count)
        money.reserved = money.reserved &- cost.maximumMoney &* Int64(count)
    }
}
