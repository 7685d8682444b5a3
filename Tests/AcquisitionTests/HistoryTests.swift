import Acquisition
import Statistics
import Tables
import Testing
import Vocabulary

/// Laws that hold after every step of any history.
@Suite struct HistoryTests {
    /// A task with votes still to be given.
    struct Task {
        var left: Int
    }

    @Test(
        "In any history the budget holds, nothing is queried twice, and no sample serves two purposes",
        arguments: 0..<40 as Range<UInt64>
    )
    func laws(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        let votesPerTask = 1 + generator.next(below: 4)
        let policy = AcquisitionPolicy(
            isDiverse: generator.next(below: 2) == 0,
            batchSize: 1 + generator.next(below: 6),
            preselection: 1 + generator.next(below: 4),
            poolCapacity: 30,
            openTaskLimit: 6 + generator.next(below: 10),
            auditShare: Double(generator.next(below: 10)) / 10,
            auditCutoff: 0.3,
            votes: generator.next(below: 40),
            window: 60_000,
            maximumWait: 2_000
        )
        var state = AcquisitionState()
        var open: [Task] = []
        var queried: [String: TaskPurpose] = [:]
        var spentIn: [Int64: Int] = [:]
        var time: Int64 = 1_000
        for entry in 1...450 as ClosedRange<UInt64> {
            time += Int64(generator.next(below: 900))
            func law(_ holds: Bool, _ text: String) {
                if !holds { Issue.record("seed \(seed), entry \(entry): \(text)") }
            }
            switch generator.next(below: 6) {
            case 0..<3:
                let number = generator.next(below: 400)
                // The draw of a sample is fixed; the cut-off depends on traffic.
                let draw = Double(number * 7919 % 400) / 400
                let cutoff = generator.next(below: 4) == 0 ? 0.1 : 0.3
                let point: [Float]? = number % 50 == 0 ? nil : [Float(number % 20), Float(number / 20)]
                state.receive(
                    candidate("s\(number)", score: generator.nextUnit(), draw: draw, cutoff: cutoff, embedding: point),
                    modelVersionNumber: generator.next(below: 3),
                    policy: policy,
                    context: context(entry, at: time)
                )
            case 3 where !open.isEmpty:
                let task = generator.next(below: open.count)
                state.voteGiven(policy: policy, at: StreamTime(milliseconds: time))
                spentIn[time / policy.window, default: 0] += 1
                open[task].left -= 1
                if open[task].left == 0 { open.remove(at: task) }
            case 4 where !open.isEmpty && generator.next(below: 3) == 0:
                let task = open.remove(at: generator.next(below: open.count))
                state.votesReleased(task.left)
            default: break
            }
            let (pool, audit) = (Set(state.pool.candidates.sortedKeys), Set(state.audit.candidates.sortedKeys))
            law(pool.isDisjoint(with: audit), "a sample is in the pool and in the audit sample")
            let batch = state.selectBatch(
                openTasks: open.count,
                votesPerTask: votesPerTask,
                newestVersionNumber: generator.next(below: 3),
                unlearned: generator.next(below: 8),
                policy: policy,
                context: context(entry, at: time)
            )
            law(Set(batch.ids).count == batch.count, "a batch holds a sample twice")
            for selection in batch {
                let source = selection.purpose == .audit ? audit : pool
                law(source.contains(selection.sample.id), "\(selection.sample.id) is not of its part")
                let before = queried.updateValue(selection.purpose, forKey: selection.sample.id.rawValue)
                law(before == nil, "\(selection.sample.id) is asked twice")
                open.append(Task(left: votesPerTask))
            }
            law(batch.count { $0.purpose == .acquisition } <= policy.batchSize, "the batch is too large")
            law(open.count <= policy.openTaskLimit, "\(open.count) tasks are open")

            let ledger = state.accounts.ledger.value
            let window = ledger.windowStart.milliseconds / policy.window
            law(ledger.reserved == open.map(\.left).reduce(0, +), "\(ledger.reserved) votes are reserved")
            law(ledger.spent + ledger.reserved <= policy.votes, "the ledger is overdrawn: \(ledger)")
            law(spentIn[time / policy.window, default: 0] <= policy.votes, "more votes were given than bought")
            law(ledger.spent == spentIn[window, default: 0], "\(ledger.spent) of \(spentIn) are known")
            law(ledger.totalSpent == spentIn.values.reduce(0, +), "\(ledger.totalSpent) in all")
            law(state.pool.candidates.count <= policy.poolCapacity, "the pool holds \(state.pool.candidates.count)")
            let deadline = state.nextDeadline(openTasks: open.count, votesPerTask: votesPerTask, policy: policy)
            law((deadline?.milliseconds ?? .max) > time, "a deadline of the past would tick for ever")
        }
        #expect(state.accounts.queried.count == queried.count)
    }

    @Test("Each deadline brings a batch, or a window that allows one", arguments: 0..<24 as Range<UInt64>)
    func deadlines(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        let policy = freePolicy {
            $0.votes = 4 + generator.next(below: 10)
            $0.window = 50_000
            $0.auditShare = 0.2
        }
        var state = AcquisitionState(
            (0..<100).map { candidate("s\($0)", draw: Double($0) / 100, cutoff: 0.2) },
            policy: policy
        )
        var time: Int64 = 0
        var queried = 0
        for entry in 2..<200 as Range<UInt64> {
            guard let deadline = state.nextDeadline(openTasks: 0, votesPerTask: 2, policy: policy) else { break }
            #expect(deadline.milliseconds > time)
            time = deadline.milliseconds
            let batch = state.batch(policy, entry: entry, at: time, votesPerTask: 2)
            queried += batch.count
            for _ in batch {
                for _ in 0..<2 { state.voteGiven(policy: policy, at: StreamTime(milliseconds: time)) }
            }
        }
        #expect(queried == 100)
    }
}

@Suite struct BatchScheduleTests {
    @Test("A batch waits for the newest model's candidates, but no longer than the maximum wait")
    func maximumWait() {
        let policy = freePolicy()
        var state = AcquisitionState(
            (0..<50).map { candidate("s\($0)") },
            modelVersionNumber: 1,
            policy: policy
        )
        func select(_ state: inout AcquisitionState, _ versionNumber: Int, _ time: Int64, unlearned: Int = 0) -> Int {
            state.selectBatch(
                openTasks: 0,
                votesPerTask: 1,
                newestVersionNumber: versionNumber,
                unlearned: unlearned,
                policy: policy,
                context: context(2, at: time)
            ).count
        }
        // A newer model has scored no candidates yet, so the batch waits.
        #expect(select(&state, 2, 999) == 0)
        #expect(select(&state, 2, 1_000) == 5)
        // The maximum wait applies again, since no newer model has been added.
        #expect(select(&state, 2, 1_999) == 0)
        // A model that has learnt from the last batch has scored enough candidates, so the batch is selected at once.
        for number in 0..<20 {
            state.receive(
                candidate("t\(number)"),
                modelVersionNumber: 3,
                policy: policy,
                context: context(3, at: 1_999)
            )
        }
        #expect(select(&state, 3, 1_999, unlearned: policy.batchSize / 2 + 1) == 0)
        #expect(select(&state, 3, 1_999, unlearned: policy.batchSize / 2) == 5)
        #expect(select(&state, 3, 2_000) == 0)
    }

    @Test("Open tasks delay a batch until it fits into the limit")
    func backPressure() {
        let policy = freePolicy { $0.openTaskLimit = 12 }
        let state = AcquisitionState((0..<50).map { candidate("s\($0)") }, policy: policy)
        for open in 0...12 {
            var copy = state
            #expect(copy.batch(policy, openTasks: open).count == (open <= 7 ? 5 : 0))
            let deadline = state.nextDeadline(openTasks: open, votesPerTask: 1, policy: policy)
            #expect((deadline != nil) == (open <= 7))
        }
    }

    @Test("An empty pool queries nothing and waits for nothing")
    func empty() {
        var state = AcquisitionState()
        #expect(state.batch(freePolicy()).isEmpty)
        #expect(state.nextDeadline(openTasks: 0, votesPerTask: 1, policy: freePolicy()) == nil)
    }

    @Test("A budget that does not cover a single task sets no deadline")
    func noBudget() {
        let policy = freePolicy { $0.votes = 1 }
        var state = AcquisitionState([candidate("s")], policy: policy)
        #expect(state.batch(policy, votesPerTask: 2).isEmpty)
        #expect(state.nextDeadline(openTasks: 0, votesPerTask: 2, policy: policy) == nil)
    }
}

@Suite struct BudgetLedgerTests {
    @Test("Windows start at multiples of their length, however late the end of one is noticed")
    func windows() {
        let budget = LabelBudget(votes: 5, window: 100)
        var ledger = BudgetLedger(windowStart: StreamTime(milliseconds: 0))
        let granted = ledger.reserve(5, of: budget)
        #expect(granted)
        for _ in 0..<3 { ledger.spend() }
        ledger.advance(to: StreamTime(milliseconds: 99), budget: budget)
        #expect((ledger.spent, ledger.reserved) == (3, 2))
        ledger.advance(to: StreamTime(milliseconds: 350), budget: budget)
        #expect((ledger.spent, ledger.reserved) == (0, 2))
        #expect(ledger.windowStart == StreamTime(milliseconds: 300))
        // Reserved votes also count in the new window.
        #expect(ledger.affordableTasks(votes: 1, cost: .free, of: budget) == 3)
        let tooMuch = ledger.reserve(4, of: budget)
        #expect(!tooMuch)
        #expect(ledger.reserved == 2)
        #expect(ledger.totalSpent == 3)
    }

    @Test("A budget reduced by a revision leaves zero tasks, not a negative number")
    func revision() {
        let budget = LabelBudget(votes: 5, window: 100)
        var ledger = BudgetLedger(windowStart: StreamTime(milliseconds: 0))
        let granted = ledger.reserve(5, of: budget)
        #expect(granted)
        #expect(ledger.affordableTasks(votes: 1, cost: .free, of: LabelBudget(votes: 2, window: 100)) == 0)
    }
}
