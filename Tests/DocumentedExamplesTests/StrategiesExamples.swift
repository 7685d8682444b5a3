import Statistics
import Strategies
import Testing

@Suite struct StrategiesExamples {
    @Test("A filter queries events of which the model is uncertain")
    func filter() {
        let policy = StreamPolicy(strategy: .fixed, share: LabelShare(millionths: 500_000), burst: 1)
        var filter = StreamFilter(policy)
        var generator = SplitMix64(seed: 7)
        let unsure = filter.judge(score: 0.8, confidence: 0.6, pending: 0, policy: policy, using: &generator)
        let sure = filter.judge(score: 0.1, confidence: 0.99, pending: 0, policy: policy, using: &generator)
        #expect(unsure == 1)
        #expect(sure == nil)
    }
}
