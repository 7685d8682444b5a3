import Acquisition
import Statistics
import Strategies
import Testing
import Vocabulary

/// A stream of drifting scores, with stretches of certain and of uncertain models, and of equal scores.
private func scores(_ count: Int, seed: UInt64) -> [Double] {
    var generator = SplitMix64(seed: seed)
    var level = 0.5
    return (0..<count).map { index in
        if index % 500 == 0 { level = generator.nextUnit() }
        if index % 1_300 < 200 { return level }
        return min(1, max(0, level + (generator.nextUnit() - 0.5) * 0.5))
    }
}

/// The events that a policy queries, with their propensities.
private func queried(_ policy: StreamPolicy, _ scores: [Double], delay: Int = 0, seed: UInt64) -> [Int: Double] {
    var filter = StreamFilter(policy)
    var generator = SplitMix64(seed: seed)
    var result: [Int: Double] = [:]
    for (event, score) in scores.enumerated() {
        let pending = delay == 0 ? 0 : result.keys.count { $0 + delay >= event }
        let propensity = filter.judge(
            score: score,
            confidence: 1 - score / 2,
            pending: pending,
            policy: policy,
            using: &generator
        )
        if let propensity { result[event] = propensity }
    }
    return result
}

@Suite struct StreamRuleTests {
    @Test(
        "No rule queries more than share × events + burst, at any point of any stream",
        arguments: StreamStrategy.allCases,
        [0, 1, 7]
    )
    func neverOverspends(strategy: StreamStrategy, burst: Int) {
        for seed in 0..<4 as Range<UInt64> {
            for millionths in [0, 1, 9_999, 100_000, 1_000_000] as [Int64] {
                let policy = StreamPolicy(strategy: strategy, share: LabelShare(millionths: millionths), burst: burst)
                let queried = queried(policy, scores(1_500, seed: seed), seed: seed)
                var count: Int64 = 0
                for event in 0..<1_500 {
                    if queried[event] != nil { count += 1 }
                    let limit = millionths * Int64(event + 1) + Int64(burst) * LabelShare.whole
                    #expect(count * LabelShare.whole <= limit, "seed \(seed), event \(event): \(count) asked")
                }
                if millionths == 0 { #expect(queried.isEmpty, "a share of nothing asks nothing") }
            }
        }
    }

    @Test("Every query has a probability above 0 and at most 1", arguments: StreamStrategy.allCases)
    func propensities(strategy: StreamStrategy) {
        let policy = StreamPolicy(strategy: strategy, share: LabelShare(millionths: 50_000))
        let queried = queried(policy, scores(3_000, seed: 5), delay: 40, seed: 9)
        #expect(queried.count > 50)
        #expect(queried.values.allSatisfy { $0 > 0 && $0 <= 1 })
    }

    @Test(
        "A propensity equals the frequency with which an event in the same position is queried",
        arguments: [StreamStrategy.random, .randomized, .split, .quantile, .adaptive]
    )
    func propensityIsFrequency(strategy: StreamStrategy) {
        let share = LabelShare(millionths: 200_000)
        for score in [0.1, 0.5, 0.9] {
            var rule = strategy.rule
            var generator = SplitMix64(seed: 3)
            for warmUp in [0.5, 0.5, 0.2, 0.8, 0.6, 0.4, 0.5, 0.3] {
                _ = rule.judge(
                    StreamEvent(score: warmUp, confidence: 1 - warmUp / 2, pending: 0, share: share, credit: 1),
                    using: &generator
                )
            }
            let event = StreamEvent(score: score, confidence: 1 - score / 2, pending: 3, share: share, credit: 1)
            var (hits, propensity) = (0, 0.0)
            for _ in 0..<4_000 {
                var copy = rule
                let judgement = copy.judge(event, using: &generator)
                propensity = judgement.propensity
                if judgement.isQueried { hits += 1 }
            }
            #expect(abs(Double(hits) / 4_000 - propensity) < 0.03, "score \(score): \(hits), said \(propensity)")
        }
    }

    @Test("The same stream and seed query the same events", arguments: StreamStrategy.allCases)
    func deterministic(strategy: StreamStrategy) {
        let policy = StreamPolicy(strategy: strategy)
        let stream = scores(2_000, seed: 8)
        #expect(queried(policy, stream, seed: 4) == queried(policy, stream, seed: 4))
    }

    @Test(
        "An adaptive threshold uses up its budget and prefers high scores",
        arguments: [StreamStrategy.quantile, .adaptive]
    )
    func prefersHighScores(strategy: StreamStrategy) {
        var generator = SplitMix64(seed: 11)
        let stream = (0..<5_000).map { _ in generator.nextUnit() }
        let queried = queried(StreamPolicy(strategy: strategy, share: LabelShare(millionths: 100_000)), stream, seed: 2)
        #expect((480...500).contains(queried.count))
        let mean = queried.keys.map { stream[$0] }.reduce(0, +) / Double(queried.count)
        #expect(mean > 0.7)
    }

    @Test("With many pending labels the adaptive rule queries a wider range of scores")
    func adaptsToPending() {
        var generator = SplitMix64(seed: 12)
        let stream = (0..<5_000).map { _ in generator.nextUnit() }
        let policy = StreamPolicy(share: LabelShare(millionths: 100_000))
        let fresh = queried(policy, stream, seed: 2)
        let late = queried(policy, stream, delay: 500, seed: 2)
        let low = { (queried: [Int: Double]) in queried.keys.count { stream[$0] < 0.75 } * 100 / queried.count }
        #expect(low(late) > low(fresh) + 10)
    }

    @Test("Equal scores are queried as the share allows", arguments: StreamStrategy.allCases)
    func equalScores(strategy: StreamStrategy) {
        let policy = StreamPolicy(strategy: strategy, share: LabelShare(millionths: 100_000))
        let queried = queried(policy, [Double](repeating: 0.4, count: 2_000), seed: 1)
        #expect((150...200).contains(queried.count))
    }

    @Test("Unused share is saved up to the limit, and without a limit for ever")
    func savings() {
        let tenth = LabelShare(millionths: 100_000)
        var (bounded, unbounded) = (ShareLedger(), ShareLedger(burst: 2))
        for _ in 0..<100 {
            bounded.observe(tenth, savings: 3)
            unbounded.observe(tenth, savings: nil)
        }
        #expect(bounded.labels == 3)
        #expect(unbounded.labels == 12)
        var burst = ShareLedger(burst: 9)
        burst.observe(tenth, savings: 3)
        #expect(burst.labels == 9, "a burst is not cut down by what may be saved")
        var empty = ShareLedger()
        let granted = empty.spendLabel()
        #expect(!granted && empty.credit == 0)
    }

    @Test("A share is rounded down to millionths", arguments: [0.01, 0.1, 0.29, 1e-7, 0.333_333_7, 1])
    func shares(value: Double) throws {
        let share = try #require(LabelShare(value))
        #expect(share.value <= value && value - share.value < 1e-6)
        #expect(LabelShare(share.value) == share)
    }

    @Test("A value outside the range is refused as a share", arguments: [-0.1, 1.1, .nan, .infinity])
    func noShares(value: Double) { #expect(LabelShare(value) == nil) }

    @Test("With another strategy the rule restarts, and the ledger continues")
    func revision() {
        var filter = StreamFilter(StreamPolicy(strategy: .split))
        var generator = SplitMix64(seed: 1)
        var policy = StreamPolicy(strategy: .split)
        for _ in 0..<30 {
            _ = filter.judge(score: 0.5, confidence: 0.6, pending: 0, policy: policy, using: &generator)
        }
        let (events, queried) = (filter.ledger.events, filter.ledger.queried)
        policy.strategy = .random
        _ = filter.judge(score: 0, confidence: 1, pending: 0, policy: policy, using: &generator)
        #expect(filter.rule == .random(RandomSampling()))
        #expect(filter.ledger.events == events + 1 && filter.ledger.queried >= queried)
    }
}
