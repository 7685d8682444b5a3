import Hashing
import Rollout
import Statistics
import Tables
import Testing
import Vocabulary

@Suite("A champion is rolled back only if it gets worse, under revisions without rollback_alpha")
struct DigitsRollbackTests {
    private static let policy = RolloutPolicy(
        minimumShadow: 0,
        userWindow: 3_600_000,
        bound: .challenger,
        rollbackAlpha: 0
    )

    /// Feedback of many users, one record after the other.
    private struct Stream {
        var rollout = RolloutState()
        var generator: SplitMix64
        let policy: RolloutPolicy
        private var count: UInt64 = 0
        private(set) var now: Int64 = 0

        /// A champion that replaced another one, which users rejected at `rate`.
        init(seed: UInt64, rate: Double, policy: RolloutPolicy = DigitsRollbackTests.policy) {
            generator = SplitMix64(seed: seed)
            self.policy = policy
            let time = StreamTime(milliseconds: 0)
            _ = rollout.register(model("v1"), policy: .init(), at: time)
            for _ in 0..<200 { _ = sendFeedback("v1", rate) }
            _ = rollout.register(model("v2", 2), policy: .init(), at: time)
            for index in 0..<100 {
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
                if rollout.promoteIfBetter(policy: policy) != nil { break }
            }
        }

        mutating func sendFeedback(_ version: String, _ rate: Double) -> ModelRelease? {
            let user = "u\(generator.next(below: 100_000))"
            return sendFeedback(version, by: user, generator.nextUnit() < rate ? .rejection : .confirmation)
        }

        mutating func sendFeedback(_ version: String, by user: String, _ verdict: Feedback.Verdict) -> ModelRelease? {
            count += 1
            now += 1_000
            let feedback = Feedback(
                key: xxh64("\(generator.state)/\(count)"),
                sample: SampleID("s\(count)"),
                modelVersion: ModelVersion(version),
                user: UserDigest(user),
                verdict: verdict,
                answer: nil
            )
            let time = StreamTime(milliseconds: now)
            guard
                case .success(let outcome) = rollout.receive(feedback, userHash: xxh64(user), policy: policy, at: time)
            else { return nil }
            return outcome.release
        }
    }

    @Test(
        "A champion whose copy is broken is rolled back within 300 feedback records",
        arguments: [0.05, 0.1, 0.2],
        [0.6, 0.9]
    )
    func broken(rate: Double, afterwards: Double) {
        for seed in 0..<50 as Range<UInt64> {
            var stream = Stream(seed: seed, rate: rate)
            #expect(stream.rollout.roles.value.champion?.version == ModelVersion("v2"))
            // The champion works for a while, then a broken copy is shipped.
            for _ in 0..<100 { _ = stream.sendFeedback("v2", rate) }
            var release: ModelRelease?
            var needed = 0
            while release == nil, needed < 300 {
                release = stream.sendFeedback("v2", afterwards)
                needed += 1
            }
            #expect(release?.cause == .rolledBack, "\(rate) to \(afterwards), seed \(seed)")
            #expect(release?.champion.version == ModelVersion("v1"))
            #expect(release?.quarantined == [ModelVersion("v2")])
        }
    }

    @Test(
        "Of 100 streams of 2,000 feedback records with an unchanged rate, at most 2 roll back",
        arguments: [0.02, 0.1, 0.3, 0.5]
    )
    func unchanged(rate: Double) {
        var rolledBack = 0
        for seed in 0..<100 as Range<UInt64> {
            var stream = Stream(seed: seed, rate: rate)
            for _ in 0..<2_000 where stream.sendFeedback("v2", rate) != nil {
                rolledBack += 1
                break
            }
        }
        #expect(rolledBack <= 2, "\(rolledBack) of 100 at rate \(rate)")
    }

    @Test("One user with 1,000 rejections does not roll back", arguments: 0..<20 as Range<UInt64>)
    func raid(seed: UInt64) {
        var stream = Stream(seed: seed, rate: 0.1)
        for _ in 0..<1_000 { #expect(stream.sendFeedback("v2", by: "raider", .rejection) == nil) }
        for _ in 0..<500 { #expect(stream.sendFeedback("v2", 0.1) == nil) }
        #expect(stream.rollout.watch.value.negative < 100)
    }

    @Test("A raider among many honest users, hour after hour, does not roll back", arguments: 0..<10 as Range<UInt64>)
    func patientRaid(seed: UInt64) {
        var stream = Stream(seed: seed, rate: 0.1)
        for _ in 0..<5_000 {
            #expect(stream.sendFeedback("v2", by: "raider", .rejection) == nil)
            #expect(stream.sendFeedback("v2", 0.1) == nil)
        }
    }

    @Test("Feedback about a version that is not the champion, and repeated feedback, have no effect")
    func ignored() {
        var stream = Stream(seed: 1, rate: 0.1)
        let before = stream.rollout.watch.value
        for _ in 0..<100 { #expect(stream.sendFeedback("v1", 1) == nil) }
        #expect(stream.rollout.watch.value == before)
        let feedback = Feedback(
            key: 7,
            sample: SampleID("s"),
            modelVersion: ModelVersion("v2"),
            user: UserDigest("u"),
            verdict: .rejection,
            answer: nil
        )
        for number in 0..<20 {
            let hash = xxh64("user-\(number)")
            _ = stream.rollout.receive(feedback, userHash: hash, policy: stream.policy, at: StreamTime(milliseconds: 9))
        }
        #expect(stream.rollout.watch.value.negative == before.negative + 1)
    }
}
