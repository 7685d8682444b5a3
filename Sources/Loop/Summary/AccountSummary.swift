internal import Acquisition

/// A budget of time or money in the current window.
public struct AccountSummary: Hashable, Sendable {
    /// Name of the budget with its unit, as in `time_ms`.
    public let name: String
    public let budget: Int64
    public let carried: Int64
    public let spent: Int64
    public let reserved: Int64
    /// Total amount ever spent.
    public let total: Int64

    /// Creates the summary of an account; nil if there is no such budget.
    init?(_ name: String, _ budget: Int64?, _ account: BudgetAccount) {
        guard let budget else { return nil }
        self.name = name
        self.budget = budget
        carried = account.carried
        spent = account.spent
        reserved = account.reserved
        total = account.totalSpent
    }

    /// Amount that can still be reserved; at least 0.
    public var left: Int64 { max(0, budget + carried - spent - reserved) }
}
