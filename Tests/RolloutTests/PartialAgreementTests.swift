import Statistics
import Tables
import Testing
import Vocabulary

@testable import Rollout

@Suite("Pairs whose labels agree partly")
struct PartialAgreementTests {
    @Test("Added counts can be subtracted exactly, whatever the differences and the order")
    func exact() {
        for seed in 0..<50 as Range<UInt64> {
            var generator = SplitMix64(seed: seed)
            let pairs = (0..<200).map { _ in PairCounts(difference: 2 * generator.nextUnit() - 1) }
            var sum = PairCounts()
            for pair in pairs { sum.add(pair) }
            var half = PairCounts()
            for pair in pairs.prefix(100) { half.add(pair) }
            for pair in pairs.suffix(100).shuffled(using: &generator) { sum.subtract(pair) }
            #expect(sum == half)
        }
    }

    @Test("Gain and loss are the sums of the differences; equal labels give neither")
    func sums() {
        var counts = PairCounts()
        for difference in [0.5, 0.25, -0.75, 0, 1, -1] { counts.add(PairCounts(difference: difference)) }
        #expect(counts.labels == 6 && counts.challengerOnly == 3 && counts.championOnly == 2)
        #expect(counts.gain == 1.75 && counts.loss == 1.75)
    }

    @Test("A challenger with more wins than losses is not promoted if its losses weigh more")
    func weights() {
        func promotes(_ differences: [Double]) -> Bool {
            var state = RolloutState(models: 1...2)
            var counts = PairCounts()
            for difference in differences { counts.add(PairCounts(difference: difference)) }
            state.pairs.value = counts
            return state.promoteIfBetter(policy: unshadowed) != nil
        }
        let small = [Double](repeating: 0.1, count: 40)
        #expect(!promotes(small + [Double](repeating: -1, count: 5)))
        #expect(!promotes(small))
        #expect(promotes([Double](repeating: 1, count: 7)))
        #expect(promotes([Double](repeating: 0.75, count: 20) + [-0.5]))
        #expect(!promotes([Double](repeating: 0.75, count: 20) + [Double](repeating: -1, count: 15)))
    }
}
