import Acquisition
import Tables
import Testing
import Vocabulary

extension QuotaTests {
    @Test("Where there is no room for another slice, those go that are old and took nothing of this window")
    func forgotten() {
        var slices = half
        slices.newFor = 150_000
        let policy = policy(slices)
        var state = crowded()
        state.slices["=x1"]?.windowStart = StreamTime(milliseconds: 200_000)
        state.slices["=x2"]?.firstAskedAt = StreamTime(milliseconds: 199_000)
        for number in 0..<4 { receive(sample("n\(number)", of: "new-\(number)", score: 0.5), &state, policy, at: 0) }
        #expect(state.batch(policy, at: 210_000).count == 4)
        #expect(state.slices.sortedKeys == ["=new-0", "=new-1", "=new-2", "=new-3", "=x1", "=x2"])
    }
}
