import Rollout
import Statistics
import Tables
import Testing
import Vocabulary

@Suite("Suspicion: few users cause an alarm, and labels decide")
struct SuspicionTests {
    private static let policy = RolloutPolicy(minimumShadow: 0, userWindow: 1_000, bound: .challenger)

    /// State in which v2 serves, `known` audit labels are 90 % right, and six accounts reject v2 until it is suspected.
    private static func raided(known: Int = 200) -> (state: RolloutState, notice: Notice?) {
        var state = VoiceTests.promoted(policy: policy)
        for number in 0..<known { label(&state, "known-\(number)", isRight: number % 10 != 0) }
        let notice = raid(&state, from: 0)
        return (state, notice)
    }

    private static func raid(_ state: inout RolloutState, from start: Int) -> Notice? {
        for number in start..<start + 300 {
            let moment = Int64(number / 6) * 1_000
            let result = state.receiveFeedback(.rejection, 1_000 + number, user: number % 6, policy: policy, at: moment)
            if let notice = result.notice { return notice }
        }
        return nil
    }

    private static func label(_ state: inout RolloutState, _ sample: String, isRight: Bool, at moment: Int64 = 1) {
        guard let version = state.roles.value.champion?.version else { return }
        state.predicted(
            .choice(ClassIndex(isRight ? 1 : 0)),
            of: SampleID(sample),
            by: version,
            draw: 0.5,
            isLive: true,
            at: time(moment)
        )
        state.labelled(SampleID(sample), .choice(ClassIndex(1)), at: time(moment))
    }

    private static func judge(_ state: inout RolloutState, _ number: Int, isRight: Bool) -> FeedbackOutcome {
        label(&state, "judge-\(number)", isRight: isRight)
        return state.judgeSuspicion(by: SampleID("judge-\(number)"))
    }

    @Test("A raid by six users is reported once, stops promotions, and is cleared by labels that are as usual")
    func cleared() {
        var (state, notice) = Self.raided()
        #expect(notice?.kind == .feedbackRaid)
        #expect(state.isSuspected)
        #expect(Self.raid(&state, from: 600) == nil)
        #expect(state.champion == "v2")
        _ = state.register(model(3), policy: .init(), at: time(3))
        #expect(state.promote(policy: Self.policy, samples: "q") == nil)
        for number in 0..<20 {
            let outcome = Self.judge(&state, number, isRight: number % 10 != 0)
            #expect(outcome.release == nil)
            #expect((outcome.notice?.kind == .feedbackRaid) == (number == 19))
        }
        #expect(!state.isSuspected)
        let watch = state.watches[ModelVersion("v2")]
        #expect(watch?.evidence == RisingRate.Evidence())
        // The next alarm leaves these few out.
        #expect((watch?.kept ?? 0) > 300 || watch?.kept == watch?.judged)
        #expect((watch?.judged ?? 0) > 300)
        #expect(state.promoteIfBetter(policy: Self.policy)?.champion == model(3))
    }

    @Test("Too many wrong labels roll the champion back")
    func rolledBack() {
        var (state, _) = Self.raided()
        // The labels by which v2 was promoted are known as well.
        let accuracy = BinomialLimits.lower(187, of: 207, level: 0.995)
        #expect(state.suspicions[ModelVersion("v2")]?.accuracy == accuracy)
        let minimumRight = BinomialLimits.quantile(0.01, of: 20, accuracy)
        #expect((10...16).contains(minimumRight))
        for number in 0..<19 {
            #expect(Self.judge(&state, number, isRight: number < minimumRight - 1) == FeedbackOutcome())
        }
        let outcome = Self.judge(&state, 19, isRight: false)
        #expect(outcome.release?.cause == .rolledBack)
        #expect(outcome.release?.champion == model(1))
        #expect(!state.isSuspected && state.suspicions.isEmpty)
        // With one more right label v2 is cleared.
        var (other, _) = Self.raided()
        for number in 0..<20 { _ = Self.judge(&other, number, isRight: number < minimumRight) }
        #expect(other.champion == "v2" && !other.isSuspected)
    }

    /// Before: measured by the labels since the release, one in ten of which was right, 0 of 20 was as usual.
    @Test("A release that is bad from its first minute is measured by its earlier predictions")
    func badFromTheFirstMinute() {
        var state = VoiceTests.promoted(policy: Self.policy)
        for number in 0..<100 { Self.label(&state, "before-\(number)", isRight: number % 20 != 0) }
        state.noteService(at: time(2))
        for number in 0..<200 { Self.label(&state, "since-\(number)", isRight: number % 10 == 0, at: 3) }
        _ = Self.raid(&state, from: 0)
        let (before, right) = (107.0, 102.0)
        #expect(
            state.suspicions[ModelVersion("v2")]?.accuracy == BinomialLimits.lower(right, of: before, level: 0.995)
        )
        var outcome = FeedbackOutcome()
        for number in 0..<20 where outcome.release == nil {
            outcome = Self.judge(&state, number, isRight: number % 10 == 0)
        }
        #expect(outcome.release?.cause == .rolledBack && state.champion == "v1")
    }

    @Test("If no label was known before, no number of right labels is too low")
    func unknown() {
        var (state, _) = Self.raided(known: 0)
        // Only the labels by which v2 was promoted are known.
        #expect(state.suspicions[ModelVersion("v2")]?.accuracy == BinomialLimits.lower(7, of: 7, level: 0.995))
        for number in 0..<20 { _ = Self.judge(&state, number, isRight: number < 8) }
        #expect(state.champion == "v2" && !state.isSuspected)
    }

    @Test("Each further raid requires more wrong labels for a rollback")
    func again() {
        var (state, _) = Self.raided()
        for number in 0..<20 { _ = Self.judge(&state, number, isRight: true) }
        #expect(Self.raid(&state, from: 6_000)?.kind == .feedbackRaid)
        #expect(state.watches[ModelVersion("v2")]?.suspicions == 2)
        let accuracy = state.suspicions[ModelVersion("v2")]?.accuracy ?? 0
        let (first, second) = (
            BinomialLimits.quantile(0.01, of: 20, accuracy), BinomialLimits.quantile(0.0025, of: 20, accuracy)
        )
        #expect(second < first)
        for number in 100..<120 { _ = Self.judge(&state, number, isRight: number < 100 + second) }
        #expect(state.champion == "v2" && !state.isSuspected)
    }

    @Test("The number of wanted audit tasks is that of missing labels, within the policy's limit")
    func tasks() {
        var (state, _) = Self.raided()
        #expect(state.auditTasksWanted(Self.policy) == 20)
        for _ in 0..<20 { state.auditTaskOpened() }
        #expect(state.auditTasksWanted(Self.policy) == 0)
        for _ in 0..<5 { state.auditTaskWithoutLabel() }
        #expect(state.auditTasksWanted(Self.policy) == 5)
        // A label of a sample that the champion did not predict does not count for the judgement.
        state.labelled(SampleID("other"), .choice(ClassIndex(1)), at: time(1))
        #expect(state.judgeSuspicion(by: SampleID("other")) == FeedbackOutcome())
        #expect(state.auditTasksWanted(Self.policy) == 6)
        #expect(state.auditTasksWanted(RolloutPolicy(verification: 22)) == 2)
        for _ in 0..<40 { state.auditTaskOpened() }
        #expect(state.auditTasksWanted(Self.policy) == 0)
        var calm = VoiceTests.promoted(policy: Self.policy)
        #expect(calm.auditTasksWanted(Self.policy) == 0)
        calm.auditTaskOpened()
        #expect(calm.suspicions.isEmpty)
    }
}
