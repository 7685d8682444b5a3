internal import Strategies
internal import Tables
internal import Vocabulary

/// Number and choice of the queried samples among those for which triggers fired.
extension TriggerSource {
    func isActive(_ context: SelectionContext) -> Bool { !isEmpty && context.policy.triggerShare > 0 }

    mutating func checkQuotas(_ accounts: TaskAccounts, _ context: SelectionContext) {
        block.update(triggered, accounts.quotas(context)) { $1.hasRoom($0.pooled.candidate.sample) }
    }

    /// If candidates are queried one by one, triggers need not wait either, within their share.
    func isReady(_ room: BatchRoom, _ accounts: TaskAccounts, _ context: SelectionContext) -> Bool {
        context.policy.stream != nil && isDue(room.forOneTask(), accounts, context)
    }

    /// Number of tasks within the triggers' share of the batch and of all tasks so far; the whole batch if there is
    /// nothing else to query.
    func allowance(_ room: BatchRoom, _ accounts: TaskAccounts, _ context: SelectionContext) -> Int {
        let share = context.policy.triggerShare
        guard room.tasks > 0, !triggered.isEmpty, share > 0 else { return 0 }
        var most = room.tasks
        if room.isShared {
            let schedule = accounts.schedule.value
            let ofBatch = Int((share * Double(room.tasks)).rounded(.up))
            let ofAll = Int(share * Double(schedule.acquisitionTasks + room.tasks))
            most = min(room.tasks, ofBatch, ofAll - schedule.triggerTasks)
        }
        return most > 0 && !block.holds(triggered, accounts.quotas(context)) ? most : 0
    }

    /// Selects candidates of the triggers in rotation; of one trigger's candidates the most useful is first.
    ///
    /// - Complexity: O(*n* log *n*) in the candidates for which triggers fired.
    mutating func select(_ count: Int, _ accounts: inout TaskAccounts, _ context: SelectionContext) -> [Selection] {
        let rows = inRotation(context.policy, startingAt: accounts.schedule.value.triggerTasks)
        let chosen: [TriggeredCandidate]
        if let quotas = accounts.quotas(context) {
            let ids = Set(quotas.filter(rows.map(\.pooled)).map(\.candidate.sample.id))
            chosen = Array(rows.filter { ids.contains($0.pooled.candidate.sample.id) }.prefix(count))
        } else {
            chosen = Array(rows.prefix(count))
        }
        for row in chosen { triggered[row.pooled.candidate.sample.id] = nil }
        if !chosen.isEmpty { accounts.schedule.value.triggerTasks += chosen.count }
        return chosen.map {
            $0.pooled.selection(purpose, strategy: Self.strategy, propensity: 1, triggers: $0.triggers)
        }
    }

    private func inRotation(_ policy: AcquisitionPolicy, startingAt offset: Int) -> [TriggeredCandidate] {
        // Candidates whose trigger is no longer in force are last.
        var queues = [[TriggeredCandidate]](repeating: [], count: policy.triggers.count + 1)
        for (_, row) in triggered.sortedRows {
            let position = policy.triggers.firstIndex { row.triggers.contains($0.name) }
            queues[position ?? policy.triggers.count].append(row)
        }
        queues.removeAll(where: \.isEmpty)
        for index in queues.indices { queues[index].sort { $1.pooled.isLessUseful(than: $0.pooled) } }
        var rows: [TriggeredCandidate] = []
        // The first trigger varies, for batches that have capacity for only one.
        let start = queues.isEmpty ? 0 : offset % queues.count
        for rank in 0..<(queues.map(\.count).max() ?? 0) {
            for step in queues.indices {
                let queue = queues[(start + step) % queues.count]
                if rank < queue.count { rows.append(queue[rank]) }
            }
        }
        return rows
    }

    func nextQueryTime(_ room: BatchRoom, _ accounts: TaskAccounts, _ context: SelectionContext) -> NextQueryTime {
        if isDue(room, accounts, context) { return .afterMaximumWait }
        // Candidates for which triggers fired may wait for a quota.
        return isEmpty || context.policy.slices == nil ? .never : .at(accounts.nextQuota(context))
    }

    /// Whether share and quotas allow a task.
    private func isDue(_ room: BatchRoom, _ accounts: TaskAccounts, _ context: SelectionContext) -> Bool {
        guard allowance(room, accounts, context) > 0 else { return false }
        guard let quotas = accounts.quotas(context) else { return true }
        return triggered.contains { quotas.hasRoom($1.pooled.candidate.sample) }
    }
}
