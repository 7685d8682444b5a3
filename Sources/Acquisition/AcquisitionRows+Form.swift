public import Forms
public import Vocabulary

extension BudgetAccount: Formed {
    @inlinable public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        spent = try f("spent", \.spent, Integer.any)
        reserved = try f("reserved", \.reserved, Integer.any)
        carried = try f("carried", \.carried, Integer.any, implied: 0)
        totalSpent = try f("total_spent", \.totalSpent, Integer.any)
    }
}

extension BudgetLedger: Formed {
    @inlinable public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        // As older builds wrote it, for projects that count votes alone.
        let none = BudgetAccount(spent: 0, reserved: 0, carried: 0, totalSpent: 0)
        windowStart = try f("window_start_ms", \.windowStart, Time())
        votes = try f.flattened(\.votes)
        time = try f("time", \.time, Nested(), implied: none)
        money = try f("money", \.money, Nested(), implied: none)
    }
}

extension BatchSchedule: Formed {
    @inlinable public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        lastBatchAt = try f("last_batch_at_ms", \.lastBatchAt, Time())
        lastBatchVersionNumber = try f("last_batch_ordinal", \.lastBatchVersionNumber, Count.counted)
        acquisitionTasks = try f("acquisition_tasks", \.acquisitionTasks, Count.counted)
        auditTasks = try f("audit_tasks", \.auditTasks, Count.counted)
        waitingSince = try f.optional("waiting_since_ms", \.waitingSince, Time())
        isExhaustionReported = try f("exhaustion_told", \.isExhaustionReported, Flag())
        triggerTasks = try f("trigger_tasks", \.triggerTasks, Count.counted, implied: 0)
        auditOwed = try f("audit_owed", \.auditOwed, Number(-1e9...1e9), implied: 0)
        auditWindow = try f.optional("audit_window_ms", \.auditWindow, Time())
        importedLabels = try f("imported_labels", \.importedLabels, Count.counted, implied: 0)
        duelCredit = try f("duel_credit", \.duelCredit, Number(0...1), implied: 0)
    }
}

extension IdleWatch: Formed {
    @inlinable public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        checkedAt = try f("looked_at_ms", \.checkedAt, Time())
        since = try f.optional("since_ms", \.since, Time())
        reported = try f("told", \.reported, Count.counted)
        reportedAt = try f("told_at_ms", \.reportedAt, Time())
    }
}

extension SliceAccount: Formed {
    @inlinable public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        firstQueriedAt = try f("first_asked_at_ms", \.firstQueriedAt, Time())
        windowStart = try f("window_start_ms", \.windowStart, Time())
        votes = try f("votes", \.votes, Count.counted)
    }
}
