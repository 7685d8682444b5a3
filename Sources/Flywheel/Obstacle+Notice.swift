internal import Acquisition
internal import Labeling
internal import Strategies
internal import Tables
internal import Vocabulary

extension ProjectState {
    /// Creates a notice if a project with budget and traffic has queried nothing for a minute.
    mutating func reportIdleness(_ configuration: ProjectConfiguration, _ step: inout Step) {
        let context = selectionContext(configuration, step.context)
        guard let obstacle = acquisition.checkIdleness(context) else { return }
        let text = "nothing was asked for a minute: \(explanation(of: obstacle, configuration))"
        step.decide(.notice(Notice(kind: .nothingQueried, text: text)))
    }

    /// Reason why nothing is queried, at the time of the last entry; nil if a query is due, or before a configuration.
    public var obstacle: String? {
        guard let configuration = configuration.value else { return nil }
        let context = EntryContext(
            project: project,
            entryNumber: position.value.entryNumber,
            time: position.value.time,
            seed: 0
        )
        return acquisition.obstacle(selectionContext(configuration, context)).map { explanation(of: $0, configuration) }
    }

    private func explanation(of obstacle: Obstacle, _ configuration: ProjectConfiguration) -> String {
        let policy = configuration.acquisition
        let open = labeling.open.count
        return switch obstacle {
        case .budgetSpent(let until):
            "the window's budget is spent; the next window begins in \(duration(until))"
        case .budgetReserved:
            "what is left of the window's budget is promised to \(open) open \(open == 1 ? "task" : "tasks")"
        case .budgetTooSmall:
            "no window's budget holds one task, which may take \(configuration.labeling.maximumVotes) votes (labeling.maximum_votes, acquisition.votes_per_window)"
        case .openTasks:
            "\(open) tasks are open, and a batch of \(policy.batchSize) more would exceed acquisition.open_task_limit, \(policy.openTaskLimit): people have to answer first, or the limit has to rise"
        case .noCandidate: candidateExplanation(policy)
        case .shares: shareExplanation(policy)
        case .quotas(let until):
            "all \(acquisition.pool.candidates.count) samples that wait belong to slices that have had their share (acquisition.slices), for another \(duration(until))"
        case .waiting(let until):
            "a batch waits for the scores of a newer model or for a wider choice, for \(duration(until)) more at most (acquisition.patience); \(acquisition.pool.candidates.count) samples wait"
        }
    }

    private func candidateExplanation(_ policy: AcquisitionPolicy) -> String {
        if let stream = policy.stream {
            return
                "the rule \(stream.strategy.rawValue) (acquisition.stream) has chosen none of the samples that came since, within its share and budget"
        }
        let queried = acquisition.accounts.queried.count
        let known = queried == 0 ? "" : "are among the \(queried) asked for or imported before, "
        return
            "no sample waits: those that come \(known)\(known.isEmpty ? "" : "or ")lie below the threshold that acquisition.votes_per_window, oversample and window give; or none come"
    }

    private func shareExplanation(_ policy: AcquisitionPolicy) -> String {
        var parts: [String] = []
        let (audit, triggered) = (acquisition.audit.candidates.count, acquisition.triggers.triggered.count)
        if audit > 0 { parts.append("\(audit) of the audit sample (acquisition.audit_share)") }
        if triggered > 0 { parts.append("\(triggered) of triggers (acquisition.trigger_share)") }
        let pooled = acquisition.pool.candidates.count
        if pooled > 0 { parts.append("\(pooled) of the pool") }
        return
            "all samples that wait have had their share of the tasks: \(parts.joined(separator: ", ")); the next task needs samples outside it"
    }

    private func duration(_ until: StreamTime) -> String {
        let seconds = max(0, until.milliseconds(since: position.value.time)) / 1_000
        return seconds < 120 ? "\(seconds) s" : seconds < 7_200 ? "\(seconds / 60) min" : "\(seconds / 3_600) h"
    }
}

extension JournalEntry.Body {
    /// Whether the entry results from a prediction.
    var isTraffic: Bool {
        switch self {
        case .candidate: true
        case .tally(let tallies): tallies.contains { $0.predictions > 0 }
        default: false
        }
    }
}
