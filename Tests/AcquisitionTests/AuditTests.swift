import Acquisition
import Statistics
import Tables
import Testing
import Vocabulary

@Suite struct AuditTests {
    @Test(
        "Audit samples are queried in the order of their draws, whatever their scores",
        arguments: 0..<16 as Range<UInt64>
    )
    func order(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        let policy = freePolicy { $0.auditShare = 0.5 }
        var draws: [String: Double] = [:]
        var candidates: [Candidate] = []
        for number in 0..<120 {
            let draw = generator.nextUnit()
            draws["s\(number)"] = draw
            candidates.append(candidate("s\(number)", score: generator.nextUnit(), draw: draw, cutoff: 0.5))
        }
        var state = AcquisitionState(candidates, policy: policy)
        var queried: [Double] = []
        for round in 0..<40 as Range<UInt64> {
            for selection in state.batch(policy, entry: round, at: Int64(10_000 * (round + 1))) {
                let draw = draws[selection.sample.id.rawValue] ?? 1
                #expect((draw < 0.5) == (selection.purpose == .audit))
                if selection.purpose == .audit { queried.append(draw) }
            }
        }
        let due = draws.values.filter { $0 < 0.5 }.sorted()
        #expect(queried.count >= min(due.count, draws.count - due.count))
        #expect(queried == Array(due.prefix(queried.count)))
    }

    @Test("The audit sample keeps its share of the tasks", arguments: [0.0, 0.1, 0.2, 0.5, 0.9])
    func share(share: Double) {
        let policy = freePolicy { $0.auditShare = share }
        var state = AcquisitionState()
        var (audit, all) = (0, 0)
        for round in 0..<60 {
            for number in 0..<20 {
                let draw = number % 2 == 0 ? 0.001 * Double(number) : 0.9
                state.receive(
                    candidate("s\(round)-\(number)", draw: draw, cutoff: 0.1),
                    modelVersionNumber: 1,
                    policy: policy,
                    context: context(1)
                )
            }
            let batch = state.batch(policy, entry: UInt64(round), at: Int64(10_000 * (round + 1)))
            audit += batch.count { $0.purpose == .audit }
            all += batch.count
        }
        #expect(all > 100)
        // At 0.9 the size of the audit sample is the bound: 10 are added per round, and 5 training tasks are opened.
        let expected = share > 0.5 ? 2.0 / 3 : share
        #expect(abs(Double(audit) / Double(all) - expected) < 0.03, "\(audit) of \(all)")
    }

    @Test("The audit sample waits if no other sample can be queried; in edition 1 it fills batches")
    func alone() {
        var policy = freePolicy { $0.auditShare = 0.1 }
        let candidates = (0..<8).map { candidate("s\($0)", draw: 0.01 * Double($0), cutoff: 0.1) }
        var state = AcquisitionState(candidates, policy: policy)
        #expect(state.nextDeadline(openTasks: 0, votesPerTask: 1, policy: policy) == nil)
        #expect(state.batch(policy).isEmpty)
        policy.edition = 1
        var old = AcquisitionState(candidates, policy: policy)
        #expect(old.batch(policy).ids == ["s0", "s1", "s2", "s3", "s4"])
    }

    @Test(
        "The configured first audit tasks precede all others, and none of them counts towards the share",
        arguments: [0, 3, 7]
    )
    func first(count: Int) {
        let policy = freePolicy {
            $0.auditShare = 0.2
            $0.auditFirst = count
            $0.votes = 30
        }
        let candidates = (0..<60).map {
            candidate("s\($0)", draw: $0 < 20 ? 0.001 * Double($0) : 1, cutoff: 0.1)
        }
        var state = AcquisitionState(candidates, policy: policy)
        var batch = state.batch(policy, at: 10_000)
        #expect(batch.count { $0.purpose == .audit } == count + 1)
        for round in 1..<10 as Range<Int64> {
            batch += state.batch(policy, entry: UInt64(round) + 2, at: 10_000 + 2_000 * round)
        }
        let audits = batch.count { $0.purpose == .audit }
        #expect(batch.count == 30)
        #expect(audits == count + (30 - count) / 5)
    }

    @Test("A full audit sample keeps the candidates with the lowest draws")
    func capacity() {
        let policy = freePolicy()
        var generator = SplitMix64(seed: 3)
        var draws: [Double] = []
        var state = AcquisitionState()
        for number in 0..<(AuditSource.capacity * 2) {
            let draw = generator.nextUnit() * 0.1
            draws.append(draw)
            state.receive(
                candidate("s\(number)", draw: draw, cutoff: 0.1),
                modelVersionNumber: 1,
                policy: policy,
                context: context(1)
            )
        }
        let kept = state.audit.candidates.sortedRows.map(\.value.candidate.auditDraw).sorted()
        #expect(kept == Array(draws.sorted().prefix(AuditSource.capacity)))
    }

    @Test("A sample stays in the audit sample when the cut-off is lowered, and enters it when the cut-off is raised")
    func movingCutoff() {
        let policy = freePolicy {
            $0.auditShare = 0.5
            $0.auditFirst = 2
        }
        var state = AcquisitionState()
        state.receive(
            candidate("s", draw: 0.08, cutoff: 0.1),
            modelVersionNumber: 1,
            policy: policy,
            context: context(1)
        )
        state.receive(
            candidate("s", draw: 0.08, cutoff: 0.05),
            modelVersionNumber: 2,
            policy: policy,
            context: context(2)
        )
        #expect(state.pool.candidates.isEmpty)
        #expect(state.audit.candidates.count == 1)
        // Its probability is still that of the cut-off under which it was drawn.
        #expect(state.audit.candidates[SampleID("s")]?.candidate.auditProbability == 0.1)

        state.receive(
            candidate("t", draw: 0.2, cutoff: 0.1),
            modelVersionNumber: 1,
            policy: policy,
            context: context(3)
        )
        #expect(state.pool.candidates.count == 1)
        state.receive(
            candidate("t", draw: 0.2, cutoff: 0.3),
            modelVersionNumber: 1,
            policy: policy,
            context: context(4)
        )
        #expect(state.pool.candidates.isEmpty)
        #expect(state.audit.candidates.count == 2)
        #expect(state.batch(policy).ids == ["s", "t"])
    }

    /// Before: 78 % of the tasks with a small pool and quick annotators at a share of 0.2, 28 % at 0.
    @Test(
        "In every window the share holds to within one task, for any pool, budget, batch and pace",
        arguments: 0..<40 as Range<UInt64>
    )
    func shareInWindows(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        func draw(_ range: ClosedRange<Int>) -> Int {
            range.lowerBound + Int(generator.next() % UInt64(range.count))
        }
        let votes = draw(1...3)
        let policy = freePolicy {
            $0.auditShare = [0, 0.05, 0.1, 0.2, 0.3, 0.5][draw(0...5)]
            $0.batchSize = draw(1...12)
            $0.votes = draw(20...150)
            $0.window = Int64(draw(5...60)) * 1_000
            $0.poolCapacity = draw(12...60)
            $0.explorationShare = draw(0...1) == 0 ? 0 : 0.3
        }
        var state = AcquisitionState()
        var tasks: [Int64: (audit: Int, all: Int)] = [:]
        var time: Int64 = 0
        for round in 0..<250 as Range<UInt64> {
            time += Int64(draw(100...4_000))
            // Periods without candidates, in which the pool runs out, alternate with bursts.
            for number in 0..<(draw(0...3) == 0 ? 0 : draw(0...15)) {
                let candidate = candidate("p\(round)-\(number)", score: generator.nextUnit())
                state.receive(
                    candidate,
                    modelVersionNumber: 1,
                    votesPerTask: votes,
                    policy: policy,
                    context: context(round, at: time)
                )
            }
            for number in 0..<12 {
                let candidate = candidate("a\(round)-\(number)", draw: 0.1 * generator.nextUnit(), cutoff: 0.1)
                state.receive(
                    candidate,
                    modelVersionNumber: 1,
                    votesPerTask: votes,
                    policy: policy,
                    context: context(round, at: time)
                )
            }
            let batch = state.batch(policy, entry: round, at: time, votesPerTask: votes)
            let window = state.accounts.ledger.value.windowStart.milliseconds
            tasks[window, default: (0, 0)].audit += batch.count { $0.purpose == .audit }
            tasks[window, default: (0, 0)].all += batch.count
            for _ in 0..<(votes * batch.count) {
                state.voteGiven(policy: policy, at: StreamTime(milliseconds: time))
            }
        }
        let queried = tasks.values.reduce(0) { $0 + $1.all }
        #expect(queried > 20, "\(policy)")
        for (window, count) in tasks {
            let deviation = Double(count.audit) - policy.auditShare * Double(count.all)
            #expect(abs(deviation) <= 1, "\(count) in the window from \(window) of \(policy)")
        }
    }

    @Test("Audit tasks for which a window lacked candidates are not carried into the next window")
    func noDebt() {
        let policy = freePolicy {
            $0.auditShare = 0.5
            $0.window = 100_000
        }
        var state = AcquisitionState((0..<200).map { candidate("p\($0)") }, policy: policy)
        for round in 0..<5 as Range<Int64> { _ = state.batch(policy, entry: UInt64(round), at: 2_000 * (round + 1)) }
        for number in 0..<100 {
            let candidate = candidate("a\(number)", draw: 0.001 * Double(number), cutoff: 0.1)
            state.receive(candidate, modelVersionNumber: 1, policy: policy, context: context(9, at: 99_000))
        }
        let batch = state.batch(policy, entry: 10, at: 102_000)
        #expect(batch.count { $0.purpose == .acquisition } == 5)
        #expect(batch.count { $0.purpose == .audit } == 6)
    }
}
