import Hashing
import Rollout
import Statistics
import Tables
import Testing
import Vocabulary

@Suite("Trust in buckets of users, learnt by comparing verdicts with labels")
struct BucketTrustTests {
    private static let policy = RolloutPolicy(minimumShadow: 0, userWindow: 1_000, bound: .challenger)

    /// Records the prediction of v2 for an audit sample; class 1 is right.
    private static func predict(_ sample: String, isRight: Bool, _ state: inout RolloutState) {
        state.predicted(
            .choice(ClassIndex(isRight ? 1 : 0)),
            of: SampleID(sample),
            by: ModelVersion("v2"),
            draw: 0.5,
            isLive: true,
            at: time(1)
        )
    }

    private static func receiveFeedback(
        _ sample: String,
        _ verdict: Feedback.Verdict,
        user: Int,
        key: UInt64,
        at milliseconds: Int64,
        _ state: inout RolloutState
    ) -> Result<FeedbackOutcome, EntryRejectionError> {
        let feedback = Feedback(
            // Keys distinct from those of the feedback about the previous champion.
            key: 1_000 + key,
            sample: SampleID(sample),
            modelVersion: ModelVersion("v2"),
            user: UserDigest("u\(user)"),
            verdict: verdict,
            answer: nil
        )
        return state.receive(feedback, userHash: UInt64(user), policy: policy, at: time(milliseconds))
    }

    private static func label(_ sample: String, _ state: inout RolloutState) {
        state.labelled(SampleID(sample), .choice(ClassIndex(1)), at: time(2))
    }

    @Test(
        "A verdict that the label confirms raises trust in its bucket, and one that the label contradicts lowers it",
        arguments: [
            (Feedback.Verdict.rejection, false, true), (.rejection, true, false), (.confirmation, true, true),
            (.confirmation, false, false), (.correction, true, false),
        ],
        [true, false]
    )
    func meets(given: (verdict: Feedback.Verdict, isRight: Bool, isConfirmed: Bool), isLabelFirst: Bool) {
        var state = VoiceTests.promoted(policy: Self.policy)
        Self.predict("a", isRight: given.isRight, &state)
        if isLabelFirst { Self.label("a", &state) }
        _ = Self.receiveFeedback("a", given.verdict, user: 7, key: 1, at: 3, &state)
        // In the next window the same user has a new voice, but a second verdict on one sample changes no trust.
        _ = Self.receiveFeedback("a", given.verdict, user: 7, key: 2, at: 3_000, &state)
        if !isLabelFirst {
            #expect(state.trusts.isEmpty)
            Self.label("a", &state)
        }
        let expected = BucketTrust(agreed: given.isConfirmed ? 1 : 0, contradicted: given.isConfirmed ? 0 : 1)
        #expect(state.trusts[7] == expected)
        #expect(expected.weight == (given.isConfirmed ? 1 : 2.0 / 3))
    }

    @Test("Trust falls to a tenth, rises again, and is computed from no more than a hundred verdicts")
    func weights() {
        #expect(BucketTrust().weight == 1)
        #expect(BucketTrust(agreed: 8, contradicted: 10).weight == 0.5)
        #expect(BucketTrust(agreed: 0, contradicted: 18).weight == 0.1)
        #expect(BucketTrust(agreed: 0, contradicted: 90).weight == 0.1)
        var state = VoiceTests.promoted(policy: Self.policy)
        for number in 0..<150 {
            Self.predict("s\(number)", isRight: true, &state)
            Self.label("s\(number)", &state)
            let moment = 3 + Int64(number) * 1_000
            _ = Self.receiveFeedback("s\(number)", .rejection, user: 7, key: UInt64(number), at: moment, &state)
        }
        #expect(state.trusts[7]?.weight == 0.1)
        #expect((50...100).contains(state.trusts[7]?.contradicted ?? 0))
    }

    @Test("At most four verdicts on a sample change trust, and one without a prediction changes nothing")
    func bounded() {
        var state = VoiceTests.promoted(policy: Self.policy)
        Self.predict("a", isRight: true, &state)
        for user in 0..<10 { _ = Self.receiveFeedback("a", .rejection, user: user, key: UInt64(user), at: 3, &state) }
        #expect(state.rows[SampleID("a")]?.verdicts.count == RolloutState.verdictCapacity)
        Self.label("a", &state)
        #expect(state.trusts.count == RolloutState.verdictCapacity)
        Self.label("unheard", &state)
        _ = Self.receiveFeedback("unheard", .rejection, user: 20, key: 20, at: 3, &state)
        #expect(state.trusts[20] == nil)
    }

    @Test("The voices of 40 accounts that labels contradict have a weight of a tenth, and cause no alarm")
    func raiders() {
        func finalState(areKnown: Bool) -> RolloutState {
            var state = VoiceTests.promoted(policy: Self.policy)
            if areKnown {
                for user in 0..<40 { state.trusts[user] = BucketTrust(contradicted: 20) }
            }
            for number in 0..<400 {
                let moment = 3 + Int64(number / 40) * 1_000
                let verdict: Feedback.Verdict = .rejection
                _ = Self.receiveFeedback(
                    "f\(number)",
                    verdict,
                    user: number % 40,
                    key: UInt64(number),
                    at: moment,
                    &state
                )
                let honest = 100 + number
                let isNegative = number % 10 == 0
                _ = Self.receiveFeedback(
                    "h\(number)",
                    isNegative ? .rejection : .confirmation,
                    user: honest,
                    key: UInt64(1_000 + number),
                    at: moment,
                    &state
                )
                if state.champion != "v2" { break }
            }
            return state
        }
        #expect(finalState(areKnown: false).champion == "v1")
        let known = finalState(areKnown: true)
        #expect(known.champion == "v2" && !known.isSuspected)
    }

    @Test(
        "With learnt weights the bound holds: at the tolerated rate at most one run in a hundred is rolled back"
    )
    func bound() {
        var rolledBack = 0
        for run in 0..<200 as Range<UInt64> {
            var generator = SplitMix64(projectHash: 31, entryNumber: run)
            var state = VoiceTests.promoted(policy: Self.policy)
            state.past.value.watches += 1
            let version = ModelVersion("v2")
            state.watches[version] = VoiceWatch(serial: state.past.value.watches, tolerated: 0.2)
            for number in 0..<1_500 {
                let (sample, moment) = ("s\(number)", 3 + Int64(number) * 10)
                let isRight = generator.nextUnit() < 0.9
                let isAudit = generator.nextUnit() < 0.3
                if isAudit { Self.predict(sample, isRight: isRight, &state) }
                // One in nine right predictions is rejected as well, so that two in ten of all are rejected.
                let isNegative = !isRight || generator.nextUnit() < 1.0 / 9
                let user = generator.next(below: 60)
                let verdict: Feedback.Verdict = isNegative ? .rejection : .confirmation
                let result = Self.receiveFeedback(sample, verdict, user: user, key: UInt64(number), at: moment, &state)
                if isAudit { Self.label(sample, &state) }
                _ = state.judgeSuspicion(by: SampleID(sample))
                guard result.release == nil, state.champion == "v2" else {
                    rolledBack += 1
                    break
                }
            }
            if run == 0 { #expect(state.trusts.count > 30 && state.trusts.sortedRows.contains { $1.weight < 0.8 }) }
        }
        #expect(rolledBack <= 6, "\(rolledBack)")
    }

    @Test("Disputed samples are queried at the rate at which labels decide, counting tasks that were already open")
    func pace() {
        var state = VoiceTests.promoted(policy: Self.policy)
        let version = ModelVersion("v2")
        let cases = [
            (queried: 0, labels: 0, disputed: 0, 1), (3, 1, 1, 3), (0, 7, 2, 6), (12, 19, 20, 0), (1, 0, 5, 0),
        ]
        for (queried, labels, disputed, wanted) in cases {
            state.suspicions[version] = Suspicion(
                since: time(0),
                accuracy: 0.8,
                labels: labels,
                queried: queried,
                disputedQueried: disputed
            )
            expect(state.disputedTasksWanted(Self.policy), is: wanted)
        }
    }

    @Test("Of the newest 64 voices about a version, disputes of samples outside the audit sample are kept")
    func disputes() {
        var state = VoiceTests.promoted(policy: Self.policy)
        state.past.value.watches += 1
        // The tolerated rate is nearly 1, so that nothing is rolled back meanwhile.
        state.watches[ModelVersion("v2")] = VoiceWatch(serial: state.past.value.watches, tolerated: 0.99)
        Self.predict("audit", isRight: true, &state)
        _ = Self.receiveFeedback("audit", .rejection, user: 1, key: 9_999, at: 3, &state)
        for number in 0..<100 {
            let verdict: Feedback.Verdict = number % 4 == 0 ? .confirmation : .rejection
            _ = Self.receiveFeedback("f\(number)", verdict, user: number + 2, key: UInt64(number), at: 3, &state)
        }
        let newest = state.disputes.sortedRows.map(\.value).filter { $0.version == ModelVersion("v2") }
        #expect((48...RolloutState.disputeCapacity).contains(newest.count), "\(newest.count)")
        let samples = Set(newest.map(\.sample.rawValue))
        #expect(samples.contains("f99") && !samples.contains("f96") && !samples.contains("audit"))
        #expect(newest.map(\.number).max() == 101)
    }
}
