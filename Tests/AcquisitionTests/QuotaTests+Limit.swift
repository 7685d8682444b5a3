import Acquisition
import Strategies
import Tables
import Testing
import Vocabulary

extension QuotaTests {
    @Test("Without capacity for another slice, old slices without votes in this window are removed")
    func forgotten() {
        var slices = half
        slices.newShare = half.share
        slices.newFor = 150_000
        let policy = policy(slices)
        var state = crowded()
        state.accounts.slices["=x1"]?.windowStart = StreamTime(milliseconds: 200_000)
        state.accounts.slices["=x2"]?.firstQueriedAt = StreamTime(milliseconds: 199_000)
        for number in 0..<4 { receive(sample("n\(number)", of: "new-\(number)", score: 0.5), &state, policy, at: 0) }
        #expect(state.batch(policy, at: 210_000).count == 4)
        #expect(state.accounts.slices.sortedKeys == ["=new-0", "=new-1", "=new-2", "=new-3", "=x1", "=x2"])
    }

    @Test("Triggered candidates that wait for a quota under a stream rule have a deadline")
    func triggeredWaits() {
        let policy = policy(half) {
            $0.stream = StreamPolicy(strategy: .random, share: LabelShare(millionths: LabelShare.whole), burst: 100)
            $0.triggers = [Trigger(name: "all", condition: .role(.champion))]
            $0.triggerShare = 1
        }
        var state = AcquisitionState()
        func receive(_ number: Int, isFired: Bool) {
            let known = sample("a\(number)", of: "a", score: 0.9)
            let candidate = Candidate(
                sample: known.sample,
                output: known.output,
                model: known.model,
                score: known.score,
                auditProbability: nil,
                auditDraw: 1,
                predictedAt: known.predictedAt,
                triggers: isFired ? ["all"] : [],
                pendingTriggers: [],
                isBelowThreshold: isFired
            )
            let context = context(7, at: 1_000)
            state.receive(candidate, modelVersionNumber: 1, policy: policy, context: context)
        }
        for number in 0..<10 { receive(number, isFired: false) }
        #expect(state.batch(policy, at: 2_000).count == 5 && state.batch(policy, entry: 3, at: 2_000).count == 5)
        receive(10, isFired: true)
        #expect(state.pool.candidates.isEmpty && state.triggers.triggered.count == 1)
        #expect(state.batch(policy, entry: 4, at: 50_000).isEmpty)
        let due = state.nextDeadline(
            openTasks: 0,
            votesPerTask: 1,
            policy: policy,
            at: StreamTime(milliseconds: 50_000)
        )
        #expect(due == StreamTime(milliseconds: 100_000))
        #expect(state.batch(policy, entry: 5, at: 100_000).ids == ["a10"])
    }

    @Test("Votes returned for a task of another slice key are not credited to a slice of the same name")
    func otherKey() {
        let policy = policy(half)
        var state = AcquisitionState((0..<5).map { sample("a\($0)", of: "a", score: 0.9) }, policy: policy)
        #expect(state.batch(policy, at: 10_000).count == 5 && state.accounts.slices["=a"]?.votes == 5)
        let old = sample("x", of: "a", score: 0.9).sample
        let before = StreamTime(milliseconds: 9_000)
        state.sliceReleased(old, votes: 3, openedAt: before, policy: policy)
        #expect(state.accounts.slices["=a"]?.votes == 5)
        state.sliceReleased(old, votes: 3, openedAt: StreamTime(milliseconds: 10_000), policy: policy)
        #expect(state.accounts.slices["=a"]?.votes == 2)
    }
}
