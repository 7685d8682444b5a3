internal import Vocabulary

/// One currency of the budget: votes, milliseconds, or millionths of money.
public struct BudgetAccount: Hashable, Sendable {
    /// Spent in the current window.
    public var spent: Int64
    /// Reserved for open tasks, in whichever window they were opened.
    public var reserved: Int64
    /// Unused budget of earlier windows, as far as it may be carried over.
    public var carried: Int64
    /// Total amount ever spent.
    public var totalSpent: Int64

    public init(spent: Int64 = 0, reserved: Int64 = 0, carried: Int64 = 0, totalSpent: Int64 = 0) {
        self.spent = spent
        self.reserved = reserved
        self.carried = carried
        self.totalSpent = totalSpent
    }

    /// Returns the amount that can still be reserved from a window's budget; without a budget there is no limit.
    func available(of budget: Int64?) -> Int64 {
        guard let budget else { return .max }
        // If there was no budget before this one, reservations were not limited and may exceed it.
        return max(0, budget.adding(carried).subtracting(spent).subtracting(reserved))
    }

    /// Closes the window and as many empty ones as have passed since.
    mutating func close(windows: Int64, of budget: Int64?, carrying most: Int) {
        if let budget, most > 0 {
            let limit = budget.multiplied(by: Int64(most))
            let left = max(0, budget.adding(carried).subtracting(spent))
            // More windows than may be carried add nothing: the product stays small.
            carried = min(limit, left.adding(budget.multiplied(by: min(windows, Int64(most) + 1) - 1)))
        } else {
            carried = 0
        }
        spent = 0
    }

    mutating func spend(_ amount: Int64, of reservation: Int64) {
        reserved = reserved &- reservation
        spent = spent.adding(amount)
        totalSpent = totalSpent.adding(amount)
    }
}
