import Acquisition
import Statistics
import Tables
import Testing
import Vocabulary

@Suite struct BudgetTests {
    private struct Task {
        let cost: VoteCost
        var votes: Int
    }

    @Test("Prices and windows as extreme as accepted neither trap nor overflow")
    func extremes() {
        let price = VoteCost(
            maximumTime: VoteCost.longestTime,
            perVote: VoteCost.highestPrice,
            perSecond: VoteCost.highestPrice
        )
        var budget = LabelBudget(votes: 1_000_000_000, window: 1, carriedWindows: 1_000)
        var ledger = BudgetLedger(windowStart: StreamTime(milliseconds: 0))
        // Without a budget of money, reserved and spent amounts are unbounded.
        for _ in 0..<90 {
            let isReserved = ledger.reserve(1, cost: price, of: budget)
            #expect(isReserved)
        }
        for _ in 0..<60 { ledger.spend(cost: price) }
        budget.money = 1_000_000_000_000_000
        budget.time = 315_360_000_000
        #expect(ledger.affordableTasks(votes: 100, cost: price, of: budget) == 0)
        ledger.money.spent = .max
        ledger.money.reserved = .max
        #expect(ledger.affordableTasks(votes: 1, cost: price, of: budget) == 0)
        #expect(budget.mostTasks(votes: 100, cost: price) == 0)
        for time in [1, 1_000, 1 << 40] as [Int64] {
            ledger.advance(to: StreamTime(milliseconds: time), budget: budget)
            #expect(ledger.money.carried <= 1_000_000_000_000_000_000)
        }
    }

    @Test(
        "Votes, time and money never exceed their budgets plus the amounts carried over",
        arguments: 0..<32 as Range<UInt64>
    )
    func neverOverspends(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        var budget = LabelBudget(votes: 12, time: 90_000, money: 700_000, window: 1_000)
        budget.carriedWindows = generator.next(below: 4)
        if seed % 3 == 0 { budget.time = nil }
        if seed % 5 == 0 { budget.money = nil }
        var ledger = BudgetLedger(windowStart: StreamTime(milliseconds: 0))
        var open: [Task] = []
        var now: Int64 = 0
        var (given, charged, paid): (Int64, Int64, Int64) = (0, 0, 0)
        for _ in 0..<2_000 {
            now += Int64(generator.next(below: 120))
            ledger.advance(to: StreamTime(milliseconds: now), budget: budget)
            let price = VoteCost(
                maximumTime: Int64(generator.next(below: 20_000)),
                perVote: Int64(generator.next(below: 50_000)),
                perSecond: Int64(generator.next(below: 3_000))
            )
            switch generator.next(below: 4) {
            case 0, 1:
                let votes = 1 + generator.next(below: 3)
                let isAffordable = ledger.affordableTasks(votes: votes, cost: price, of: budget) > 0
                let granted = ledger.reserve(votes, cost: price, of: budget)
                #expect(granted == isAffordable)
                if granted { open.append(Task(cost: price, votes: votes)) }
            case 2 where !open.isEmpty:
                let index = generator.next(below: open.count)
                let taken = generator.next(below: 3) == 0 ? nil : Int64(generator.next(below: 60_000))
                let cost = open[index].cost
                ledger.spend(cost: cost, taken: taken)
                given += 1
                charged += cost.time(taken: taken)
                paid += cost.money(for: cost.time(taken: taken))
                open[index].votes -= 1
                if open[index].votes == 0 { open.remove(at: index) }
            case 3 where !open.isEmpty:
                let task = open.remove(at: generator.next(below: open.count))
                ledger.release(task.votes, cost: task.cost)
            default: break
            }
            let windows = now / 1_000 + 1
            let accounts: [(BudgetAccount, Int64?, Int64)] = [
                (ledger.votes, Int64(budget.votes), given), (ledger.time, budget.time, charged),
                (ledger.money, budget.money, paid),
            ]
            for (account, limit, total) in accounts {
                #expect(account.totalSpent == total && account.reserved >= 0, "seed \(seed)")
                guard let limit else { continue }
                #expect(account.spent + account.reserved <= limit + account.carried, "seed \(seed): \(account)")
                #expect(account.carried <= limit * Int64(budget.carriedWindows))
                #expect(
                    account.totalSpent + account.reserved <= limit * windows,
                    "seed \(seed): overspent since the start"
                )
            }
            #expect(ledger.votes.reserved == Int64(open.map(\.votes).reduce(0, +)))
        }
        #expect(given > 20, "seed \(seed) bought too little to say anything")
    }

    @Test("Unused budget is carried over as far as configured, and no further")
    func carrying() {
        let budget = LabelBudget(votes: 10, window: 100, carriedWindows: 2)
        var ledger = BudgetLedger(windowStart: StreamTime(milliseconds: 0))
        let granted = ledger.reserve(4, of: budget)
        #expect(granted)
        for _ in 0..<4 { ledger.spend() }
        let left = { (time: Int64) in
            var later = ledger
            later.advance(to: StreamTime(milliseconds: time), budget: budget)
            return later.affordableTasks(votes: 1, cost: .free, of: budget)
        }
        #expect(left(100) == 16)
        #expect(left(200) == 26)
        #expect(left(300) == 30)
        #expect(left(9_000_000_000) == 30)
        var lost = budget
        lost.carriedWindows = 0
        ledger.advance(to: StreamTime(milliseconds: 100), budget: lost)
        #expect(ledger.affordableTasks(votes: 1, cost: .free, of: lost) == 10)
    }

    @Test("A vote costs the time it took, at most the reserved amount, and all of that if no time is reported")
    func charges() {
        let cost = VoteCost(maximumTime: 30_000, perVote: 20_000, perSecond: 4_167)
        #expect(cost.time(taken: 12_345) == 12_345)
        #expect(cost.time(taken: 99_999) == 30_000)
        #expect(cost.time(taken: nil) == 30_000)
        #expect(cost.time(taken: -5) == 0)
        #expect(cost.money(for: 12_345) == 20_000 + 12 * 4_167 + 1_438, "a part of a millionth counts whole")
        #expect(cost.maximumMoney == 20_000 + 30 * 4_167)
        let dearest = VoteCost(maximumTime: .max, perVote: .max, perSecond: .max)
        #expect(dearest.maximumMoney == VoteCost.highestPrice * 86_401, "the largest numbers do not overflow")
    }

    @Test(
        "A budget of zero queries nothing, in any currency",
        arguments: [
            LabelBudget(votes: 0, window: 1), LabelBudget(votes: 9, time: 0, window: 1),
            LabelBudget(votes: 9, money: 0, window: 1),
        ]
    )
    func nothing(budget: LabelBudget) {
        var ledger = BudgetLedger(windowStart: StreamTime(milliseconds: 0))
        let granted = ledger.reserve(1, of: budget)
        #expect(!granted)
        #expect(budget.mostTasks(votes: 1, cost: .free) == 0)
    }

    @Test("A task too large for one window waits for carried budget; if none is carried, there is no deadline")
    func waitsForCarried() {
        var policy = freePolicy {
            $0.votes = 2
            $0.window = 1_000
            $0.carriedWindows = 1
        }
        var state = AcquisitionState([candidate("s")], policy: policy)
        #expect(state.batch(policy, at: 500, votesPerTask: 3).isEmpty)
        let deadline = state.nextDeadline(openTasks: 0, votesPerTask: 3, policy: policy)
        #expect(deadline == StreamTime(milliseconds: 1_000))
        let selections = state.batch(policy, entry: 3, at: 1_500, votesPerTask: 3)
        #expect(selections.ids == ["s"])
        policy.carriedWindows = 0
        var other = AcquisitionState([candidate("s")], policy: policy)
        #expect(other.batch(policy, at: 500, votesPerTask: 3).isEmpty)
        #expect(other.nextDeadline(openTasks: 0, votesPerTask: 3, policy: policy) == nil)
    }

    @Test("Money bounds a batch, and its tasks state the amount reserved for a vote")
    func money() {
        let cost = VoteCost(maximumTime: 10_000, perVote: 5, perSecond: 2)
        let policy = freePolicy {
            $0.money = 175
            $0.voteCost = cost
        }
        var state = AcquisitionState((0..<10).map { candidate("s\($0)") }, policy: policy)
        let batch = state.batch(policy, votesPerTask: 2)
        #expect(batch.count == 3, "each of two votes at 25 makes 50 a task")
        #expect(batch.allSatisfy { $0.voteCost == cost })
        #expect(state.accounts.ledger.value.money.reserved == 150)
        state.voteGiven(cost: cost, taken: 1_000, policy: policy, at: StreamTime(milliseconds: 10_000))
        #expect(state.accounts.ledger.value.money.reserved == 125 && state.accounts.ledger.value.money.spent == 7)
        #expect(state.accounts.ledger.value.time.spent == 1_000)
    }
}
