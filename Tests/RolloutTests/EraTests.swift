import Rollout
import Statistics
import Tables
import Testing
import Vocabulary

/// Policy that judges models by eras from the first label on, and requires no live predictions of challengers.
let judging = RolloutPolicy(minimumShadow: 0, provisional: 0)
let right = Label.choice(ClassIndex(1))
let wrong = Label.choice(ClassIndex(0))

extension RolloutState {
    /// Applies a live prediction of an audit sample, as the loop does.
    @discardableResult
    mutating func live(
        _ sample: String,
        _ version: String,
        _ label: Label,
        policy: RolloutPolicy = judging,
        at milliseconds: Int64 = 0
    ) -> AuditPairing? {
        let (id, version) = (SampleID(sample), ModelVersion(version))
        predicted(label, of: id, by: version, draw: 0.5, isLive: true, at: time(milliseconds))
        return pair(id, predictedBy: version, policy: policy, at: time(milliseconds))
    }

    /// Adds the label of an open audit task and closes the task; a nil label only closes it.
    mutating func answer(_ sample: String, _ label: Label? = right, policy: RolloutPolicy = judging) {
        if let label { labelled(SampleID(sample), label, at: time(0)) }
        closed(SampleID(sample), label: label, policy: policy)
    }

    /// Adds a sample that both models predict before it is queried, and its label.
    mutating func judge(
        _ sample: String,
        _ champion: Label,
        _ challenger: Label?,
        isDuel: Bool = false,
        policy: RolloutPolicy = judging,
        at milliseconds: Int64 = 0
    ) {
        let state = roles.value
        if let version = state.champion?.version.rawValue {
            live(sample, version, champion, policy: policy, at: milliseconds)
        }
        if let challenger, let version = state.challenger?.version.rawValue {
            live(sample, version, challenger, policy: policy, at: milliseconds)
        }
        opened(SampleID(sample), isDuel: isDuel, at: time(milliseconds))
        answer(sample, policy: policy)
    }

    /// A state in which a live prediction of the challenger v2 has been received.
    static func withLivePredictions(_ policy: RolloutPolicy = judging) -> RolloutState {
        var state = RolloutState(models: 1...2)
        state.live("first", "v2", wrong, policy: policy)
        return state
    }
}

@Suite("Eras: challengers are chosen by known labels and judged by labels that are not known yet")
struct EraTests {
    @Test("The level of an era is that of e-LOND")
    func level() {
        var state = RolloutState()
        state.era.value = Era(number: 4, promotions: 3, isRunning: true)
        let share = state.evidence(RolloutPolicy(alpha: 0.05))
        #expect(abs(share.level - 0.0073) < 0.00005)
        #expect(abs(share.threshold - 4.92) < 0.005)
        let any = state.evidence(RolloutPolicy(alpha: 0.05, bound: .any))
        #expect(abs(any.level * 4 - share.level) < 1e-15)
        var sum = 0.0
        for number in 1...1_000_000 {
            state.era.value.number = number
            sum += state.evidence(RolloutPolicy(alpha: 0.5, bound: .any)).level / 0.5
        }
        #expect(sum < 1 && sum > 0.96)
    }

    @Test("A winning challenger is promoted, with the figures as evidence")
    func promotion() throws {
        var state = RolloutState.withLivePredictions()
        var count = 0
        var release: ModelRelease?
        while release == nil, count < 100 {
            count += 1
            state.judge("s\(count)", wrong, right)
            release = state.promoteIfBetter(policy: judging)
        }
        // 1/(0.05 γ₁) = 40.6, which stakes reach that grow from 0 as n/(n + 4).
        #expect(count == 11)
        guard case .judged(let evidence)? = release?.evidence else {
            Issue.record("\(String(describing: release))")
            return
        }
        #expect((evidence.era, evidence.promotionsBefore) == (1, 0))
        #expect(evidence.all == .init(labels: count, wins: count, losses: 0) && evidence.own == evidence.all)
        #expect(evidence.logE >= evidence.threshold && evidence.shadowCoverage == 1)
        #expect(state.era.value.promotions == 1 && !state.era.value.isRunning && state.bets.isEmpty)
    }

    @Test("A missing prediction counts as wrong and as a disagreement, and one after the query is omitted")
    func silence() {
        var state = RolloutState.withLivePredictions()
        let silent = state.live("s", "v1", right)
        #expect(silent?.isSilent == true && silent?.settled == .disagree)
        #expect(silent?.isSettled(at: time(59_999), wait: 60_000) == false)
        #expect(silent?.isSettled(at: time(60_000), wait: 60_000) == true)
        state.opened(SampleID("s"), isDuel: false, at: time(60_000))
        state.live("s", "v2", right, at: 60_001)
        state.answer("s")
        let evidence = state.evidence(judging)
        #expect(evidence.all == .init(labels: 1, wins: 0, losses: 1))
        #expect((evidence.silent, evidence.lateLeftOut, evidence.settled) == (1, 1, 1))
        #expect(evidence.shadowCoverage == 0)
    }

    @Test("A pair is fixed once, by the champion's prediction, with a challenger that was already observed")
    func pairs() {
        var state = RolloutState(models: 1...2)
        // No live prediction of the challenger yet.
        expect(state.live("a", "v1", wrong)?.pair, is: nil)
        expect(state.live("a", "v2", right)?.pair, is: nil)
        let first = state.live("b", "v1", wrong)?.pair
        #expect(first != nil)
        expect(state.live("b", "v2", right)?.stratum, is: .disagree)
        // A newer challenger does not replace the one that the sample waits for, and its pair is the current one from
        // its first prediction on.
        #expect(state.currentPair == first)
        _ = state.register(model(3), policy: .init(), at: time(3))
        #expect(state.currentPair == nil)
        state.live("c", "v3", right)
        expect(state.live("b", "v1", wrong)?.pair, is: first)
        let other = state.live("d", "v1", wrong)?.pair
        #expect(other != nil && other != first)
        state.opened(SampleID("b"), isDuel: true, at: time(4))
        state.answer("b")
        let evidence = state.evidence(judging)
        #expect(evidence.all == .init(labels: 1, wins: 1, losses: 0) && evidence.own.labels == 0)
        #expect(evidence.duels == 1)
        // A sample that no service is to shadow has no pair.
        state.predicted(wrong, of: SampleID("e"), by: ModelVersion("v1"), draw: 0, isLive: true, at: time(5))
        let unshadowed = state.pair(
            SampleID("e"),
            predictedBy: ModelVersion("v1"),
            policy: judging,
            isWanted: false,
            at: time(5)
        )
        #expect(unshadowed == AuditPairing(enteredAt: time(5)))
    }

    @Test("Labels are counted in the order in which their tasks were opened; one that never arrives is skipped")
    func order() {
        var state = RolloutState.withLivePredictions()
        for sample in ["a", "b", "c"] {
            state.live(sample, "v1", wrong)
            state.live(sample, "v2", right)
            state.opened(SampleID(sample), isDuel: false, at: time(1))
        }
        state.answer("c")
        state.answer("b")
        #expect(state.evidence(judging).all.labels == 0 && state.openings.count == 3)
        state.answer("a", nil)
        #expect(state.evidence(judging).all.labels == 2 && state.openings.isEmpty)
        #expect(state.era.value.entered == 3)
    }

    @Test("The first accepted label counts: later changes affect scores, never evidence")
    func revisions() {
        var state = RolloutState.withLivePredictions()
        for number in 0..<4 { state.judge("s\(number)", wrong, right) }
        let before = state.evidence(judging)
        #expect(state.pairs.value.challengerOnly == 4)
        state.labelChanged(SampleID("s0"), to: wrong, from: 1)
        state.labelChanged(SampleID("s1"), to: nil, from: 2)
        #expect(state.evidence(judging) == before)
        #expect(state.pairs.value.challengerOnly == 2 && state.pairs.value.championOnly == 1)
    }

    @Test("An era ends with its champion, and later labels belong to another era")
    func ends() {
        var state = RolloutState.withLivePredictions()
        for sample in ["late", "later"] {
            state.live(sample, "v1", wrong)
            state.live(sample, "v2", right)
            state.opened(SampleID(sample), isDuel: false, at: time(1))
        }
        state.answer("late", nil)
        state.answer("later", nil)
        for number in 0..<3 { state.judge("s\(number)", wrong, right) }
        state.live("open", "v1", wrong)
        state.live("open", "v2", right)
        state.opened(SampleID("open"), isDuel: false, at: time(1))
        var number = 3
        var release: ModelRelease?
        state.answer("open", nil)
        while release == nil {
            number += 1
            state.live("x\(number)", "v1", wrong)
            state.live("x\(number)", "v2", right)
            state.judge("s\(number)", wrong, right)
            release = state.promoteIfBetter(policy: judging)
        }
        // The pair was fixed under the previous champion.
        state.opened(SampleID("x4"), isDuel: false, at: time(2))
        #expect(state.openings.isEmpty)
        _ = state.register(model(3), policy: .init(), at: time(3))
        state.live("first of three", "v3", wrong)
        state.live("second", "v2", right)
        #expect(state.era.value.number == 2 && state.era.value.isRunning)
        // The sample may get a pair under the current champion, because it has not been queried.
        expect(state.live("x5", "v2", wrong)?.pair, is: state.currentPair)
        let rolledBack = state.rollBack(from: ModelVersion("v2"), evidence: .none)
        #expect((try? rolledBack.get())?.champion == model(1))
        #expect(!state.era.value.isRunning && state.era.value.promotions == 1)
    }

    @Test("A trainer's report may set the bet, but is no evidence")
    func oracle() {
        var state = RolloutState.withLivePredictions()
        for number in 0..<200 {
            state.live("known\(number)", "v1", number % 10 == 0 ? wrong : right)
            state.labelled(SampleID("known\(number)"), right, at: time(0))
        }
        _ = state.register(model(3), policy: .init(), at: time(1))
        for number in 0..<200 {
            let sample = SampleID("known\(number)")
            state.predicted(right, of: sample, by: ModelVersion("v3"), draw: 0, isLive: false, at: time(1))
        }
        expect(state.promoteIfBetter(policy: judging), is: nil)
        // The old rule counts the trainer's predictions.
        expect(state.promoteIfBetter(policy: unshadowed)?.champion, is: model(3))
    }

    @Test("Wrong live predictions after a false report of a trainer lose what the report had gained")
    func lie() {
        var state = RolloutState.withLivePredictions()
        for number in 0..<20 {
            state.live("known\(number)", "v1", number % 2 == 0 ? wrong : right)
            state.labelled(SampleID("known\(number)"), right, at: time(0))
        }
        _ = state.register(model(3), policy: .init(), at: time(1))
        for number in 0..<20 {
            let sample = SampleID("known\(number)")
            state.predicted(right, of: sample, by: ModelVersion("v3"), draw: 0, isLive: false, at: time(1))
        }
        state.live("heard", "v3", wrong)
        for number in 0..<300 {
            state.judge("s\(number)", number % 10 == 0 ? wrong : right, wrong)
            expect(state.promoteIfBetter(policy: judging), is: nil)
        }
        #expect(state.evidence(judging).logE < -0.5)
    }

    @Test("A challenger that trails on plainly drawn labels is not promoted")
    func plain() {
        var state = RolloutState.withLivePredictions()
        for number in 0..<4 {
            state.live("k\(number)", "v1", right)
            state.predicted(
                wrong,
                of: SampleID("k\(number)"),
                by: ModelVersion("v2"),
                draw: 0,
                isLive: true,
                at: time(0)
            )
            state.labelled(SampleID("k\(number)"), right, at: time(0))
        }
        for number in 0..<30 { state.judge("s\(number)", wrong, right, isDuel: true) }
        #expect(state.evidence(judging).logE > state.evidence(judging).threshold)
        expect(state.promoteIfBetter(policy: judging), is: nil)
        for number in 0..<4 { state.judge("p\(number)", wrong, right) }
        expect(state.promoteIfBetter(policy: judging)?.champion, is: model(2))
    }
}
