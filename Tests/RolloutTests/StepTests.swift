import Rollout
import Tables
import Testing
import Vocabulary

@Suite("Staged rollouts: blessed, canary, live")
struct StepTests {
    static let hour: Int64 = 3_600_000
    static let steps = [
        RolloutStep(share: 0.05, bake: hour, voices: 20),
        RolloutStep(share: 0.5, bake: 2 * hour, voices: 40, approve: true),
        RolloutStep(share: 1),
    ]

    static func policy(_ steps: [RolloutStep] = steps, holdback: Double = 0) -> RolloutPolicy {
        RolloutPolicy(minimumShadow: 0, bound: .challenger, steps: steps, holdback: holdback)
    }

    /// A state in which v1 has served, `voices` voices with one rejection in ten gave its rate, and v2 won at the time
    /// 0.
    static func blessed(_ policy: RolloutPolicy = policy(), voices: Int = 100) -> (RolloutState, ModelRelease?) {
        var state = RolloutState(models: 1...1)
        for number in 0..<voices {
            _ = state.receiveFeedback(number % 10 == 0 ? .rejection : .confirmation, number, policy: policy)
        }
        _ = state.register(model(2), policy: .init(), at: time(0))
        let release = state.promote(policy: policy, samples: "p")
        return (state, release)
    }

    private static func describeStaging(_ state: RolloutState, _ policy: RolloutPolicy = policy()) -> String {
        guard let staging = state.staging(policy) else { return "none" }
        let canary = staging.canary.map { " \($0.version) \($0.share ?? -1) step \($0.step)" } ?? ""
        return "\(staging.state)\(staging.pause.map { " \($0.rawValue)" } ?? "")\(canary)"
    }

    private static func addVoices(
        _ count: Int,
        from first: Int,
        _ state: inout RolloutState,
        _ policy: RolloutPolicy = policy()
    ) {
        for number in first..<first + count {
            _ = state.receiveFeedback(
                number % 10 == 0 ? .rejection : .confirmation,
                number,
                about: "v2",
                policy: policy
            )
        }
    }

    @Test(
        "A model proven better serves a share, and each step needs time, voices, and an approval if configured"
    )
    func passes() {
        var (state, release) = Self.blessed()
        let policy = Self.policy()
        #expect(release?.cause == .canary && release?.champion == model(1) && release?.challenger == nil)
        if case .paired? = release?.evidence {} else { Issue.record("a promotion says by what") }
        func advance(_ milliseconds: Int64) -> StepOutcome { state.advance(policy: policy, at: time(milliseconds)) }
        expect(advance(5), is: StepOutcome())
        #expect(Self.describeStaging(state) == "canary v2 0.05 step 1")
        #expect(state.nextStepDeadline(policy: policy, after: time(5)) == time(5 + Self.hour))
        Self.addVoices(20, from: 1_000, &state)
        expect(advance(4 + Self.hour), is: StepOutcome())
        let second = advance(5 + Self.hour).release
        #expect(second?.cause == .canary && Self.describeStaging(state) == "canary v2 0.5 step 2")
        guard case .rollout(let figures)? = second?.evidence else { return }
        #expect(figures.map(\.voices) == [20] && figures.map(\.negative) == [2])
        #expect(figures.map(\.from) == [time(5)] && figures.map(\.to) == [time(5 + Self.hour)])
        // Voices of the previous step do not count for this one, and neither time nor voices replace the approval.
        Self.addVoices(40, from: 2_000, &state)
        let approvalRequest = advance(5 + 3 * Self.hour)
        #expect(approvalRequest.release == nil && approvalRequest.notice?.kind == .approvalWanted)
        expect(advance(5 + 9_000 * Self.hour), is: StepOutcome())
        expect(state.approve(ModelVersion("v1"), by: "ada", policy: policy)?.refusal.code, is: .unknownModel)
        expect(state.approve(ModelVersion("v2"), by: "ada", policy: policy)?.refusal.code, is: nil)
        expect(state.approve(ModelVersion("v2"), by: "bob", policy: policy)?.refusal.code, is: .nothingToApprove)
        let live = advance(6 + 9_000 * Self.hour).release
        #expect(live?.cause == .live && live?.champion == model(2) && live?.replaced == ModelVersion("v1"))
        #expect(Self.describeStaging(state) == "live" && state.roles.value.history.map(\.model) == [model(1)])
        guard case .rollout(let all)? = live?.evidence else { return }
        #expect(all.map(\.step) == [1, 2] && all.map(\.approvedBy) == [nil, "ada"])
        expect(advance(10_000 * Self.hour), is: StepOutcome())
    }

    @Test("Without voices a rollout pauses with one notice, and never completes; it continues when they arrive")
    func pauses() {
        var (state, _) = Self.blessed()
        let policy = Self.policy()
        _ = state.advance(policy: policy, at: time(0))
        Self.addVoices(19, from: 1_000, &state)
        var releases: [ModelRelease?] = []
        var notices: [Notice.Kind?] = []
        for hour in 0..<5_000 {
            let outcome = state.advance(policy: policy, at: time(Int64(hour) * Self.hour))
            releases.append(outcome.release)
            notices.append(outcome.notice?.kind)
        }
        #expect(releases.compactMap { $0?.cause } == [.canary] && notices.compactMap { $0 } == [.rolloutPaused])
        #expect(Self.describeStaging(state) == "paused insufficient_evidence v2 0.05 step 1")
        #expect(state.nextStepDeadline(policy: policy, after: time(5_000 * Self.hour)) == nil)
        Self.addVoices(1, from: 3_000, &state)
        expect(state.advance(policy: policy, at: time(5_001 * Self.hour)).release?.cause, is: .canary)
        #expect(Self.describeStaging(state) == "canary v2 0.5 step 2")
    }

    @Test("A bake of milliseconds suffices for two weeks of steps, and a clock that jumps back completes no step")
    func clocks() {
        let steps = [RolloutStep(share: 0.1, bake: 14, voices: 1), RolloutStep(share: 1, bake: 14, voices: 1)]
        let policy = Self.policy(steps)
        var (state, _) = Self.blessed(policy)
        _ = state.advance(policy: policy, at: time(1_000))
        Self.addVoices(1, from: 1_000, &state, policy)
        for back in [999, 0, -1_000_000_000_000] as [Int64] {
            expect(state.advance(policy: policy, at: time(back)), is: StepOutcome())
        }
        expect(state.advance(policy: policy, at: time(1_014)).release?.cause, is: .canary)
        Self.addVoices(1, from: 2_000, &state, policy)
        expect(state.advance(policy: policy, at: time(1_027)), is: StepOutcome())
        expect(state.advance(policy: policy, at: time(1_028)).release?.cause, is: .live)
    }

    @Test("A hold pauses the rollout while time continues; a freeze ends it, and the champion stays")
    func holds() {
        let policy = Self.policy()
        var (state, _) = Self.blessed()
        _ = state.advance(policy: policy, at: time(0))
        Self.addVoices(20, from: 1_000, &state)
        state.hold(true)
        expect(state.advance(policy: policy, at: time(1)).release?.cause, is: .canary)
        #expect(Self.describeStaging(state) == "paused manual_hold v2 0.05 step 1")
        expect(state.advance(policy: policy, at: time(2 * Self.hour)), is: StepOutcome())
        state.hold(false)
        expect(state.advance(policy: policy, at: time(2 * Self.hour)).release?.cause, is: .canary)
        #expect(Self.describeStaging(state) == "canary v2 0.5 step 2")
        var frozen = state
        let evidence = Evidence.command(id: "c", by: "ada", reason: "r")
        let release = frozen.freeze(policy: policy, evidence: evidence, at: time(3 * Self.hour))
        #expect(release?.champion == model(1) && release?.replaced == nil)
        #expect(frozen.canary == nil && frozen.roles.value.quarantined.isEmpty)
        #expect(frozen.watches[ModelVersion("v2")] == nil)
    }

    @Test("A newer model shadows and does not replace a blessed one; its pairs begin after the rollout")
    func newer() {
        var policy = Self.policy([RolloutStep(share: 0.5, bake: 10, voices: 1), RolloutStep(share: 1)])
        policy.bound = .share
        policy.provisional = 0
        policy.alpha = 0.5
        var state = RolloutState(models: 1...2)
        func duel(_ name: String, at milliseconds: Int64) -> AuditPairing? {
            let sample = SampleID(name)
            let versions = [state.champion, state.challenger, state.canary?.version.rawValue].compactMap { $0 }
            var pairing: AuditPairing?
            for version in versions.reversed() {
                let isRight = version != state.champion
                state.predicted(
                    .choice(ClassIndex(isRight ? 1 : 0)),
                    of: sample,
                    by: ModelVersion(version),
                    draw: 0.5,
                    isLive: true,
                    at: time(milliseconds)
                )
                pairing = state.pair(sample, predictedBy: ModelVersion(version), policy: policy, at: time(milliseconds))
            }
            state.opened(sample, isDuel: false, at: time(milliseconds))
            state.labelled(sample, .choice(ClassIndex(1)), at: time(milliseconds))
            state.closed(sample, label: .choice(ClassIndex(1)), policy: policy)
            return pairing
        }
        var release: ModelRelease?
        for number in 0..<60 where release == nil {
            _ = duel("a\(number)", at: 5)
            release = state.promoteIfBetter(policy: policy)
        }
        #expect(release?.cause == .canary && state.era.value.promotions == 1 && !state.era.value.isRunning)
        _ = state.advance(policy: policy, at: time(10))
        let shadow = state.register(model(3), policy: .init(), at: time(11))
        #expect(shadow?.cause == .shadow && state.canary == model(2) && state.challenger == "v3")
        #expect(state.staging(policy)?.shadows == [ModelVersion("v3"), ModelVersion("v2"), ModelVersion("v1")])
        for number in 0..<60 {
            // Pairs made meanwhile belong to the canary and the champion, and not to a challenger.
            let pair = duel("b\(number)", at: 12)?.pair
            #expect(pair == nil || pair == state.progress.value.rollout?.bake?.pair)
            expect(state.promoteIfBetter(policy: policy), is: nil)
        }
        #expect(!state.era.value.isRunning && state.progress.value.rollout?.bake != nil)
        _ = state.register(model(4), policy: .init(), at: time(13))
        #expect(state.canary == model(2) && state.challenger == "v4")
        Self.addVoices(1, from: 5_000, &state, policy)
        expect(state.advance(policy: policy, at: time(30)).release?.cause, is: .live)
        _ = duel("c0", at: 31)
        #expect(duel("c1", at: 31)?.pair != nil && state.era.value.isRunning && state.era.value.number == 2)
    }

    @Test("Rollback of the champion ends the rollout of a canary, rollback of the canary keeps the champion")
    func rollbacks() throws {
        let policy = Self.policy()
        var (state, _) = Self.blessed()
        _ = state.advance(policy: policy, at: time(0))
        Self.addVoices(20, from: 1_000, &state)
        var other = state
        let evidence = RollbackTests.command
        let canary = try other.rollBack(from: ModelVersion("v2"), evidence: evidence, policy: policy, at: time(1)).get()
        #expect(canary.cause == .canaryRolledBack && canary.champion == model(1))
        #expect(canary.quarantined == [ModelVersion("v2")] && other.canary == nil)
        expect(other.register(model(2), policy: .init(), at: time(2)), is: nil)
        // v1 was the first: no model served before it.
        let result = state.rollBack(from: ModelVersion("v1"), evidence: evidence, policy: policy, at: time(1))
        guard case .failure(let error) = result else {
            Issue.record("\(result)")
            return
        }
        #expect(error.refusal.code == .nothingToRollBack && state.canary == model(2))
        state.roles.value.history = [FormerChampion(model: model(9), expectedRate: nil)]
        let release = try state.rollBack(from: ModelVersion("v1"), evidence: evidence, policy: policy, at: time(1))
            .get()
        #expect(release.champion == model(9) && state.canary == nil)
        #expect(release.quarantined == [ModelVersion("v1")])
    }

    @Test("A command restores a version at once if it served within the window, and otherwise by the steps")
    func returns() throws {
        var policy = Self.policy([RolloutStep(share: 0.5, bake: 1, voices: 1), RolloutStep(share: 1)])
        policy.rollbackWindow = 100
        var (state, _) = Self.blessed(policy)
        state.noteStaging(state.staging(policy), at: time(0))
        state.noteService(at: time(0))
        _ = state.advance(policy: policy, at: time(0))
        Self.addVoices(1, from: 1_000, &state, policy)
        expect(state.advance(policy: policy, at: time(1_000)).release?.cause, is: .live)
        state.noteService(at: time(1_000))
        let evidence = RollbackTests.command
        var early = state
        let atOnce = try early.rollBack(from: ModelVersion("v2"), evidence: evidence, policy: policy, at: time(1_100))
            .get()
        #expect(atOnce.cause == .command && atOnce.champion == model(1) && early.canary == nil)
        let late = try state.rollBack(from: ModelVersion("v2"), evidence: evidence, policy: policy, at: time(1_101))
            .get()
        #expect(late.cause == .canary && late.champion == model(2) && state.canary == model(1))
        _ = state.advance(policy: policy, at: time(1_101))
        _ = state.receiveFeedback(.confirmation, 9_000, about: "v1", policy: policy)
        let live = state.advance(policy: policy, at: time(1_102)).release
        #expect(live?.cause == .live && live?.champion == model(1) && live?.quarantined == [ModelVersion("v2")])
        #expect(state.roles.value.history.isEmpty)
    }

    @Test("A rollout continues under the current revision, and without steps it completes at once")
    func revision() {
        var (state, _) = Self.blessed()
        _ = state.advance(policy: Self.policy(), at: time(0))
        let release = state.advance(policy: Self.policy([.atOnce]), at: time(1)).release
        #expect(release?.cause == .live && state.staging(Self.policy([.atOnce])) == nil)
    }

    @Test("A provisional release has no steps")
    func provisional() {
        var policy = Self.policy()
        policy.bound = .share
        var state = RolloutState(models: 1...2)
        expect(state.promote(policy: policy, samples: "p")?.cause, is: .provisional)
        #expect(state.champion == "v2" && state.canary == nil)
    }
}
