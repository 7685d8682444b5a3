import Rollout
import Statistics
import Tables
import Testing
import Vocabulary

@Suite("Voices: a release is judged by the champion that it replaced if the past was worse")
struct VoicePastTests {
    /// Promotes the next model and adds its voices.
    private static func serve(
        _ state: inout RolloutState,
        _ number: Int,
        voices: Int,
        negative: Int,
        policy: RolloutPolicy = voiced
    ) {
        if number > 1 {
            _ = state.register(model(number), policy: .init(), at: time(Int64(number)))
            #expect(state.promote(policy: policy, samples: "p\(number)-") != nil)
        }
        for voice in 0..<voices {
            // Rejections are spread among the confirmations.
            let isNegative = (voice + 1) * negative / voices > voice * negative / voices
            let result = state.receiveFeedback(
                isNegative ? .rejection : .confirmation,
                number * 10_000 + voice,
                policy: policy
            )
            #expect(result.refusal == nil && result.release == nil)
        }
    }

    private static func tolerated(_ state: RolloutState) -> Double? {
        state.roles.value.champion.flatMap { state.watches[$0.version]?.tolerated }
    }

    private static func limit(_ negative: Double, of total: Double) -> Double {
        BinomialLimits.upper(negative, of: total, level: 0.995) + 0.1
    }

    @Test("The lower of two limits applies: that of all past champions, and that of the newest one")
    func lower() throws {
        var state = RolloutState(models: 1...1)
        Self.serve(&state, 1, voices: 100, negative: 80)
        Self.serve(&state, 2, voices: 100, negative: 10)
        #expect(Self.tolerated(state) == Self.limit(80, of: 100))
        Self.serve(&state, 3, voices: 100, negative: 30)
        #expect(Self.tolerated(state) == Self.limit(10, of: 100))
        Self.serve(&state, 4, voices: 1, negative: 0)
        #expect(
            state.past.value
                == FeedbackPast(negative: 120, total: 300, newestNegative: 30, newestTotal: 100, watches: 4)
        )
        #expect(Self.tolerated(state) == Self.limit(30, of: 100))
        // If the newest champion was worse than the whole past together, the whole past sets the tolerated rate.
        Self.serve(&state, 5, voices: 10, negative: 9)
        Self.serve(&state, 6, voices: 1, negative: 0)
        #expect(Self.tolerated(state) == Self.limit(129, of: 311))
    }

    @Test("A model replaced before its tenth voice does not count as the newest with a known rate", arguments: [9, 10])
    func few(voices: Int) {
        var state = RolloutState(models: 1...1)
        Self.serve(&state, 1, voices: 100, negative: 90)
        Self.serve(&state, 2, voices: 100, negative: 40)
        Self.serve(&state, 3, voices: voices, negative: 0)
        Self.serve(&state, 4, voices: 1, negative: 0)
        #expect(Self.tolerated(state) == (voices < 10 ? Self.limit(40, of: 100) : Self.limit(0, of: 10)))
    }

    @Test("A rolled-back champion does not count, and the restored one is judged by its own past")
    func rolledBack() throws {
        var state = RolloutState(models: 1...1)
        Self.serve(&state, 1, voices: 100, negative: 60)
        Self.serve(&state, 2, voices: 100, negative: 20)
        Self.serve(&state, 3, voices: 30, negative: 0)
        let before = state.past.value
        _ = try state.rollBack(from: ModelVersion("v3"), evidence: RollbackTests.command).get()
        #expect(state.past.value == before)
        _ = state.receiveFeedback(.confirmation, 1, policy: voiced)
        #expect(state.champion == "v2")
        #expect(Self.tolerated(state) == Self.limit(20, of: 100))
        // The restored champion has few voices since, so its earlier counts continue to apply.
        Self.serve(&state, 4, voices: 1, negative: 0)
        #expect(
            state.past.value == FeedbackPast(negative: 80, total: 201, newestNegative: 20, newestTotal: 100, watches: 5)
        )
    }

    @Test(
        "After poor first models a broken copy falls within 300 feedback records, as in the demo",
        arguments: 0..<8 as Range<UInt64>
    )
    func poorBeginning(seed: UInt64) {
        let policy = RolloutPolicy(minimumShadow: 0, userWindow: 10_000, bound: .challenger)
        var generator = SplitMix64(seed: seed)
        var state = RolloutState(models: 1...1)
        var (now, number) = (0.0, 0)
        // Feedback of 5,000 users, who give it more often for wrong answers than for right ones.
        func receiveFeedback(_ rate: Double, perSecond: Double) -> Result<FeedbackOutcome, EntryRejectionError> {
            now += 1_000 / perSecond
            number += 1
            let verdict: Feedback.Verdict = generator.nextUnit() < rate ? .rejection : .confirmation
            let user = generator.next(below: 5_000)
            return state.receiveFeedback(verdict, number, user: user, policy: policy, at: Int64(now))
        }
        for (version, rate) in [0.9, 0.55, 0.35].enumerated() {
            if version > 0 {
                _ = state.register(model(version + 1), policy: .init(), at: time(Int64(version + 1)))
                #expect(state.promote(policy: policy, samples: "p\(version)-") != nil)
            }
            for _ in 0..<(version == 0 ? 2_000 : 1_000) { #expect(receiveFeedback(rate, perSecond: 45).release == nil) }
        }
        var needed: Int?
        for feedback in 1...300 where needed == nil {
            if receiveFeedback(0.97, perSecond: 100).release != nil { needed = feedback }
        }
        #expect(needed != nil)
        #expect(state.champion == "v2")
    }
}
