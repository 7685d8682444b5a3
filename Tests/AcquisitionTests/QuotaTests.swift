import Acquisition
import Statistics
import Strategies
import Tables
import Testing
import Vocabulary

@Suite("Quotas and candidates kept for later")
struct QuotaTests {
    func sample(_ id: String, of slice: String, score: Double) -> Candidate {
        let metadata = SampleMetadata([SampleMetadata.Entry(key: "source", value: slice)]) ?? .none
        return Candidate(
            sample: Sample(id: SampleID(id), metadata: metadata),
            output: ClassDistribution([.init(label: ClassIndex(0), probability: 1)]).map(Output.choice),
            model: ModelReference(name: "m", version: ModelVersion("v1")),
            score: score,
            auditProbability: nil,
            auditDraw: 1,
            predictedAt: StreamTime(milliseconds: 0)
        )
    }

    func policy(_ slices: SlicePolicy, _ change: (inout AcquisitionPolicy) -> Void = { _ in })
        -> AcquisitionPolicy
    {
        freePolicy {
            $0.votes = 20
            $0.window = 100_000
            $0.slices = slices
            $0.poolCapacity = 30
            change(&$0)
        }
    }

    let half = SlicePolicy(key: "source", share: LabelShare(millionths: 500_000))

    func receive(
        _ candidate: Candidate,
        _ state: inout AcquisitionState,
        _ policy: AcquisitionPolicy,
        at time: Int64
    ) {
        state.receive(candidate, modelVersionNumber: 1, policy: policy, context: context(7, at: time))
    }

    @Test("A slice at its quota that fills the pool makes room for other slices, and does not reduce their votes")
    func fullPool() {
        let policy = policy(half)
        var state = AcquisitionState((0..<30).map { sample("a\($0)", of: "a", score: 0.9) }, policy: policy)
        #expect(state.batch(policy, at: 10_000).count == 5)
        #expect(state.batch(policy, entry: 3, at: 20_000).count == 5)
        for number in 30..<60 { receive(sample("a\(number)", of: "a", score: 0.95), &state, policy, at: 21_000) }
        #expect(state.pool.candidates.count == 30 && state.batch(policy, entry: 4, at: 30_000).isEmpty)
        for number in 0..<20 { receive(sample("b\(number)", of: "b", score: 0.1), &state, policy, at: 31_000) }
        for number in 60..<99 { receive(sample("a\(number)", of: "a", score: 0.99), &state, policy, at: 32_000) }
        #expect(state.pool.candidates.count == 30)
        #expect(state.pool.candidates.sortedKeys.count { $0.rawValue.hasPrefix("b") } == 20)
        #expect(state.batch(policy, entry: 5, at: 40_000).ids.allSatisfy { $0.hasPrefix("b") })
        #expect(state.accounts.slices["=b"]?.votes == 5)
        // In the next window the slice has quota again, so a candidate of it with a high score enters the pool.
        for _ in 0..<15 { state.voteGiven(policy: policy, at: StreamTime(milliseconds: 50_000)) }
        receive(sample("a99", of: "a", score: 0.99), &state, policy, at: 100_001)
        #expect(state.pool.candidates[SampleID("a99")] != nil)
    }

    @Test(
        "The evictions of a full pool do not depend on earlier scans",
        arguments: 0..<8 as Range<UInt64>
    )
    func caches(seed: UInt64) {
        var slices = half
        slices.newShare = LabelShare(millionths: 100_000)
        slices.newFor = 30_000
        let policy = policy(slices) {
            $0.stream = seed % 2 == 0 ? nil : StreamPolicy(share: LabelShare(millionths: 900_000))
        }
        var generator = SplitMix64(seed: seed)
        var state = AcquisitionState()
        var time: Int64 = 0
        for entry in 1...600 as ClosedRange<UInt64> {
            time += Int64(generator.next(below: 800))
            // The fresh state has empty caches.
            var fresh = AcquisitionState()
            for (id, row) in state.pool.candidates.sortedRows { fresh.pool.candidates.restore(id, row) }
            for (id, row) in state.accounts.queried.sortedRows { fresh.accounts.queried.restore(id, row) }
            for (name, row) in state.accounts.slices.sortedRows { fresh.accounts.slices.restore(name, row) }
            for (slot, row) in state.pool.queriedSketches.sortedRows { fresh.pool.queriedSketches.restore(slot, row) }
            fresh.accounts.ledger.value = state.accounts.ledger.value
            fresh.accounts.schedule.value = state.accounts.schedule.value
            fresh.pool.stream.value = state.pool.stream.value
            let number = generator.next(below: 300)
            let slice = ["a", "a", "a", "b", "c"][number % 5]
            let candidate = sample("s\(number)", of: slice, score: slice == "a" ? 0.9 : generator.nextUnit())
            let versionNumber = generator.next(below: 3)
            let context = context(entry, at: time)
            state.receive(
                candidate,
                modelVersionNumber: versionNumber,
                votesPerTask: 2,
                policy: policy,
                context: context
            )
            fresh.receive(
                candidate,
                modelVersionNumber: versionNumber,
                votesPerTask: 2,
                policy: policy,
                context: context
            )
            #expect(fresh.pool.candidates.sortedKeys == state.pool.candidates.sortedKeys, "entry \(entry)")
            let batch = state.batch(policy, entry: entry, at: time, votesPerTask: 2)
            #expect(batch == fresh.batch(policy, entry: entry, at: time, votesPerTask: 2))
            for _ in 0..<(2 * batch.count) { state.voteGiven(policy: policy, at: context.time) }
        }
        #expect(state.accounts.queried.count > 20)
    }

    @Test("In a stream, too, selected candidates that wait for a quota make room for other slices")
    func stream() {
        let policy = policy(half) {
            $0.stream = StreamPolicy(strategy: .random, share: LabelShare(millionths: 1_000_000))
        }
        var state = AcquisitionState()
        for number in 0..<60 {
            receive(sample("a\(number)", of: "a", score: 0.9), &state, policy, at: 1_000)
            _ = state.batch(policy, entry: UInt64(number + 2), at: 1_000)
        }
        #expect(state.accounts.queried.count == 10 && state.pool.candidates.count == 30)
        for number in 0..<5 { receive(sample("b\(number)", of: "b", score: 0.1), &state, policy, at: 2_000) }
        receive(sample("a60", of: "a", score: 0.9), &state, policy, at: 2_000)
        #expect(state.pool.candidates.count == 30 && state.pool.candidates[SampleID("a60")] == nil)
        #expect(state.batch(policy, entry: 90, at: 3_000).ids == (0..<5).map { "b\($0)" })
    }

    func crowded() -> AcquisitionState {
        var state = AcquisitionState()
        for number in 0..<SlicePolicy.sliceLimit {
            let time = StreamTime(milliseconds: 0)
            state.accounts.slices["=x\(number)"] = SliceAccount(firstQueriedAt: time, windowStart: time, votes: 1)
        }
        return state
    }

    @Test("A slice with a share of its own always has its own account, and the shared account has no such share")
    func named() {
        var slices = half
        slices.shares = [
            .init(slice: "b", share: LabelShare(millionths: 100_000)),
            .init(slice: "thers", share: LabelShare(millionths: 0)),
        ]
        let policy = policy(slices)
        var state = crowded()
        for number in 0..<9 { receive(sample("b\(number)", of: "b", score: 0.9), &state, policy, at: 0) }
        for number in 0..<9 { receive(sample("n\(number)", of: "new-\(number)", score: 0.5), &state, policy, at: 0) }
        let ids = state.batch(policy, at: 10_000).ids
        #expect(ids.count { $0.hasPrefix("b") } == 2)
        #expect(ids.count { $0.hasPrefix("n") } == 3)
        #expect(state.accounts.slices["=b"]?.votes == 2 && state.accounts.slices["others"]?.votes == 3)
    }
}
