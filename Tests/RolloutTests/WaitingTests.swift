import Rollout
import Statistics
import Tables
import Testing
import Vocabulary

@Suite("With sufficient evidence, newer models wait until the current challenger is judged")
struct WaitingTests {
    /// A state with sufficient evidence in the era, and the challenger v3 without labels of its own, which replaced v2.
    static func proven(_ policy: RolloutPolicy = judging) -> RolloutState {
        var state = RolloutState.withLivePredictions(policy)
        for number in 0..<20 { state.judge("s\(number)", wrong, right, policy: policy) }
        state.labelledPlainly("plain", right, right)
        state.roles.value.challenger = nil
        _ = state.register(model(3), policy: policy, at: time(2))
        return state
    }

    @Test("A newer model waits until the challenger wins and is promoted, and then becomes challenger")
    func promoted() {
        var state = Self.proven()
        #expect(state.challenger == "v3" && state.evidence(judging).logE > state.evidence(judging).threshold)
        expect(state.promoteIfBetter(policy: judging), is: nil)
        state.live("heard", "v3", right)
        expect(state.register(model(4), policy: judging, at: time(3)), is: nil)
        #expect(state.challenger == "v3" && state.roles.value.waiting == model(4))
        #expect(state.knows(ModelVersion("v4")))
        // The newest model replaces the one that is waiting.
        expect(state.register(model(5), policy: judging, at: time(4)), is: nil)
        expect(state.admitWaiting(policy: judging, at: time(4)), is: nil)
        state.judge("own", wrong, right)
        expect(state.promoteIfBetter(policy: judging)?.champion, is: model(3))
        let release = state.admitWaiting(policy: judging, at: time(5))
        #expect(release?.cause == .shadow && release?.challenger == model(5))
        #expect(state.roles.value.waiting == nil && state.roles.value.challengerSince == time(5))
        expect(state.admitWaiting(policy: judging, at: time(6)), is: nil)
    }

    @Test("A challenger that loses, shows no difference, or is run by no service lets the waiting model replace it")
    func givesWay() {
        var state = Self.proven()
        state.live("heard", "v3", right)
        _ = state.register(model(4), policy: judging, at: time(3))
        state.judge("own", right, wrong)
        expect(state.promoteIfBetter(policy: judging), is: nil)
        expect(state.admitWaiting(policy: judging, at: time(4))?.challenger, is: model(4))

        var same = Self.proven()
        same.live("heard", "v3", right)
        for number in 0..<20 {
            expect(same.register(model(4 + number), policy: judging, at: time(3)), is: nil)
            same.judge("t\(number)", right, right)
        }
        expect(same.admitWaiting(policy: judging, at: time(4))?.challenger, is: model(23))

        var livePolicy = RolloutPolicy(minimumShadow: 3, provisional: 0)
        var silent = Self.proven(livePolicy)
        expect(silent.register(model(4), policy: livePolicy, at: time(3)), is: nil)
        for _ in 0..<10 {
            expect(silent.admitWaiting(policy: livePolicy, at: time(3)), is: nil)
            _ = silent.noteMissingShadow(version: ModelVersion("v1"), policy: livePolicy, at: time(3))
        }
        expect(silent.admitWaiting(policy: livePolicy, at: time(4))?.challenger, is: model(4))
        // Missing predictions of a challenger are not counted if none are required.
        livePolicy.minimumShadow = 0
        var uncounted = Self.proven(livePolicy)
        expect(uncounted.register(model(4), policy: livePolicy, at: time(3))?.challenger, is: model(4))
    }

    @Test("With insufficient evidence, or under the rules before eras, the newest model becomes challenger at once")
    func takes() {
        var state = RolloutState.withLivePredictions()
        expect(state.register(model(3), policy: judging, at: time(2))?.challenger, is: model(3))
        var old = Self.proven()
        let challenger = RolloutPolicy(minimumShadow: 0, bound: .challenger, provisional: 0)
        expect(old.register(model(4), policy: challenger, at: time(3))?.challenger, is: model(4))
        var rolledBack = Self.proven()
        rolledBack.live("heard", "v3", right)
        _ = rolledBack.register(model(4), policy: judging, at: time(3))
        #expect(rolledBack.roles.value.waiting != nil)
        rolledBack.roles.value.history = [FormerChampion(model: model(0), expectedRate: nil)]
        _ = rolledBack.rollBack(from: ModelVersion("v1"), evidence: .none)
        expect(rolledBack.admitWaiting(policy: judging, at: time(4))?.challenger, is: model(4))
    }
}

extension RolloutState {
    /// Adds a labelled audit sample without a pair, with predictions of v1 and v2.
    fileprivate mutating func labelledPlainly(_ sample: String, _ champion: Label, _ challenger: Label) {
        for (version, label) in [("v1", champion), ("v2", challenger)] {
            predicted(label, of: SampleID(sample), by: ModelVersion(version), draw: 0.5, isLive: false, at: time(0))
        }
        labelled(SampleID(sample), right, at: time(0))
    }
}
