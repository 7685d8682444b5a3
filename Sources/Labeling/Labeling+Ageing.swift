internal import Tables
public import Vocabulary

extension OpenTask {
    /// Priority in `0...1`, higher first: the score of the selection plus the increase due to waiting.
    ///
    /// The scores of audit tasks are not comparable: audit tasks are first, otherwise a tool that serves by priority
    /// would serve them last.
    public var priority: Double {
        guard selection.purpose.published != .audit else { return 1 }
        let score = selection.reason.score
        return priorityGained > 0 ? max(score, min(1, score + priorityGained)) : score
    }

    /// Returns the time at which its priority rises next; nil if the priority is at its maximum.
    func nextAgeing(every span: Int64) -> StreamTime? {
        guard priority < 1 else { return nil }
        let (offset, overflow) = Int64(priorityRises + 1).multipliedReportingOverflow(by: span)
        return overflow ? nil : openedAt.advanced(byMilliseconds: offset)
    }
}

/// Priorities that grow with waiting: a task that no annotator has taken for long is eventually served first.
extension LabelingState {
    /// Raises the priority of every open task that has waited long enough, in the order of their ids.
    ///
    /// - Returns: Their new records for label tools; a task has at most 1 / `ageingBy` of these, plus one due to
    ///   rounding.
    public mutating func age(question: Question, policy: LabelingPolicy, at time: StreamTime) -> [LabelingTask] {
        guard let span = policy.ageingEvery, let due = nextAgeing(policy: policy), due <= time else { return [] }
        var records: [LabelingTask] = []
        for (id, row) in open.sortedRows {
            guard let due = row.nextAgeing(every: span), due <= time else { continue }
            var task = row
            let waited = Int(time.milliseconds(since: task.openedAt) / span)
            task.priorityGained += policy.ageingBy * Double(waited - task.priorityRises)
            task.priorityRises = waited
            open[id] = task
            records.append(record(of: task, id, .open, question))
        }
        return records
    }
}
