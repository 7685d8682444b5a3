internal import Vocabulary

/// Free capacity of a batch, as one source after the other uses its part.
struct BatchRoom: SourceReader {
    /// Tasks for training labels that the batch still holds.
    private(set) var tasks: Int
    /// Tasks that the budget and the open-task limit still allow.
    private(set) var affordable: Int
    /// Tasks for training labels that the batch has been given.
    private(set) var training = 0
    /// Whether a source after the current one has samples to query, too.
    private(set) var isShared = false
    /// Bit set of the sources that have samples to query; the lowest bit is that of the next source.
    private var active: UInt64 = 0
    private var count: UInt64 = 0

    /// Creates the capacity of a batch, before the sources that share it are known.
    init(_ accounts: TaskAccounts, _ context: SelectionContext) {
        affordable = accounts.affordableTasks(context)
        tasks = min(context.policy.batchSize, affordable)
    }

    /// Reduces the number of tasks so that there is capacity for the audit tasks due with them, too.
    mutating func reserve(for audit: AuditSource, _ accounts: TaskAccounts, _ context: SelectionContext) {
        tasks = audit.trainingTasks(tasks, of: affordable, accounts, context)
    }

    mutating func read(_ source: borrowing some TaskSource, _ accounts: TaskAccounts, _ context: SelectionContext) {
        // Audit tasks are added to a batch, so the other sources need not keep to their shares for them.
        let split = source.purpose.split
        let isOnTop = context.policy.sharesByWindow && split != .training
        if !isOnTop, source.isActive(context) { active |= 1 << count }
        count += 1
    }

    /// Advances to the next source.
    mutating func advance() {
        active >>= 1
        isShared = active != 0
    }

    /// Deducts the tasks that a source has used.
    mutating func deduct(_ count: Int, _ purpose: TaskPurpose) {
        affordable -= count
        if purpose.split == .training {
            tasks -= count
            training += count
        }
        tasks = min(tasks, affordable)
    }

    /// Returns the capacity at the same position among the sources, for one task for a training label.
    func forOneTask() -> BatchRoom {
        var room = self
        room.tasks = 1
        return room
    }
}
