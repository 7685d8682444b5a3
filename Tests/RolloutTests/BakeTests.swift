import Hashing
import Rollout
import Statistics
import Tables
import Testing
import Vocabulary

@Suite("During its rollout a model is judged by labels: a challenger's rules with the roles exchanged")
struct BakeTests {
    private static let hour: Int64 = 3_600_000
    static let policy = RolloutPolicy(
        minimumShadow: 0,
        provisional: 0,
        steps: [
            RolloutStep(share: 0.05, bake: hour, voices: 20), RolloutStep(share: 1, bake: hour, voices: 20),
        ]
    )

    /// v1 is champion and v2 a canary, proven better by the labels of samples that v1 predicted wrong.
    private static func blessed() -> RolloutState {
        var state = RolloutState.withLivePredictions(policy)
        for number in 0..<200 where state.canary == nil {
            state.judge("proof-\(number)", wrong, right, policy: policy)
            _ = state.promoteIfBetter(policy: policy)
        }
        precondition(state.canary?.version == ModelVersion("v2") && state.champion == "v1")
        _ = state.advance(policy: policy, at: time(0))
        return state
    }

    /// Adds an audit sample of class 1 that the models predict before its task opens; nil stands for no prediction.
    private static func label(
        _ sample: String,
        canary: Label?,
        champion: Label?,
        isDuel: Bool = false,
        _ state: inout RolloutState
    ) -> FeedbackOutcome {
        if let champion { state.live(sample, "v1", champion, policy: policy) }
        if let canary { state.live(sample, "v2", canary, policy: policy) }
        state.opened(SampleID(sample), isDuel: isDuel, at: time(0))
        state.answer(sample, policy: policy)
        return state.judgeRollout(policy: policy)
    }

    @Test("A canary that the champion beats is quarantined, with the figures as evidence")
    func takesBack() {
        var state = Self.blessed()
        var outcome = FeedbackOutcome()
        var count = 0
        while outcome.release == nil, count < 40 {
            outcome = Self.label("s\(count)", canary: wrong, champion: right, isDuel: true, &state)
            count += 1
        }
        // No predictions of the two models before the rollout count, so the bet grows as n/(n + 4).
        #expect(count == 12)
        let release = outcome.release
        #expect(release?.cause == .canaryRolledBack && release?.quarantined == [ModelVersion("v2")])
        #expect(state.champion == "v1" && state.canary == nil && state.bets.isEmpty)
        guard case .baked(let evidence)? = release?.evidence else {
            Issue.record("labels prove it")
            return
        }
        #expect(evidence.other == ModelVersion("v1") && evidence.labels == 12 && evidence.duels == 12)
        #expect(evidence.otherBetter == 12 && evidence.canaryBetter == 0 && evidence.silent == 0)
        #expect(evidence.logE >= evidence.threshold && abs(evidence.threshold - 4.605) < 0.001)
    }

    @Test("A missing prediction of the champion counts as wrong, and in favour of the canary")
    func silence() {
        var state = Self.blessed()
        for number in 0..<4 { _ = Self.label("w\(number)", canary: wrong, champion: right, &state) }
        let before = state.progress.value.rollout?.bake
        for number in 0..<200 {
            #expect(Self.label("s\(number)", canary: right, champion: nil, &state).release == nil)
        }
        let bake = state.progress.value.rollout?.bake
        #expect(bake?.counts.silent == 200 && bake?.counts.losses == 200)
        #expect((bake?.logCapital ?? 1) < (before?.logCapital ?? 0))
    }

    @Test("If no service runs the champion any more, no sample has a pair, and no prediction is waited for")
    func unheard() {
        var state = Self.blessed()
        #expect(state.live("first", "v2", right, policy: Self.policy)?.pair == nil)
        state.live("second", "v1", right, policy: Self.policy)
        #expect(state.live("second", "v2", right, policy: Self.policy)?.pair != nil)
        #expect(state.live("first", "v2", right, policy: Self.policy)?.pair != nil)
        // The next step checks again whether a service runs the champion.
        state.progress.value.rollout?.voices = 20
        _ = state.advance(policy: Self.policy, at: time(Self.hour))
        #expect(state.progress.value.rollout?.step == 2)
        #expect(state.live("third", "v2", right, policy: Self.policy)?.pair == nil)
    }

    /// Before: with a share of 0.05, nineteen of twenty pairs had the canary's prediction in shadow, where it was as
    /// good as ever.
    @Test("The canary's predictions in shadow make no pair, because the canary is judged by what it serves")
    func shadow() {
        var state = Self.blessed()
        state.live("first", "v1", right, policy: Self.policy)
        let (id, version) = (SampleID("first"), ModelVersion("v2"))
        state.predicted(right, of: id, by: version, draw: 0.5, isLive: true, at: time(0))
        let shadowed = state.pair(id, predictedBy: version, policy: Self.policy, isShown: false, at: time(0))
        #expect(shadowed?.pair == nil && state.currentPair == nil)
        let shown = state.pair(id, predictedBy: version, policy: Self.policy, at: time(0))
        #expect(shown?.pair != nil && shown?.pair == state.currentPair)
    }

    /// Before: for a finite set of samples that is served repeatedly, a canary was judged by its predictions in shadow.
    @Test(
        "The canary's served prediction replaces its shadow one, until its pair is fixed or its task is open"
    )
    func served() {
        var state = Self.blessed()
        let (policy, version) = (Self.policy, ModelVersion("v2"))
        func predict(_ label: Label, _ sample: String, isShown: Bool) {
            state.predicted(
                label,
                of: SampleID(sample),
                by: version,
                draw: 0.5,
                isLive: true,
                isShown: isShown,
                at: time(0)
            )
            _ = state.pair(SampleID(sample), predictedBy: version, policy: policy, isShown: isShown, at: time(0))
        }
        func prediction(_ sample: String) -> Label? {
            state.rows[SampleID(sample)]?.predictions.last { $0.version == version }?.label
        }
        for sample in ["a", "b", "c"] {
            state.live(sample, "v1", right, policy: policy)
            predict(right, sample, isShown: false)
        }
        predict(wrong, "a", isShown: false)
        #expect(prediction("a") == right)
        predict(wrong, "a", isShown: true)
        #expect(prediction("a") == wrong)
        predict(right, "a", isShown: true)
        #expect(prediction("a") == wrong)
        // The sample was queried before the canary served it, so its predictions may not change any more.
        state.noteQueried(SampleID("b"), AuditOrigin(isDuel: false, stratum: .unknown, day: 0))
        predict(wrong, "b", isShown: true)
        #expect(prediction("b") == right)
        // The champion's first prediction is kept.
        state.predicted(
            wrong,
            of: SampleID("c"),
            by: ModelVersion("v1"),
            draw: 0.5,
            isLive: true,
            isShown: true,
            at: time(0)
        )
        #expect(state.rows[SampleID("c")]?.predictions.first?.label == right)
    }

    @Test("A pair that is fixed after the task opened does not count, and the era after the rollout ignores it")
    func order() {
        var state = Self.blessed()
        state.live("known", "v1", right, policy: Self.policy)
        for number in 0..<100 {
            let sample = "late-\(number)"
            state.live(sample, "v1", right, policy: Self.policy)
            state.opened(SampleID(sample), isDuel: false, at: time(0))
            state.live(sample, "v2", wrong, policy: Self.policy)
            state.answer(sample, policy: Self.policy)
            #expect(state.judgeRollout(policy: Self.policy) == FeedbackOutcome())
        }
        _ = Self.label("one", canary: wrong, champion: right, &state)
        state.live("open", "v1", right, policy: Self.policy)
        state.live("open", "v2", wrong, policy: Self.policy)
        state.opened(SampleID("open"), isDuel: false, at: time(0))
        let evidence = Evidence.command(id: "c", by: "ada", reason: "")
        _ = state.rollBack(from: ModelVersion("v2"), evidence: evidence)
        #expect(state.canary == nil && !state.era.value.isRunning && state.currentPair == nil)
        state.answer("open", policy: Self.policy)
        #expect(state.era.value.counts.ofAnotherEra == 1 && state.era.value.counts.labels == 0)
    }

    @Test("Labels roll back at most one in a hundred of 1,000 rollouts of models as good as the champion")
    func level() {
        var rolledBack = 0
        let initial = Self.blessed()
        for run in 0..<1_000 as Range<UInt64> {
            var generator = SplitMix64(projectHash: 21, entryNumber: run)
            var state = initial
            for number in 0..<300 {
                let (old, new) = (generator.nextUnit() < 0.9, generator.nextUnit() < 0.9)
                // Half of the plainly drawn samples with agreeing predictions are omitted, as if duels were queried
                // more often.
                guard old != new || generator.nextUnit() < 0.5 else { continue }
                let outcome = Self.label(
                    "s\(number)",
                    canary: new ? right : wrong,
                    champion: old ? right : wrong,
                    isDuel: old != new,
                    &state
                )
                guard outcome.release == nil else {
                    rolledBack += 1
                    break
                }
            }
        }
        #expect((1...10).contains(rolledBack), "\(rolledBack)")
    }

    @Test("A model that serves worse than it shadowed is rolled back", arguments: [(0.3, 25), (0.6, 60), (0.8, 260)])
    func power(accuracy: Double, limit: Int) {
        var needed: [Int] = []
        let initial = Self.blessed()
        for run in 0..<100 as Range<UInt64> {
            var generator = SplitMix64(projectHash: 22, entryNumber: run)
            var state = initial
            var count = 0
            for number in 0..<3_000 {
                let (old, new) = (generator.nextUnit() < 0.9, generator.nextUnit() < accuracy)
                // Three in four queried samples are ones on which the two models disagree.
                guard old != new || generator.nextUnit() < 0.1 else { continue }
                count += 1
                let outcome = Self.label(
                    "s\(number)",
                    canary: new ? right : wrong,
                    champion: old ? right : wrong,
                    isDuel: old != new,
                    &state
                )
                if outcome.release != nil { break }
            }
            needed.append(count)
        }
        let median = needed.sorted()[50]
        #expect(median <= limit, "\(median)")
        #expect(median > 5, "\(median)")
    }
}
