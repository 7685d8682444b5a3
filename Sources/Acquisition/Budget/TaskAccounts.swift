public import Tables
public import Vocabulary

/// Accounts that all sources of tasks share: samples asked for, what was spent, and what each slice took.
public struct TaskAccounts: Sendable {
    /// Every sample ever asked for: never asked again, by whatever source.
    public var asked = Table<SampleID, TaskPurpose>()
    public var ledger = Cell(BudgetLedger(windowStart: StreamTime(milliseconds: 0)))
    public var cadence = Cell(BatchSchedule())
    public var idleness = Cell(IdleWatch())
    /// Votes that each slice has taken; at most `SlicePolicy.sliceLimit`, one, and those that have shares of their own.
    public var slices = Table<String, SliceAccount>()

    /// How often the model is sure and wrong.
    public var confidentErrors = ConfidentErrors()

    public init() {}

    /// Tasks that the budget and the open-task limit allow.
    func affordableTasks(_ context: SelectionContext) -> Int {
        min(budgetedTasks(context), context.policy.openTaskLimit - context.openTasks)
    }

    /// Tasks that the budget holds.
    func budgetedTasks(_ context: SelectionContext) -> Int {
        ledger.value.affordableTasks(
            votes: context.votesPerTask,
            cost: context.policy.voteCost,
            of: context.policy.budget
        )
    }

    /// Begins the account of audit tasks anew in a new window: what the one before could not ask for is no debt of this one, of
    /// which it would be more than its share.
    mutating func settleAudits(_ policy: AcquisitionPolicy) {
        let window = ledger.value.windowStart
        guard policy.sharesByWindow, policy.isAudited, cadence.value.auditWindow != window else { return }
        cadence.value.auditWindow = window
        cadence.value.auditOwed = min(cadence.value.auditOwed, 1)
    }

    /// An audit task opens.
    mutating func countAudit(_ policy: AcquisitionPolicy) {
        if policy.sharesByWindow, cadence.value.auditTasks >= policy.auditFirst { cadence.value.auditOwed -= 1 }
        cadence.value.auditTasks += 1
    }

    /// When the current window ends.
    func windowEnd(_ policy: AcquisitionPolicy) -> StreamTime {
        ledger.value.windowStart.advanced(byMilliseconds: policy.window)
    }
}

/// Fate of the votes that a task reserved.
extension AcquisitionState {
    /// One of the votes reserved for a task was given: it counts in the window in which it was given.
    ///
    /// - Parameters:
    ///   - cost: As its task reserved it.
    ///   - taken: How long the annotator took, in milliseconds, if the tool says.
    ///   - policy: The revision in force.
    ///   - time: Of the entry that brought it.
    public mutating func voteGiven(
        cost: VoteCost = .free,
        taken: Int64? = nil,
        policy: AcquisitionPolicy,
        at time: StreamTime
    ) {
        accounts.ledger.value.advance(to: time, budget: policy.budget)
        accounts.ledger.value.spend(cost: cost, taken: taken)
    }

    /// Somebody skipped or flagged a task: from edition 2 on it is charged with the time that it took, as an answer is.
    ///
    /// - Parameters:
    ///   - cost: As its task reserved it for a vote.
    ///   - taken: As in `voteGiven`.
    ///   - policy: The revision in force.
    ///   - time: Of the entry that brought it.
    public mutating func declined(cost: VoteCost, taken: Int64?, policy: AcquisitionPolicy, at time: StreamTime) {
        guard policy.edition >= 2 else { return }
        accounts.ledger.value.advance(to: time, budget: policy.budget)
        accounts.ledger.value.spendOnDecline(cost: cost, taken: taken)
    }

    /// Forgets which samples nobody could answer, for there are new classes: those near them wait like others again.
    ///
    /// - Complexity: O(*n*) in the pool where there were any.
    public mutating func classesAppended(_ policy: AcquisitionPolicy) {
        let slots = pool.unanswerable.sortedKeys
        guard !slots.isEmpty else { return }
        for slot in slots { pool.unanswerable[slot] = nil }
        pool.judgeAnew(policy)
    }

    /// Nobody could answer a task for a training label: from edition 2 on what lies near its sample comes last.
    ///
    /// - Parameters:
    ///   - sample: Of the task.
    ///   - notes: What people wrote with their flags.
    ///   - policy: The revision in force.
    /// - Returns: Earlier ones that lie nearer to it than anything that was answered, the nearest first, five at most.
    public mutating func unanswerable(
        _ sample: Sample,
        notes: [String],
        policy: AcquisitionPolicy
    ) -> [UnanswerableSample] {
        policy.edition >= 2 ? pool.learnUnanswerable(sample, notes: notes, policy) : []
    }

    /// A task closed with votes left, each reserved at `cost`.
    public mutating func votesReleased(_ count: Int, cost: VoteCost = .free) {
        accounts.ledger.value.release(count, cost: cost)
    }

    /// Whether the budget holds no further task.
    public func isExhausted(_ context: SelectionContext) -> Bool { accounts.budgetedTasks(context) == 0 }
}
