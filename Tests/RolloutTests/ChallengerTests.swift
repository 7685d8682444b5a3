import Rollout
import Statistics
import Tables
import Testing
import Vocabulary

@Suite struct ChallengerTests {
    @Test("The first model is released, the next one shadows it, a newer one replaces the shadow")
    func registration() {
        var state = RolloutState()
        let first = state.register(model(1), policy: .init(), at: time(1))
        #expect(first?.cause == .first)
        #expect(first?.champion == model(1))
        #expect(first?.challenger == nil)
        #expect(first?.evidence == Evidence.none)
        let second = state.register(model(2), policy: .init(), at: time(2))
        #expect(second?.cause == .shadow)
        #expect(second?.champion == model(1))
        #expect(second?.challenger == model(2))
        let third = state.register(model(3), policy: .init(), at: time(3))
        #expect(third?.challenger == model(3))
        #expect(third?.replaced == nil)
        #expect(state.roles.value.challengerSince == time(3))
    }

    @Test("At alpha 0.05 seven wins and no loss promote a challenger, and six wins do not")
    func threshold() throws {
        var state = RolloutState(models: 1...2)
        for number in 0..<6 {
            state.pair("s\(number)", champion: false, challenger: true)
            let early = state.promoteIfBetter(policy: unshadowed)
            #expect(early == nil)
        }
        state.pair("s6", champion: false, challenger: true)
        let last = state.promoteIfBetter(policy: unshadowed)
        let release = try #require(last)
        #expect(release.cause == .promoted)
        #expect(release.champion == model(2))
        #expect(release.challenger == nil)
        #expect(release.replaced == ModelVersion("v1"))
        guard case .paired(let labels, let wins, let losses, let logE, let threshold) = release.evidence else {
            Issue.record("\(release.evidence)")
            return
        }
        #expect((labels, wins, losses) == (7, 7, 0))
        #expect(logE >= threshold)
        // E(7, 0) = 2⁸ · (1 − 2⁻⁸) / 8 = 255/8, and 1/0.05 = 20.
        #expect(abs(Reproducible.exp(logE) - 255.0 / 8) < 1e-9)
        #expect(abs(Reproducible.exp(threshold) - 20) < 1e-9)
    }

    @Test("Samples on which both models are right, or both wrong, are no evidence")
    func agreement() {
        var state = RolloutState(models: 1...2)
        for number in 0..<200 { state.pair("s\(number)", champion: number % 2 == 0, challenger: number % 2 == 0) }
        let none = state.promoteIfBetter(policy: unshadowed)
        #expect(none == nil)
        #expect(state.pairs.value == PairCounts(labels: 200, challengerOnly: 0, championOnly: 0))
    }

    @Test("Losses count as much as wins: a challenger that is no better is not promoted")
    func losses() {
        var state = RolloutState(models: 1...2)
        for number in 0..<100 { state.pair("s\(number)", champion: number % 2 == 0, challenger: number % 2 == 1) }
        let even = state.promoteIfBetter(policy: unshadowed)
        #expect(even == nil)
        var worse = RolloutState(models: 1...2)
        for number in 0..<100 { worse.pair("s\(number)", champion: true, challenger: false) }
        let none = worse.promoteIfBetter(policy: unshadowed)
        #expect(none == nil)
    }

    @Test("The first prediction of a model counts, whatever later ones are and whenever the label arrives")
    func firstWord() {
        var state = RolloutState(models: 1...2)
        let sample = SampleID("s")
        state.predicted(
            .choice(ClassIndex(0)),
            of: sample,
            by: ModelVersion("v1"),
            draw: 0.5,
            isLive: true,
            at: time(0)
        )
        state.predicted(
            .choice(ClassIndex(1)),
            of: sample,
            by: ModelVersion("v1"),
            draw: 0.5,
            isLive: true,
            at: time(0)
        )
        state.labelled(sample, .choice(ClassIndex(1)), at: time(0))
        state.predicted(
            .choice(ClassIndex(1)),
            of: sample,
            by: ModelVersion("v2"),
            draw: 0.5,
            isLive: true,
            at: time(0)
        )
        state.predicted(
            .choice(ClassIndex(0)),
            of: sample,
            by: ModelVersion("v2"),
            draw: 0.5,
            isLive: true,
            at: time(0)
        )
        // A second label does not change the result either: a sample is labelled once.
        state.labelled(sample, .choice(ClassIndex(0)), at: time(0))
        #expect(state.pairs.value == PairCounts(labels: 1, challengerOnly: 1, championOnly: 0))
    }

    @Test(
        "Incremental pair counts equal a recount, in any order of predictions and labels",
        arguments: 0..<48 as Range<UInt64>
    )
    func recount(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        var state = RolloutState(models: 1...2)
        for _ in 0..<300 {
            let sample = SampleID("s\(generator.next(below: 60))")
            let label = Label.choice(ClassIndex(generator.next(below: 3)))
            switch generator.next(below: 3) {
            case 0: state.labelled(sample, label, at: time(0))
            default:
                let version = ModelVersion("v\(1 + generator.next(below: 3))")
                state.predicted(label, of: sample, by: version, draw: generator.nextUnit(), isLive: true, at: time(0))
            }
        }
        var expected = PairCounts()
        for (_, row) in state.rows.sortedRows {
            guard let label = row.label, let old = row.predictions.first(where: { $0.version == ModelVersion("v1") }),
                let new = row.predictions.first(where: { $0.version == ModelVersion("v2") })
            else { continue }
            expected.labels += 1
            if new.label == label, old.label != label { expected.challengerOnly += 1 }
            if old.label == label, new.label != label { expected.championOnly += 1 }
        }
        #expect(state.pairs.value == expected)
        #expect(expected.labels > 5)
    }

    @Test("A prediction of a model that is neither champion nor challenger is not stored")
    func strangers() {
        var state = RolloutState(models: 1...2)
        state.predicted(
            .choice(ClassIndex(0)),
            of: SampleID("s"),
            by: ModelVersion("v9"),
            draw: 0.5,
            isLive: true,
            at: time(0)
        )
        #expect(state.rows.isEmpty)
    }

    @Test("A new challenger is judged by its own predictions for labels that are already there")
    func newChallenger() {
        var state = RolloutState(models: 1...2)
        for number in 0..<5 { state.pair("s\(number)", champion: false, challenger: true) }
        _ = state.register(model(3), policy: .init(), at: time(3))
        #expect(state.pairs.value == PairCounts())
        for number in 0..<5 {
            state.predicted(
                .choice(ClassIndex(1)),
                of: SampleID("s\(number)"),
                by: ModelVersion("v3"),
                draw: 0.5,
                isLive: true,
                at: time(4)
            )
        }
        #expect(state.pairs.value == PairCounts(labels: 5, challengerOnly: 5, championOnly: 0))
    }

    @Test("A hold blocks promotion and nothing else, until it is released")
    func hold() {
        var state = RolloutState(models: 1...2)
        state.hold(true)
        let held = state.promote(samples: "s")
        #expect(held == nil)
        #expect(state.challenger == "v2")
        state.hold(false)
        let release = state.promoteIfBetter(policy: unshadowed)
        #expect(release?.cause == .promoted)
    }

    @Test("However good its trainer's score, a challenger is promoted only after live predictions")
    func live() {
        let policy = RolloutPolicy(minimumShadow: 10, bound: .challenger)
        var state = RolloutState(models: 1...1)
        for number in 0..<30 {
            let sample = SampleID("s\(number)")
            state.predicted(
                .choice(ClassIndex(0)),
                of: sample,
                by: ModelVersion("v1"),
                draw: 0.1,
                isLive: true,
                at: time(0)
            )
            state.labelled(sample, .choice(ClassIndex(1)), at: time(0))
        }
        _ = state.register(model(2), policy: .init(), at: time(2))
        for number in 0..<30 {
            let sample = SampleID("s\(number)")
            state.predicted(
                .choice(ClassIndex(1)),
                of: sample,
                by: ModelVersion("v2"),
                draw: 0,
                isLive: false,
                at: time(2)
            )
        }
        #expect(state.pairs.value == PairCounts(labels: 30, challengerOnly: 30, championOnly: 0))
        for number in 0..<10 {
            let early = state.promoteIfBetter(policy: policy)
            #expect(early == nil)
            let sample = SampleID("t\(number)")
            state.predicted(
                .choice(ClassIndex(1)),
                of: sample,
                by: ModelVersion("v2"),
                draw: 0.5,
                isLive: true,
                at: time(3)
            )
        }
        let release = state.promoteIfBetter(policy: policy)
        #expect(release?.champion == model(2))
        #expect(state.roles.value.challengerLivePredictions == 0)
    }

    @Test("A trainer's prediction for a label that was evicted earlier does not evict another sample")
    func forgottenLabels() {
        var state = RolloutState(models: 1...1)
        for number in 0..<RolloutState.rowCapacity {
            state.labelled(SampleID("s\(number)"), .choice(ClassIndex(0)), at: time(Int64(number)))
        }
        let before = state.rows.sortedKeys
        for number in 0..<500 {
            state.predicted(
                .choice(ClassIndex(0)),
                of: SampleID("old\(number)"),
                by: ModelVersion("v1"),
                draw: 0,
                isLive: false,
                at: time(5_000)
            )
        }
        #expect(state.rows.sortedKeys == before)
    }

    @Test("A full table evicts the unlabelled sample drawn last, then the oldest labelled one")
    func eviction() {
        var state = RolloutState(models: 1...1)
        let version = ModelVersion("v1")
        for number in 0..<RolloutState.rowCapacity {
            let draw = Double(number) / Double(RolloutState.rowCapacity)
            state.predicted(
                .choice(ClassIndex(0)),
                of: SampleID("s\(number)"),
                by: version,
                draw: draw,
                isLive: true,
                at: time(Int64(number))
            )
        }
        #expect(state.rows.count == RolloutState.rowCapacity)
        // The draw of this sample is after all others, so it is not stored.
        state.predicted(
            .choice(ClassIndex(0)),
            of: SampleID("late"),
            by: version,
            draw: 0.9999,
            isLive: true,
            at: time(5_000)
        )
        #expect(state.rows[SampleID("late")] == nil)
        // The draw of this sample is before the last one, so it replaces that sample.
        state.predicted(
            .choice(ClassIndex(0)),
            of: SampleID("early"),
            by: version,
            draw: 0.0001,
            isLive: true,
            at: time(5_000)
        )
        #expect(state.rows[SampleID("early")] != nil)
        #expect(state.rows[SampleID("s999")] == nil)
        #expect(state.rows.count == RolloutState.rowCapacity)
        // A label is always stored.
        state.labelled(SampleID("asked"), .choice(ClassIndex(0)), at: time(5_001))
        #expect(state.rows[SampleID("asked")] != nil)
        #expect(state.rows[SampleID("s998")] == nil)
        for (key, _) in state.rows.sortedRows { state.labelled(key, .choice(ClassIndex(0)), at: time(6_000)) }
        state.labelled(SampleID("another"), .choice(ClassIndex(0)), at: time(7_000))
        #expect(state.rows[SampleID("another")] != nil)
        #expect(state.rows[SampleID("s0")] == nil)
        #expect(state.rows.count == RolloutState.rowCapacity)
    }

    @Test("The history of champions is bounded, and the latest ones are kept")
    func history() {
        var state = RolloutState(models: 1...1)
        for number in 2...20 {
            _ = state.register(model(number), policy: .init(), at: time(Int64(number)))
            let release = state.promote(samples: "\(number)-")
            #expect(release?.champion == model(number))
        }
        #expect(state.roles.value.history.count == RolloutState.historyCapacity)
        #expect(state.roles.value.history.last?.model == model(19))
    }
}
