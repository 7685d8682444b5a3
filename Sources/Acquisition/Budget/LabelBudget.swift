public import Vocabulary

/// Limits on the votes, time and money spent in one window.
public struct LabelBudget: Hashable, Sendable {
    /// Answers; at least 0.
    public var votes: Int
    /// People's time, in milliseconds; nil: no limit.
    public var time: Int64?
    /// Money, in millionths; nil: no limit.
    public var money: Int64?
    /// Length of a window, in milliseconds.
    public var window: Int64
    /// Windows whose unused budget is added to later ones; 0: unused budget is lost.
    public var carriedWindows: Int

    public init(votes: Int, time: Int64? = nil, money: Int64? = nil, window: Int64, carriedWindows: Int = 0) {
        self.votes = votes
        self.time = time
        self.money = money
        self.window = window
        self.carriedWindows = carriedWindows
    }

    /// The largest number of tasks that the budget ever covers at once: with as much carried over as may be.
    public func mostTasks(votes count: Int, cost: VoteCost) -> Int {
        let windows = Int64(carriedWindows) + 1
        let ledger = BudgetLedger(windowStart: StreamTime(milliseconds: 0))
        let most = LabelBudget(
            votes: Int(Int64(votes).multiplied(by: windows)),
            time: time.map { $0.multiplied(by: windows) },
            money: money.map { $0.multiplied(by: windows) },
            window: window
        )
        return ledger.affordableTasks(votes: count, cost: cost, of: most)
    }
}
