internal import Vocabulary

/// Room in a batch, as one source after the other takes its part.
struct BatchRoom: SourceReader {
    /// Tasks for training labels that the batch still holds.
    private(set) var tasks: Int
    /// Tasks that the budget and the open-task limit still allow.
    private(set) var affordable: Int
    /// Tasks for training labels that the batch has been given.
    private(set) var training = 0
    /// Whether a source after the one whose turn it is asks for something too.
    private(set) var isShared = false
    /// Sources that ask for something, the next one's bit the lowest.
    private var active: UInt64 = 0
    private var count: UInt64 = 0

    /// Room for a batch, before the sources were asked whether they share it.
    init(_ accounts: TaskAccounts, _ context: SelectionContext) {
        affordable = accounts.affordableTasks(context)
        tasks = min(context.policy.batchSize, affordable)
    }

    /// Reduces the number of tasks so that the audit tasks due with them have room, too.
    mutating func spare(for audit: AuditSource, _ accounts: TaskAccounts, _ context: SelectionContext) {
        tasks = audit.trainingTasks(tasks, of: affordable, accounts, context)
    }

    mutating func read(_ source: borrowing some TaskSource, _ accounts: TaskAccounts, _ context: SelectionContext) {
        // Audit tasks are beside a batch, so the other sources need not keep to their shares for them.
        let split = source.purpose.split
        let isOnTop = context.policy.sharesByWindow && split != .training
        if !isOnTop, source.isActive(context) { active |= 1 << count }
        count += 1
    }

    /// Goes on to the next source.
    mutating func advance() {
        active >>= 1
        isShared = active != 0
    }

    /// A source has taken its part.
    mutating func take(_ count: Int, _ purpose: TaskPurpose) {
        affordable -= count
        if purpose.split == .training {
            tasks -= count
            training += count
        }
        tasks = min(tasks, affordable)
    }

    /// Returns the room at the same position among the sources, for one task for a training label.
    func forOne() -> BatchRoom {
        var room = self
        room.tasks = 1
        return room
    }
}
