import Acquisition
import Strategies
import Tables
import Testing
import Vocabulary

@Suite struct SliceTests {
    private func sample(_ id: String, of slice: String?, score: Double) -> Candidate {
        let entries = slice.map { [SampleMetadata.Entry(key: "source", value: $0)] } ?? []
        let entry = ClassDistribution.Entry(label: ClassIndex(0), probability: 1)
        return Candidate(
            sample: Sample(id: SampleID(id), metadata: SampleMetadata(entries) ?? .none),
            output: ClassDistribution([entry]).map(Output.choice),
            model: ModelReference(name: "m", version: ModelVersion("v1")),
            score: score,
            auditProbability: nil,
            auditDraw: 1,
            predictedAt: StreamTime(milliseconds: 0)
        )
    }

    private func policy(_ slices: SlicePolicy) -> AcquisitionPolicy {
        freePolicy {
            $0.votes = 20
            $0.window = 100_000
            $0.slices = slices
        }
    }

    private let half = SlicePolicy(
        key: "source",
        share: LabelShare(millionths: 500_000),
        shares: [.init(slice: "b", share: LabelShare(millionths: 100_000))]
    )

    @Test("No slice uses more than its share of a window's votes, however high its scores are")
    func quota() {
        let policy = policy(half)
        var candidates: [Candidate] = []
        for number in 0..<40 {
            candidates.append(sample("a\(number)", of: "a", score: 0.9))
            candidates.append(sample("b\(number)", of: "b", score: 0.8))
            candidates.append(sample("c\(number)", of: nil, score: 0.1))
        }
        var state = AcquisitionState(candidates, policy: policy)
        var queried: [String] = []
        for round in 0..<8 {
            let batch = state.batch(
                policy,
                entry: UInt64(round + 2),
                at: 10_000 + Int64(round) * 2_000,
                votesPerTask: 2
            )
            queried += batch.ids
        }
        #expect(queried.count { $0.hasPrefix("a") } == 5)
        #expect(queried.count { $0.hasPrefix("b") } == 1)
        #expect(queried.count { $0.hasPrefix("c") } == 4, "samples without a slice are one together")
    }

    @Test("If only a quota prevents a batch, the next window is the deadline, and the quota begins anew")
    func window() {
        let policy = policy(half)
        var state = AcquisitionState((0..<30).map { sample("b\($0)", of: "b", score: 0.5) }, policy: policy)
        #expect(state.batch(policy, at: 10_000).count == 2)
        #expect(state.batch(policy, entry: 3, at: 20_000).isEmpty)
        let deadline = state.nextDeadline(openTasks: 0, votesPerTask: 1, policy: policy)
        #expect(deadline == StreamTime(milliseconds: 100_000))
        for _ in 0..<2 { state.voteGiven(policy: policy, at: StreamTime(milliseconds: 30_000)) }
        #expect(state.batch(policy, entry: 4, at: 120_000).count == 2)
    }

    @Test("Unused votes return to their slice only within the window of their task")
    func released() {
        let policy = policy(half)
        var state = AcquisitionState((0..<30).map { sample("b\($0)", of: "b", score: 0.5) }, policy: policy)
        let batch = state.batch(policy, at: 10_000, votesPerTask: 2)
        #expect(batch.count == 1)
        state.votesReleased(2)
        let openedAt = StreamTime(milliseconds: 10_000)
        state.sliceReleased(batch[0].sample, votes: 2, openedAt: openedAt, policy: policy)
        #expect(state.batch(policy, entry: 3, at: 20_000, votesPerTask: 2).count == 1)
        for _ in 0..<2 { state.voteGiven(policy: policy, at: StreamTime(milliseconds: 30_000)) }
        #expect(state.batch(policy, entry: 4, at: 120_000, votesPerTask: 2).count == 1)
        state.sliceReleased(batch[0].sample, votes: 2, openedAt: openedAt, policy: policy)
        #expect(state.accounts.slices["=b"]?.votes == 2, "a task of the window before frees nothing of this one")
    }

    @Test("A new slice has the share for new slices until it has aged")
    func newSlice() {
        var slices = half
        slices.newShare = LabelShare(millionths: 50_000)
        slices.newFor = 150_000
        let policy = policy(slices)
        var state = AcquisitionState((0..<30).map { sample("n\($0)", of: "n", score: 0.5) }, policy: policy)
        #expect(state.batch(policy, at: 10_000).count == 1)
        state.voteGiven(policy: policy, at: StreamTime(milliseconds: 10_000))
        #expect(state.batch(policy, entry: 3, at: 110_000).count == 1)
        state.voteGiven(policy: policy, at: StreamTime(milliseconds: 110_000))
        #expect(state.batch(policy, entry: 4, at: 210_000).count == 5, "a batch, of ten votes that it may take")
    }

    @Test("Slices beyond the limit of distinguished ones share the quota of a single slice")
    func bounded() {
        var state = AcquisitionState()
        for number in 0..<SlicePolicy.sliceLimit {
            let time = StreamTime(milliseconds: 0)
            state.accounts.slices["=x\(number)"] = SliceAccount(firstQueriedAt: time, windowStart: time)
        }
        let policy = policy(half)
        for number in 0..<30 {
            let candidate = sample("s\(number)", of: "new-\(number)", score: 0.5)
            state.receive(candidate, modelVersionNumber: 1, policy: policy, context: context(1))
        }
        for entry in 2..<10 as Range<UInt64> {
            _ = state.batch(policy, entry: entry, at: Int64(entry) * 10_000 - 9_000)
        }
        #expect(state.accounts.slices.count == SlicePolicy.sliceLimit + 1)
        #expect(state.accounts.queried.count == 10)
    }
}
