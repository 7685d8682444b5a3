import Learner
import Rollout
import Statistics
import Testing
import Vocabulary

@Suite("A challenger is promoted only if it is better")
struct DigitsPromotionTests {
    /// Judges 50 ordered pairs of models that were trained on the same rows with different bootstrap seeds.
    ///
    /// - Returns: Numbers of promoted models, by whether the unseen images confirm that they are better.
    private func judgePairs(scenario: UInt64, rows: Int, models: Int) throws -> (rightly: Int, wrongly: Int) {
        let digits = try Digits(seed: scenario, training: rows, audit: 500)
        let models = try (0..<UInt64(models)).map { try digits.model(rows: rows, bootstrap: $0 + 100 * scenario) }
        let predictions = models.map { digits.predictions(of: $0, on: digits.audit) }
        let hits = models.map { model in
            zip(digits.predictions(of: model, on: digits.heldOut), digits.heldOutLabels).count { $0 == $1 }
        }
        var promoted = (rightly: 0, wrongly: 0)
        for pair in 0..<50 {
            let (a, b) = (pair % models.count, (pair + 1 + pair / models.count) % models.count)
            let labelsNeeded = judge(
                champion: predictions[a],
                challenger: predictions[b],
                labels: digits.auditLabels,
                policy: RolloutPolicy(minimumShadow: 0, bound: .challenger),
                seed: UInt64(pair)
            )
            guard labelsNeeded != nil else { continue }
            if hits[b] > hits[a] { promoted.rightly += 1 } else { promoted.wrongly += 1 }
        }
        return promoted
    }

    @Test("Of 100 challengers that are the champion trained again, at most 10 are promoted")
    func same() throws {
        var promoted = 0
        for scenario in 0..<2 as Range<UInt64> {
            let found = try judgePairs(scenario: scenario, rows: 600, models: 8)
            promoted += found.rightly + found.wrongly
        }
        #expect(promoted <= 10, "\(promoted) of 100 promoted")
    }

    @Test("When retrained models of few labels differ, the promoted ones are better on unseen images")
    func few() throws {
        var promoted = (rightly: 0, wrongly: 0)
        for scenario in 0..<2 as Range<UInt64> {
            let found = try judgePairs(scenario: scenario, rows: 100, models: 11)
            promoted.rightly += found.rightly
            promoted.wrongly += found.wrongly
        }
        #expect(promoted.wrongly <= 5, "\(promoted) of 100")
    }

    @Test(
        "Of 400 challengers that err as often as the champion, on other samples, no more than alpha are promoted",
        arguments: [0.05, 0.2]
    )
    func noBetter(alpha: Double) {
        var promoted = 0
        for seed in 0..<400 as Range<UInt64> {
            var generator = SplitMix64(seed: seed)
            let labels = (0..<600).map { _ in generator.next(below: 3) }
            func guess() -> [Int] { labels.map { generator.nextUnit() < 0.2 ? ($0 + 1) % 3 : $0 } }
            let (champion, challenger) = (guess(), guess())
            let policy = RolloutPolicy(alpha: alpha, bound: .challenger)
            if judge(champion: champion, challenger: challenger, labels: labels, policy: policy, seed: seed) != nil {
                promoted += 1
            }
        }
        // Ville's bound, plus three standard deviations of a count with that mean.
        let limit = 400 * alpha + 3 * (400 * alpha * (1 - alpha)).squareRoot()
        #expect(Double(promoted) <= limit, "\(promoted) of 400 promoted")
    }

    @Test("A challenger with two classes swapped is never promoted", arguments: 0..<3 as Range<UInt64>)
    func swapped(seed: UInt64) throws {
        let digits = try Digits(seed: seed, training: 200, audit: 500)
        let champion = try digits.predictions(of: digits.model(rows: 200), on: digits.audit)
        for (a, b) in [(0, 1), (3, 8), (7, 9)] {
            let challenger = champion.map { $0 == a ? b : ($0 == b ? a : $0) }
            for order in 0..<10 as Range<UInt64> {
                let labelsNeeded = judge(
                    champion: champion,
                    challenger: challenger,
                    labels: digits.auditLabels,
                    policy: RolloutPolicy(minimumShadow: 0, bound: .challenger),
                    seed: order
                )
                #expect(labelsNeeded == nil, "seed \(seed), classes \(a) and \(b)")
            }
        }
    }

    @Test("A clearly better challenger is promoted", arguments: 0..<3 as Range<UInt64>)
    func better(seed: UInt64) throws {
        let digits = try Digits(seed: seed, training: 400, audit: 500)
        let champion = try digits.predictions(of: digits.model(rows: 20), on: digits.audit)
        let challenger = try digits.predictions(of: digits.model(rows: 400), on: digits.audit)
        for order in 0..<10 as Range<UInt64> {
            let labelsNeeded = judge(
                champion: champion,
                challenger: challenger,
                labels: digits.auditLabels,
                policy: RolloutPolicy(minimumShadow: 0, bound: .challenger),
                seed: order
            )
            let needed = try #require(labelsNeeded, "seed \(seed): never promoted")
            #expect(needed < 200, "seed \(seed): only after \(needed) labels")
        }
    }

    @Test("No model is promoted during an operator's hold")
    func held() {
        var rollout = RolloutState()
        let time = StreamTime(milliseconds: 0)
        _ = rollout.register(model("v1"), policy: .init(), at: time)
        _ = rollout.register(model("v2", 2), policy: .init(), at: time)
        rollout.hold(true)
        for index in 0..<50 {
            let sample = SampleID("s\(index)")
            rollout.predicted(
                .choice(ClassIndex(1)),
                of: sample,
                by: ModelVersion("v1"),
                draw: 0,
                isLive: true,
                at: time
            )
            rollout.predicted(
                .choice(ClassIndex(0)),
                of: sample,
                by: ModelVersion("v2"),
                draw: 0,
                isLive: true,
                at: time
            )
            rollout.labelled(sample, .choice(ClassIndex(0)), at: time)
            #expect(rollout.promoteIfBetter(policy: RolloutPolicy(minimumShadow: 0, bound: .challenger)) == nil)
        }
        rollout.hold(false)
        #expect(
            rollout.promoteIfBetter(policy: RolloutPolicy(minimumShadow: 0, bound: .challenger))?.cause == .promoted
        )
    }
}
