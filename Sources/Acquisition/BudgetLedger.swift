public import Vocabulary

/// Votes bought and promised. In every window spent + reserved never exceeds the budget.
///
/// A task reserves as many votes as it may need when it is opened; each answer turns one reserved vote into a spent one,
/// and closing releases what is left. A reservation outlives its window: it counts in the next one until it is settled.
public struct BudgetLedger: Hashable, Sendable {
    /// When the current window began.
    public var windowStart: StreamTime
    /// Votes given in the current window.
    public var spent: Int
    /// Votes promised to open tasks, whenever these were opened.
    public var reserved: Int
    /// All votes ever spent.
    public var totalSpent: Int

    public init(windowStart: StreamTime, spent: Int = 0, reserved: Int = 0, totalSpent: Int = 0) {
        self.windowStart = windowStart
        self.spent = spent
        self.reserved = reserved
        self.totalSpent = totalSpent
    }

    /// Opens the window that `time` falls in.
    public mutating func advance(to time: StreamTime, window: Int64) {
        let elapsed = time.milliseconds(since: windowStart)
        guard window > 0, elapsed >= window else { return }
        windowStart = windowStart.advanced(byMilliseconds: elapsed / window * window)
        spent = 0
    }

    /// Votes that can still be promised; 0 when a lower budget came while more were promised.
    public func available(of budget: Int) -> Int { max(0, budget - spent - reserved) }

    /// Promises `votes` of the budget; false, and nothing, when it does not hold them.
    public mutating func reserve(_ votes: Int, of budget: Int) -> Bool {
        guard votes >= 0, votes <= available(of: budget) else { return false }
        reserved += votes
        return true
    }

    /// One reserved vote was given.
    public mutating func spend() {
        reserved -= 1
        spent += 1
        totalSpent += 1
    }

    /// Reserved votes that nobody will give.
    public mutating func release(_ votes: Int) { reserved -= votes }
}
