public import Tables
public import Vocabulary

/// Accounts that all sources of tasks share: queried samples, the amounts spent, and the votes used by each slice.
public struct TaskAccounts: Sendable {
    /// Every sample ever queried or imported: no source queries it again.
    public var queried = Table<SampleID, TaskPurpose>()
    public var ledger = Cell(BudgetLedger(windowStart: StreamTime(milliseconds: 0)))
    public var schedule = Cell(BatchSchedule())
    public var idleness = Cell(IdleWatch())
    /// Votes that each slice has used; the number of rows is at most `SlicePolicy.sliceLimit`, plus one, plus the
    /// slices that have shares of their own.
    public var slices = Table<String, SliceAccount>()

    /// Frequency at which the model is sure and wrong.
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

    /// Resets the account of audit tasks in a new window: audit tasks that the previous window could not open are not
    /// owed in this one, where they would exceed its share.
    mutating func settleAudits(_ policy: AcquisitionPolicy) {
        let window = ledger.value.windowStart
        guard policy.sharesByWindow, policy.isAudited, schedule.value.auditWindow != window else { return }
        schedule.value.auditWindow = window
        schedule.value.auditOwed = min(schedule.value.auditOwed, 1)
    }

    /// Counts an audit task that opens.
    mutating func countAudit(_ policy: AcquisitionPolicy) {
        if policy.sharesByWindow, schedule.value.auditTasks >= policy.auditFirst { schedule.value.auditOwed -= 1 }
        schedule.value.auditTasks += 1
    }

    /// End of the current window.
    func windowEnd(_ policy: AcquisitionPolicy) -> StreamTime {
        ledger.value.windowStart.advanced(byMilliseconds: policy.window)
    }
}

/// Spending and release of the votes that tasks reserved.
extension AcquisitionState {
    /// Counts one of the votes reserved for a task as given, in the window in which it was given.
    ///
    /// - Parameters:
    ///   - cost: Cost as its task reserved it.
    ///   - taken: Milliseconds that the annotator needed, if the tool reports them.
    ///   - policy: The revision in force.
    ///   - time: Time of the entry that contains it.
    public mutating func voteGiven(
        cost: VoteCost = .free,
        taken: Int64? = nil,
        policy: AcquisitionPolicy,
        at time: StreamTime
    ) {
        accounts.ledger.value.advance(to: time, budget: policy.budget)
        accounts.ledger.value.spend(cost: cost, taken: taken)
    }

    /// Charges a skipped or flagged task, from edition 2 on, with the time that the annotator needed, as for an answer.
    ///
    /// - Parameters:
    ///   - cost: Cost as its task reserved it for a vote.
    ///   - taken: As in `voteGiven`.
    ///   - policy: The revision in force.
    ///   - time: Time of the entry that contains it.
    public mutating func declined(cost: VoteCost, taken: Int64?, policy: AcquisitionPolicy, at time: StreamTime) {
        guard policy.edition >= 2 else { return }
        accounts.ledger.value.advance(to: time, budget: policy.budget)
        accounts.ledger.value.spendOnDecline(cost: cost, taken: taken)
    }

    /// Removes the unanswerable samples, because there are new classes: candidates near them wait like others again.
    ///
    /// - Complexity: O(*n*) in the pool if there were any.
    public mutating func classesAppended(_ policy: AcquisitionPolicy) {
        let slots = pool.unanswerable.sortedKeys
        guard !slots.isEmpty else { return }
        for slot in slots { pool.unanswerable[slot] = nil }
        pool.reassessSetAside(policy)
    }

    /// Records that a task for a training label could not be answered: from edition 2 on, candidates near its sample
    /// are selected last.
    ///
    /// - Parameters:
    ///   - sample: Sample of the task.
    ///   - notes: Notes that people wrote with their flags.
    ///   - policy: The revision in force.
    /// - Returns: Earlier unanswerable samples that are nearer to it than any answered sample, the nearest first, at
    ///   most five.
    public mutating func recordUnanswerable(
        _ sample: Sample,
        notes: [String],
        policy: AcquisitionPolicy
    ) -> [UnanswerableSample] {
        policy.edition >= 2 ? pool.learnUnanswerable(sample, notes: notes, policy) : []
    }

    /// Releases the votes left of a task that closed, each reserved at `cost`.
    public mutating func votesReleased(_ count: Int, cost: VoteCost = .free) {
        accounts.ledger.value.release(count, cost: cost)
    }

    /// Whether the budget holds no further task.
    public func isExhausted(_ context: SelectionContext) -> Bool { accounts.budgetedTasks(context) == 0 }
}
