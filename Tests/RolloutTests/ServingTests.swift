import Rollout
import Statistics
import Tables
import Testing
import Vocabulary

@Suite("Versions that serve at the same time")
struct ServingTests {
    private static let policy = StepTests.policy([RolloutStep(share: 0.5, bake: 1, voices: 400), RolloutStep(share: 1)])

    private static func started(_ policy: RolloutPolicy = policy) -> RolloutState {
        var (state, _) = StepTests.blessed(policy)
        _ = state.advance(policy: policy, at: time(0))
        return state
    }

    /// Adds voices about the two versions in turn, each pair from a user of its own; one in `canary` voices about the
    /// canary rejects, and one in `champion` voices about the champion.
    private static func addVoices(
        _ state: inout RolloutState,
        canary: Int,
        champion: Int,
        count: Int = 300,
        users: Int = .max,
        policy: RolloutPolicy = policy
    ) -> (after: Int, release: ModelRelease)? {
        var generator = SplitMix64(seed: 7)
        for number in 0..<count {
            for (version, every) in [("v1", champion), ("v2", canary)] {
                let result = state.receiveFeedback(
                    generator.next(below: every) == 0 ? .rejection : .confirmation,
                    10_000 + number * 2 + (version == "v2" ? 1 : 0),
                    user: 1_000 + number % users,
                    about: version,
                    policy: policy,
                    at: Int64(number) * policy.userWindow
                )
                if let release = result.release { return (number + 1, release) }
            }
        }
        return nil
    }

    @Test("A canary that is rejected more often than the champion is quarantined, and the champion stays")
    func broken() throws {
        var state = Self.started()
        let outcome = try #require(Self.addVoices(&state, canary: 1, champion: 10))
        #expect(outcome.after <= 25)
        #expect(outcome.release.cause == .canaryRolledBack && outcome.release.champion == model(1))
        #expect(outcome.release.quarantined == [ModelVersion("v2")])
        guard case .compared(let voices) = outcome.release.evidence else { return }
        #expect(voices.other == ModelVersion("v1") && voices.logE >= voices.threshold)
        // Voices about the champion continue to count.
        #expect(state.watches[ModelVersion("v1")]?.total == 100 + outcome.after)
        #expect(state.watches[ModelVersion("v2")] == nil && state.canary == nil)
    }

    @Test("Rejections of both versions alike are no evidence against either")
    func shift() {
        var state = Self.started()
        #expect(Self.addVoices(&state, canary: 1, champion: 1) == nil)
        #expect(!state.isSuspected && state.canary == model(2))
        #expect(state.watches[ModelVersion("v2")]?.compared?.blocks == 299)
        var half = Self.started()
        #expect(Self.addVoices(&half, canary: 2, champion: 2) == nil && !half.isSuspected)
    }

    @Test(
        "A canary rejected by few users is suspected: it serves no users until labels clear it or roll it back"
    )
    func suspected() throws {
        var state = Self.started()
        // Six accounts with one voice in each window.
        #expect(Self.addVoices(&state, canary: 1, champion: 10, count: 200, users: 6) == nil)
        #expect(state.isSuspected)
        let paused = state.advance(policy: Self.policy, at: time(1))
        #expect(paused.release?.cause == .canary)
        #expect(state.staging(Self.policy)?.canary?.share == 0 && state.staging(Self.policy)?.state == .paused)
        #expect(state.auditTasksWanted(Self.policy) == 20)
        state.progress.value.rollout?.approvedBy = "ada"
        expect(state.promoteIfBetter(policy: Self.policy), is: nil)
        var wrong = state
        for number in 0..<20 {
            let outcome = Self.label(&state, number, isRight: number % 10 != 0)
            #expect((outcome.notice == nil) == (number < 19) && outcome.release == nil)
        }
        let compared = state.watches[ModelVersion("v2")]?.compared
        #expect(!state.isSuspected && compared?.evidence.mean == 0 && compared?.kept ?? 0 > 0)
        let cleared = state.advance(policy: Self.policy, at: time(2))
        #expect(cleared.release?.cause == .canary && state.staging(Self.policy)?.canary?.share == 0.5)
        #expect(state.progress.value.rollout?.voices == 0 && state.progress.value.rollout?.since == time(2))
        #expect(state.progress.value.rollout?.approvedBy == nil)
        var release: ModelRelease?
        for number in 0..<20 { release = Self.label(&wrong, number, isRight: false).release ?? release }
        #expect(release?.cause == .canaryRolledBack && release?.champion == model(1) && wrong.canary == nil)
    }

    @Test("Many rejections without confirming labels eventually roll the canary back, though labels clear it first")
    func broadly() {
        var state = Self.started()
        var generator = SplitMix64(seed: 8)
        var (labels, cleared): (Int, Int) = (0, 0)
        for number in 0..<3_000 where state.canary != nil {
            for (version, rate) in [("v1", 0.1), ("v2", 0.7)] {
                _ = state.receiveFeedback(
                    generator.nextUnit() < rate ? .rejection : .confirmation,
                    10_000 + number * 2 + (version == "v2" ? 1 : 0),
                    user: 1_000 + number,
                    about: version,
                    policy: Self.policy,
                    at: Int64(number)
                )
            }
            guard state.isSuspected else { continue }
            for _ in 0..<20 where state.isSuspected {
                labels += 1
                if Self.label(&state, labels, isRight: true).notice != nil { cleared += 1 }
            }
        }
        #expect(state.canary == nil && state.champion == "v1")
        #expect((1...4).contains(cleared), "\(cleared)")
    }

    private static func label(_ state: inout RolloutState, _ number: Int, isRight: Bool) -> FeedbackOutcome {
        let sample = SampleID("judge-\(number)")
        state.predicted(
            .choice(ClassIndex(isRight ? 1 : 0)),
            of: sample,
            by: ModelVersion("v2"),
            draw: 0.5,
            isLive: true,
            at: time(1)
        )
        state.labelled(sample, .choice(ClassIndex(1)), at: time(1))
        expect(state.judgeSuspicion(by: sample), is: FeedbackOutcome())
        return state.judgeCanarySuspicion(by: sample)
    }

    @Test("A canary that serves all users is judged by the past, and so is a champion whose hold-back is unserved")
    func alone() throws {
        let policy = StepTests.policy([RolloutStep(share: 1, bake: 1, voices: 1_000)])
        var state = Self.started(policy)
        expect(state.receiveFeedback(.rejection, 5_000, about: "v1", policy: policy).refusal, is: .unknownFeedbackModel)
        var release: ModelRelease?
        for number in 0..<60 where release == nil {
            release = state.receiveFeedback(.rejection, 6_000 + number, about: "v2", policy: policy).release
        }
        #expect(release?.cause == .canaryRolledBack)
        if case .feedback? = release?.evidence {} else { Issue.record("\(String(describing: release?.evidence))") }
        // The restored champion's rate is known.
        expect(state.receiveFeedback(.confirmation, 7_000, about: "v1", policy: policy).refusal, is: nil)

        let holdbackPolicy = StepTests.policy([.atOnce], holdback: 0.1)
        var live = VoiceTests.promoted(policy: holdbackPolicy)
        release = nil
        var received = 0
        for number in 0..<400 where release == nil {
            received = number
            release = live.receiveFeedback(.rejection, 8_000 + number, policy: holdbackPolicy).release
        }
        #expect(release?.champion == model(1) && received > 70)
    }

    @Test("Beside a hold-back the champion is judged by comparison, and feedback about an old version is refused")
    func holdback() throws {
        let policy = StepTests.policy([.atOnce], holdback: 0.2)
        var state = VoiceTests.promoted(policy: policy)
        #expect(state.staging(policy)?.holdback?.version == ModelVersion("v1"))
        expect(state.receiveFeedback(.rejection, 4_000, about: "v9", policy: policy).refusal, is: .unknownFeedbackModel)
        var same = state
        #expect(Self.addVoices(&same, canary: 2, champion: 2, policy: policy) == nil && !same.isSuspected)
        let outcome = try #require(Self.addVoices(&state, canary: 1, champion: 10, policy: policy))
        #expect(outcome.release.cause == .rolledBack && outcome.release.champion == model(1))
        if case .compared(let voices) = outcome.release.evidence {
            #expect(voices.other == ModelVersion("v1"))
        } else {
            Issue.record("\(outcome.release.evidence)")
        }
    }

    @Test("An unserved canary is reported once, after as many predictions as would have contained ten of it")
    func unserved() {
        var state = Self.started()
        let policy = Self.policy
        state.noteStaging(state.staging(policy), at: time(0))
        var notices: [Int] = []
        for number in 1...200 where state.noteShown(by: ModelVersion("v1"), policy: policy, at: time(1)) != nil {
            notices.append(number)
        }
        #expect(notices == [20])
        var served = Self.started()
        served.noteStaging(served.staging(policy), at: time(0))
        expect(served.noteShown(by: ModelVersion("v2"), policy: policy, at: time(1)), is: nil)
        for _ in 1...200 { expect(served.noteShown(by: ModelVersion("v1"), policy: policy, at: time(1)), is: nil) }
    }

    @Test("A service that shows another version is reported once an hour, ten minutes after the release")
    func other() {
        var state = Self.started()
        let policy = Self.policy
        state.roles.value.quarantined = [ModelVersion("v7")]
        state.noteStaging(state.staging(policy), at: time(0))
        var reported: [Int64] = []
        for minute in 0..<130 as Range<Int64> {
            let notice = state.noteShown(by: ModelVersion("v7"), policy: policy, at: time(minute * 60_000))
            if notice?.kind == .otherVersionServed { reported.append(minute) }
        }
        #expect(reported == [10, 70])
        expect(state.noteShown(by: ModelVersion("unknown"), policy: policy, at: time(9_000_000_000)), is: nil)
    }
}
