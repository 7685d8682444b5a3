import Rollout
import Statistics
import Tables
import Testing
import Vocabulary

/// Rollback by a CUSUM on feedback, as in revisions without `rollback_alpha`; also commands, and the state after a
/// rollback by any rule.
@Suite struct RollbackTests {
    static let command = Evidence.command(id: "c", by: "ada", reason: "r")

    /// A state in which v1 served first and its rate was learnt, and v2 was promoted.
    static func promoted(policy: RolloutPolicy = unshadowed) -> RolloutState {
        var state = RolloutState(models: 1...1)
        // One in ten is negative.
        for number in 0..<100 {
            _ = state.receiveFeedback(number % 10 == 0 ? .rejection : .confirmation, number, policy: policy)
        }
        _ = state.register(model(2), policy: .init(), at: time(2))
        _ = state.promote(policy: policy, samples: "p")
        return state
    }

    @Test("A command restores the previous champion and quarantines the current one")
    func command() throws {
        var state = Self.promoted()
        #expect(state.champion == "v2")
        let release = try state.rollBack(from: ModelVersion("v2"), evidence: Self.command).get()
        #expect(release.cause == .command)
        #expect(release.champion == model(1))
        #expect(release.replaced == ModelVersion("v2"))
        #expect(release.quarantined == [ModelVersion("v2")])
        #expect(release.evidence == Self.command)
        #expect(state.champion == "v1")
        // The expected rate of the restored champion is known.
        #expect(state.watch.value.expectedRate != nil)
        #expect(state.watch.value.total == 0)
    }

    @Test("Without a second champion there is nothing to restore, and only the champion can be rolled back")
    func refusals() {
        var state = RolloutState(models: 1...2)
        func code(_ version: String, _ state: inout RolloutState) -> EntryRejection.Code? {
            if case .failure(let error) = state.rollBack(from: ModelVersion(version), evidence: Self.command) {
                return error.refusal.code
            }
            return nil
        }
        expect(code("v1", &state), is: .nothingToRollBack)
        expect(code("v2", &state), is: .unknownModel)
        expect(code("v9", &state), is: .unknownModel)
        #expect(state.champion == "v1")
        #expect(state.roles.value.quarantined.isEmpty)
    }

    @Test("A quarantined model never returns, neither as a shadow nor by another rollback")
    func quarantine() throws {
        var state = Self.promoted()
        _ = try state.rollBack(from: ModelVersion("v2"), evidence: Self.command).get()
        let again = state.register(model(2), policy: .init(), at: time(9))
        #expect(again == nil)
        #expect(state.challenger == nil)
        _ = state.register(model(3), policy: .init(), at: time(10))
        let release = state.promote(samples: "q")
        #expect(release?.champion == model(3))
        _ = try state.rollBack(from: ModelVersion("v3"), evidence: Self.command).get()
        #expect(state.champion == "v1")
        #expect(state.roles.value.quarantined == [ModelVersion("v2"), ModelVersion("v3")])
    }

    @Test("A shadow remains one during a rollback, and is judged against the restored champion")
    func shadowStays() throws {
        var state = Self.promoted()
        _ = state.register(model(3), policy: .init(), at: time(3))
        for number in 0..<3 { state.pair("x\(number)", champion: true, challenger: true) }
        let release = try state.rollBack(from: ModelVersion("v2"), evidence: Self.command).get()
        #expect(release.challenger == model(3))
        // v1 has no predictions for these samples.
        #expect(state.pairs.value == PairCounts())
        for number in 0..<3 {
            state.predicted(
                .choice(ClassIndex(0)),
                of: SampleID("x\(number)"),
                by: ModelVersion("v1"),
                draw: 0.5,
                isLive: true,
                at: time(4)
            )
        }
        #expect(state.pairs.value == PairCounts(labels: 3, challengerOnly: 3, championOnly: 0))
    }

    @Test("A rise of rejections rolls back, with the figures as evidence", arguments: 0..<16 as Range<UInt64>)
    func rise(seed: UInt64) throws {
        var generator = SplitMix64(seed: seed)
        var state = Self.promoted()
        var release: ModelRelease?
        var received = 0
        while release == nil, received < 300 {
            received += 1
            let verdict: Feedback.Verdict = generator.nextUnit() < 0.7 ? .correction : .confirmation
            release = state.receiveFeedback(verdict, 1_000 + received).release
        }
        let found = try #require(release)
        #expect(received < 100, "\(received) were needed")
        #expect(found.cause == .rolledBack)
        #expect(found.champion == model(1))
        #expect(found.quarantined == [ModelVersion("v2")])
        guard case .feedback(let negative, let total, let expected, let statistic, let threshold) = found.evidence
        else {
            Issue.record("\(found.evidence)")
            return
        }
        #expect(total == received)
        #expect(negative <= total)
        #expect(statistic >= threshold)
        #expect(expected < 0.3)
    }

    @Test(
        "Seven or fewer buckets of users never cause a rollback, however long they reject; eight do",
        arguments: 1...9
    )
    func few(users: Int) {
        let policy = RolloutPolicy(
            minimumShadow: 0,
            userCap: 1_000_000,
            userWindow: 3_600_000,
            bound: .challenger,
            rollbackAlpha: 0
        )
        var state = Self.promoted(policy: policy)
        var needed: Int?
        for number in 0..<2_000 where needed == nil {
            let user = 5_000 + number % users
            if state.receiveFeedback(.rejection, 1_000 + number, user: user, policy: policy).release != nil {
                needed = number + 1
            }
        }
        #expect((needed == nil) == (users < 8), "\(needed ?? 0)")
        guard users < 8,
            let detector = state.watch.value.expectedRate.flatMap({ rate in
                BernoulliCUSUM(
                    normalRate: rate,
                    alarmRate: rate + (1 - rate) / 2,
                    averageRunLength: policy.falseAlarmEvery
                )
            })
        else { return }
        // Their evidence is capped at the alarm threshold, and forgotten like any other.
        #expect(state.watch.value.statistic == detector.threshold)
        #expect(state.watch.value.negativeBuckets == (0..<users).map { (5_000 + $0) % RolloutState.bucketCount })
        for number in 0..<100 { _ = state.receiveFeedback(.confirmation, 10_000 + number, policy: policy) }
        #expect(state.watch.value.negativeBuckets.isEmpty)
        #expect(state.champion == "v2")
    }

    @Test("Users of one bucket count as one")
    func sameBucket() {
        let policy = RolloutPolicy(
            minimumShadow: 0,
            userCap: 1_000_000,
            userWindow: 3_600_000,
            bound: .challenger,
            rollbackAlpha: 0
        )
        var state = Self.promoted(policy: policy)
        for number in 0..<500 {
            let user = 7 + (number % 20) * RolloutState.bucketCount
            expect(state.receiveFeedback(.rejection, 1_000 + number, user: user, policy: policy).release, is: nil)
        }
        #expect(state.watch.value.negativeBuckets == [7])
    }

    @Test("A champion with an unchanged rate of rejections is not rolled back", arguments: 0..<16 as Range<UInt64>)
    func steady(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        var state = Self.promoted()
        for number in 0..<1_500 {
            let verdict: Feedback.Verdict = generator.nextUnit() < 0.1 ? .rejection : .confirmation
            let release = state.receiveFeedback(verdict, 1_000 + number).release
            #expect(release == nil)
        }
        #expect(state.champion == "v2")
    }

    @Test("A champion without a predecessor is watched but never rolled back")
    func first() {
        var state = RolloutState(models: 1...1)
        for number in 0..<100 { _ = state.receiveFeedback(.confirmation, number) }
        for number in 100..<400 {
            let result = state.receiveFeedback(.rejection, number)
            #expect(result.release == nil)
            #expect(result.refusal == nil)
        }
        #expect(state.champion == "v1")
    }

    @Test(
        "The first champion's rate is learnt from its first feedback; its successor inherits it and never a higher one"
    )
    func inheritance() {
        let policy = RolloutPolicy(
            minimumShadow: 0,
            tolerance: 0.1,
            calibration: 50,
            bound: .challenger,
            rollbackAlpha: 0
        )
        var state = RolloutState(models: 1...1)
        for number in 0..<49 { _ = state.receiveFeedback(.confirmation, number, policy: policy) }
        #expect(state.watch.value.expectedRate == nil)
        _ = state.receiveFeedback(.rejection, 49, policy: policy)
        // (1 + 1) / (50 + 2), plus the tolerance.
        let learnt = 2.0 / 52 + 0.1
        #expect(abs((state.watch.value.expectedRate ?? 0) - learnt) < 1e-15)
        _ = state.register(model(2), policy: .init(), at: time(2))
        _ = state.promote(policy: policy, samples: "p")
        #expect(abs((state.watch.value.expectedRate ?? 0) - learnt) < 1e-15)
        #expect(state.watch.value.total == 0)
        // The successor is slightly worse than that, but the expected rate stays the same.
        for number in 0..<50 {
            _ = state.receiveFeedback(number % 5 == 0 ? .rejection : .confirmation, 1_000 + number, policy: policy)
        }
        #expect(abs((state.watch.value.expectedRate ?? 1) - learnt) < 1e-15)
        #expect(state.roles.value.history.last?.expectedRate == .some(learnt))
    }

    @Test("A champion replaced before its calibration leaves a rough rate with a margin, or none")
    func uncalibrated() {
        func rate(after feedback: Int) -> Double? {
            var state = RolloutState(models: 1...1)
            for number in 0..<feedback { _ = state.receiveFeedback(number == 0 ? .rejection : .confirmation, number) }
            _ = state.register(model(2), policy: .init(), at: time(2))
            _ = state.promote(samples: "p")
            return state.watch.value.expectedRate
        }
        #expect(rate(after: 9) == nil)
        // (1 + 1) / (16 + 2), the tolerance, and 1 / √16 for the uncertainty of sixteen answers.
        #expect(abs((rate(after: 16) ?? 0) - (2.0 / 18 + 0.1 + 0.25)) < 1e-15)
        #expect(abs((rate(after: 50) ?? 0) - (2.0 / 52 + 0.1)) < 1e-15)
    }

    @Test("Feedback counts once, and only about the champion")
    func duplicates() {
        var state = RolloutState(models: 1...2)
        expect(state.receiveFeedback(.rejection, 1).refusal, is: nil)
        expect(state.receiveFeedback(.rejection, 1).refusal, is: .duplicate)
        expect(state.receiveFeedback(.rejection, 2, about: "v2").refusal, is: .unknownFeedbackModel)
        expect(state.receiveFeedback(.rejection, 3, about: "v9").refusal, is: .unknownFeedbackModel)
        #expect(state.watch.value.total == 1)
    }

    @Test("Feedback of one user counts up to a limit in each window")
    func caps() {
        let policy = RolloutPolicy(userCap: 3, userWindow: 1_000, bound: .challenger, rollbackAlpha: 0)
        var state = RolloutState(models: 1...1)
        var refused = 0
        for number in 0..<10
        where state.receiveFeedback(.rejection, number, user: 7, policy: policy, at: 500).refusal == .userCapReached {
            refused += 1
        }
        #expect(refused == 7)
        // Another user has a limit of their own.
        expect(state.receiveFeedback(.rejection, 100, user: 8, policy: policy, at: 500).refusal, is: nil)
        expect(state.receiveFeedback(.rejection, 101, user: 7, policy: policy, at: 1_499).refusal, is: .userCapReached)
        expect(state.receiveFeedback(.rejection, 102, user: 7, policy: policy, at: 1_500).refusal, is: nil)
        #expect(state.watch.value.total == 5)
    }

    @Test("Refused feedback may be sent again: only counted feedback is a duplicate")
    func refusedIsForgotten() {
        let policy = RolloutPolicy(userCap: 1, userWindow: 1_000, bound: .challenger, rollbackAlpha: 0)
        var state = RolloutState(models: 1...1)
        expect(state.receiveFeedback(.rejection, 1, user: 7, policy: policy).refusal, is: nil)
        expect(state.receiveFeedback(.rejection, 2, user: 7, policy: policy).refusal, is: .userCapReached)
        expect(state.receiveFeedback(.rejection, 2, user: 7, policy: policy, at: 1_000).refusal, is: nil)
    }
}
