import Acquisition
import Strategies
import Tables
import Testing
import Vocabulary

@Suite struct StreamedTests {
    private func policy(_ share: Double, strategy: StreamStrategy = .adaptive) -> AcquisitionPolicy {
        freePolicy {
            $0.stream = StreamPolicy(strategy: strategy, share: LabelShare(share) ?? LabelShare(millionths: 0))
            $0.batchSize = 1
        }
    }

    /// All queries for the given number of candidates, one entry each.
    private func run(_ state: inout AcquisitionState, _ policy: AcquisitionPolicy, _ count: Int, cold: Bool = false)
        -> [Selection]
    {
        var selections: [Selection] = []
        for number in 0..<count {
            let entry = UInt64(number + 1)
            let score = Double(number * 37 % 101) / 100
            let candidate = candidate("s\(number)", score: score, isCold: cold)
            state.receive(candidate, modelVersionNumber: 1, policy: policy, context: context(entry, at: Int64(number)))
            selections += state.batch(policy, entry: entry, at: Int64(number))
        }
        return selections
    }

    @Test("A candidate that the rule selects is queried at once, with its propensity; the others are not kept")
    func atOnce() {
        var state = AcquisitionState()
        let selections = run(&state, policy(0.1), 1_000)
        #expect((90...100).contains(selections.count))
        #expect(state.pool.candidates.isEmpty)
        #expect(Set(selections.ids).count == selections.count)
        #expect(selections.allSatisfy { $0.reason.strategy == "adaptive" && ($0.reason.propensity ?? 0) > 0 })
        #expect(state.pool.stream.value?.ledger.events == 1_000)
        #expect(state.pool.stream.value?.ledger.queried == selections.count)
    }

    @Test("A challenger's prediction does not count as an event of the stream, and neither does a repeated candidate")
    func paidOnce() {
        var state = AcquisitionState()
        let policy = policy(0.1)
        _ = run(&state, policy, 200)
        let paid = state.pool.stream.value?.ledger
        #expect(paid?.events == 200)
        for number in 0..<50 {
            let seen = candidate("s\(number)", score: 0.9)
            let challenger = Candidate(
                sample: Sample(id: SampleID("c\(number)")),
                output: seen.output,
                model: ModelReference(name: "m", version: ModelVersion("v2"), role: .challenger),
                score: 0.9,
                auditProbability: nil,
                auditDraw: 1,
                predictedAt: StreamTime(milliseconds: 0)
            )
            let entry = context(UInt64(1_000 + number))
            state.receive(challenger, modelVersionNumber: 1, policy: policy, context: entry)
        }
        #expect(state.pool.stream.value?.ledger == paid)
    }

    @Test("Nothing is queried with a share or a budget of zero")
    func nothing() {
        var state = AcquisitionState()
        #expect(run(&state, policy(0), 500).isEmpty)
        var broke = policy(0.5)
        broke.votes = 0
        var other = AcquisitionState()
        #expect(run(&other, broke, 500).isEmpty)
    }

    @Test("Without a model the share alone decides")
    func cold() {
        var state = AcquisitionState()
        #expect(run(&state, policy(0.1), 1_000, cold: true).count == 100)
    }

    @Test("Candidates left in a batch's pool are removed when a stream begins")
    func leftOver() {
        let before = freePolicy()
        var state = AcquisitionState([candidate("old", score: 1)], policy: before)
        let selections = run(&state, policy(0.1), 200)
        #expect(!selections.ids.contains("old"))
        #expect(state.pool.candidates[SampleID("old")] == nil)
    }

    @Test("Audit tasks keep their share although the pool is empty most of the time")
    func audit() {
        var policy = policy(0.1)
        policy.auditShare = 0.2
        var state = AcquisitionState()
        for number in 0..<100 {
            let audited = candidate("a\(number)", draw: 0.05, cutoff: 0.1)
            state.receive(audited, modelVersionNumber: 1, policy: policy, context: context(UInt64(number), at: 0))
        }
        let selections = run(&state, policy, 1_000)
        let audits = selections.count { $0.purpose == .audit }
        #expect(abs(Double(audits) / Double(selections.count) - 0.2) < 0.03)
        #expect(selections.filter { $0.purpose == .audit }.allSatisfy { $0.reason.propensity == 0.1 })
    }
}
