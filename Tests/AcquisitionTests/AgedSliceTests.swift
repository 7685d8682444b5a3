import Acquisition
import Strategies
import Tables
import Testing
import Vocabulary

@Suite("Slices that are no longer new")
struct AgedSliceTests {
    @Test("The time at which the share of a slice may grow is a deadline")
    func deadline() {
        let policy = freePolicy {
            $0.votes = 100
            $0.window = 100_000
            $0.slices = SlicePolicy(
                key: "source",
                share: LabelShare(millionths: 500_000),
                newShare: LabelShare(millionths: 10_000),
                newFor: 30_000
            )
        }
        var state = AcquisitionState((0..<30).map { candidate("s\($0)") }, policy: policy)
        #expect(state.batch(policy, at: 10_000).count == 1)
        func due(_ time: Int64) -> Int64? {
            state.nextDeadline(
                openTasks: 0,
                votesPerTask: 1,
                policy: policy,
                at: StreamTime(milliseconds: time)
            )?.milliseconds
        }
        #expect(due(10_000) == 40_000)
        #expect(state.batch(policy, entry: 3, at: 40_000).count == 5)
        // A share that decreases with age sets no repeated deadlines.
        let less = freePolicy {
            $0.votes = 100
            $0.window = 100_000
            $0.slices = policy.slices
            $0.slices?.share = LabelShare(millionths: 10_000)
            $0.slices?.newShare = LabelShare(millionths: 500_000)
        }
        #expect(
            state.nextDeadline(openTasks: 0, votesPerTask: 1, policy: less, at: StreamTime(milliseconds: 40_000))
                == StreamTime(milliseconds: 100_000)
        )
    }
}
