import Rollout
import Statistics
import Tables
import Testing
import Vocabulary

@Suite("Voices: many rejecting users roll a release back, within its level")
struct VoiceTests {
    /// A state in which v1 served first, `voices` voices with one rejection in ten gave its rate, and v2 was promoted.
    static func promoted(_ voices: Int = 100, policy: RolloutPolicy = voiced) -> RolloutState {
        var state = RolloutState(models: 1...1)
        for number in 0..<voices {
            _ = state.receiveFeedback(number % 10 == 0 ? .rejection : .confirmation, number, policy: policy)
        }
        _ = state.register(model(2), policy: .init(), at: time(2))
        _ = state.promote(policy: policy, samples: "p")
        return state
    }

    private static func watch(_ state: RolloutState) -> VoiceWatch? {
        state.roles.value.champion.flatMap { state.watches[$0.version] }
    }

    @Test("A bucket has one voice about a version in a window, and another about the next version")
    func voices() {
        let policy = RolloutPolicy(minimumShadow: 0, userWindow: 1_000, bound: .challenger, userBuckets: 16)
        var state = RolloutState(models: 1...1)
        expect(state.receiveFeedback(.rejection, 1, user: 7, policy: policy, at: 500).refusal, is: nil)
        expect(state.receiveFeedback(.confirmation, 2, user: 7, policy: policy, at: 1_499).refusal, is: .userCapReached)
        // A user of the same bucket, and one of another.
        expect(state.receiveFeedback(.rejection, 3, user: 23, policy: policy, at: 1_499).refusal, is: .userCapReached)
        expect(state.receiveFeedback(.rejection, 4, user: 8, policy: policy, at: 1_499).refusal, is: nil)
        // Refused feedback may be sent again when the window is over, and begins the next window.
        expect(state.receiveFeedback(.confirmation, 2, user: 7, policy: policy, at: 1_500).refusal, is: nil)
        expect(state.receiveFeedback(.confirmation, 5, user: 7, policy: policy, at: 2_499).refusal, is: .userCapReached)
        #expect(Self.watch(state)?.total == 3)
        #expect(Self.watch(state)?.negative == 2)
        _ = state.register(model(2), policy: .init(), at: time(2))
        _ = state.promote(policy: policy, samples: "p")
        expect(state.receiveFeedback(.rejection, 6, user: 7, policy: policy, at: 2_499).refusal, is: nil)
        #expect(Self.watch(state)?.total == 1)
    }

    @Test("Feedback counts once, and only about a version that serves")
    func refusals() {
        var state = RolloutState(models: 1...2)
        expect(state.receiveFeedback(.rejection, 1, policy: voiced).refusal, is: nil)
        expect(state.receiveFeedback(.rejection, 1, user: 9, policy: voiced).refusal, is: .duplicate)
        expect(state.receiveFeedback(.rejection, 2, about: "v2", policy: voiced).refusal, is: .unknownFeedbackModel)
        expect(state.receiveFeedback(.rejection, 3, about: "v9", policy: voiced).refusal, is: .unknownFeedbackModel)
        #expect(Self.watch(state)?.total == 1)
        #expect(state.watches.count == 1)
    }

    @Test("The tolerated rate is the upper limit of the past rate of all champions, plus the tolerance")
    func tolerated() throws {
        var state = Self.promoted()
        #expect(Self.watch(state) == nil)
        _ = state.receiveFeedback(.confirmation, 1_000, policy: voiced)
        let limit = BinomialLimits.upper(10, of: 100, level: 0.995)
        #expect(Self.watch(state)?.tolerated == limit + 0.1)
        // The limit for the next champion is computed from the voices about both.
        for number in 1_001..<1_100 {
            _ = state.receiveFeedback(number % 4 == 0 ? .rejection : .confirmation, number, policy: voiced)
        }
        _ = state.register(model(3), policy: .init(), at: time(3))
        _ = state.promote(policy: voiced, samples: "q")
        _ = state.receiveFeedback(.confirmation, 2_000, policy: voiced)
        #expect(state.champion == "v3")
        let both = BinomialLimits.upper(10 + 24, of: 200, level: 0.995)
        #expect(Self.watch(state)?.tolerated == both + 0.1)
        // Voices about a rolled-back champion do not change the limit.
        for number in 2_001..<2_010 { _ = state.receiveFeedback(.rejection, number, policy: voiced) }
        _ = try state.rollBack(from: ModelVersion("v3"), evidence: RollbackTests.command).get()
        #expect(state.watches.isEmpty)
        _ = state.receiveFeedback(.confirmation, 3_000, policy: voiced)
        #expect(Self.watch(state)?.tolerated == both + 0.1)
        #expect(Self.watch(state)?.serial == 4)
    }

    @Test("Without a past a release sets its own rate by voices that are no evidence; ten voices are a past")
    func calibration() {
        var state = RolloutState(models: 1...1)
        for number in 0..<49 { _ = state.receiveFeedback(.rejection, number, policy: voiced) }
        #expect(Self.watch(state)?.tolerated == nil)
        _ = state.receiveFeedback(.confirmation, 49, policy: voiced)
        #expect(Self.watch(state)?.tolerated == 0.999)
        #expect(Self.watch(state)?.judged == 0)
        for past in [9, 10] {
            var state = Self.promoted(past)
            _ = state.receiveFeedback(.confirmation, 1_000, policy: voiced)
            let limit = BinomialLimits.upper(1, of: 10, level: 0.995)
            #expect(Self.watch(state)?.tolerated == (past < 10 ? nil : limit + 0.1))
        }
    }

    @Test("The counts of the past are halved regularly, so that a changed rate is learnt eventually")
    func past() {
        let policy = RolloutPolicy(minimumShadow: 0, bound: .challenger, userBuckets: 65_536)
        var state = RolloutState(models: 1...1)
        for number in 0..<12_001 {
            _ = state.receiveFeedback(number % 3 == 0 ? .rejection : .confirmation, number, policy: policy)
        }
        _ = state.register(model(2), policy: .init(), at: time(2))
        _ = state.promote(policy: policy, samples: "p")
        _ = state.receiveFeedback(.confirmation, 20_000, policy: policy)
        let half = FeedbackPast(
            negative: 2_001,
            total: 6_000,
            newestNegative: 2_001,
            newestTotal: 6_000,
            watches: 2
        )
        #expect(state.past.value == half)
    }

    @Test("A first champion is neither rolled back nor suspected, because there is no predecessor")
    func first() {
        var state = RolloutState(models: 1...1)
        for number in 0..<100 { _ = state.receiveFeedback(.confirmation, number, policy: voiced) }
        for number in 100..<400 {
            let result = state.receiveFeedback(.rejection, number, policy: voiced)
            #expect(result.release == nil && result.notice == nil)
            #expect(result.refusal == nil)
        }
        #expect(state.champion == "v1")
        #expect(!state.isSuspected)
    }

    @Test("A rise of rejections rolls back, with the figures as evidence", arguments: 0..<16 as Range<UInt64>)
    func rise(seed: UInt64) throws {
        var generator = SplitMix64(seed: seed)
        var state = Self.promoted()
        for number in 0..<500 {
            expect(
                state.receiveFeedback(
                    generator.nextUnit() < 0.1 ? .rejection : .confirmation,
                    500 + number,
                    policy: voiced
                )
                .release,
                is: nil
            )
        }
        var release: ModelRelease?
        var received = 0
        while release == nil, received < 300 {
            received += 1
            let verdict: Feedback.Verdict = generator.nextUnit() < 0.9 ? .correction : .confirmation
            release = state.receiveFeedback(verdict, 1_000 + received, policy: voiced).release
        }
        let found = try #require(release)
        #expect(received < 60, "\(received) were needed")
        #expect(found.cause == .rolledBack)
        #expect(found.champion == model(1))
        #expect(found.quarantined == [ModelVersion("v2")])
        guard case .feedback(let negative, let total, let expected, let statistic, let threshold) = found.evidence
        else {
            Issue.record("\(found.evidence)")
            return
        }
        #expect(total == 500 + received)
        #expect(negative <= total)
        #expect(statistic >= threshold)
        #expect(threshold == Reproducible.log(100))
        #expect(expected == BinomialLimits.upper(10, of: 100, level: 0.995) + 0.1)
        #expect(state.watches.isEmpty && !state.isSuspected)
    }

    @Test("Twelve buckets never cause a rollback, however long they reject; thirteen do", arguments: [1, 5, 8, 12, 13])
    func few(users: Int) {
        let policy = RolloutPolicy(minimumShadow: 0, userWindow: 1_000, bound: .challenger)
        var state = Self.promoted(policy: policy)
        var needed: Int?
        for number in 0..<700 where needed == nil {
            let moment = Int64(number / users) * 1_000
            let result = state.receiveFeedback(
                .rejection,
                1_000 + number,
                user: number % users,
                policy: policy,
                at: moment
            )
            #expect(result.refusal == nil)
            if result.release != nil { needed = number + 1 }
        }
        #expect((needed == nil) == (users < 13), "\(needed ?? 0)")
        #expect(state.isSuspected == (users < 13))
    }

    @Test("Evidence equals the definition of the rule", arguments: 0..<8 as Range<UInt64>)
    func definition(seed: UInt64) throws {
        var generator = SplitMix64(seed: seed)
        let policy = RolloutPolicy(minimumShadow: 0, userWindow: 1, bound: .challenger)
        // With a single champion nothing is ever rolled back.
        var state = RolloutState(models: 1...1)
        for number in 0..<50 {
            _ = state.receiveFeedback(number < 5 ? .rejection : .confirmation, number, policy: policy)
        }
        let rate = try #require(Self.watch(state)?.tolerated)
        var received: [(user: Int, isNegative: Bool)] = []
        let users = 20 + generator.next(below: 300)
        for number in 0..<1_300 {
            let user = generator.next(below: users)
            let isNegative = generator.nextUnit() < (number < 1_100 ? 0.2 : 0.7)
            received.append((user, isNegative))
            let moment = Int64(number + 1)
            _ = state.receiveFeedback(
                isNegative ? .rejection : .confirmation,
                100 + number,
                user: user,
                policy: policy,
                at: moment
            )
        }
        let watch = try #require(Self.watch(state))
        #expect(watch.judged == 1_300 && watch.kept == 1_000)
        func close(_ a: Double, _ b: Double) -> Bool { abs(a - b) <= 1e-9 * max(abs(a), abs(b)) }
        for (rise, value) in [
            (0.15, watch.evidence.slight), (0.35, watch.evidence.clear), (0.65, watch.evidence.gross),
        ] {
            #expect(close(Self.sum(received, from: 1, rate, rise, without: []), value))
        }
        let last = Array(received.suffix(1_000))
        var counts: [Int: Int] = [:]
        for voice in last { counts[voice.user, default: 0] += voice.isNegative ? 1 : 0 }
        let order = counts.keys.filter { counts[$0, default: 0] > 0 }.sorted { a, b in
            let (most, other) = (counts[a, default: 0], counts[b, default: 0])
            if most != other { return most > other }
            let indices = [a, b].map { user in last.lastIndex { $0.user == user && $0.isNegative } ?? -1 }
            return indices[0] < indices[1]
        }
        let excludedCount = max(5, Int((Double(counts.count) * 0.05).rounded(.up)))
        let excluded = Set(order.prefix(excludedCount))
        var mean = 0.0
        for rise in [0.15, 0.35, 0.65] { mean += Self.sum(last, from: 301, rate, rise, without: excluded) / 3 }
        let found = state.robustEvidence(ModelVersion("v1"))
        #expect(close(found?.mean ?? 0, mean))
        #expect(found?.rejecting == max(0, order.count - excludedCount))
    }

    /// Sum over the possible times at which the rate rose, of the weight of each and the likelihood ratio from there
    /// on.
    private static func sum(
        _ voices: [(user: Int, isNegative: Bool)],
        from first: Int,
        _ rate: Double,
        _ rise: Double,
        without excluded: Set<Int>
    ) -> Double {
        let raised = rate + (1 - rate) * rise
        var (sum, product) = (0.0, 1.0)
        for (index, voice) in voices.enumerated().reversed() where !excluded.contains(voice.user) {
            product *= voice.isNegative ? raised / rate : (1 - raised) / (1 - rate)
            let number = Double(first + index)
            sum += product / (number * (number + 1))
        }
        return sum
    }

    @Test("A state restored before every voice decides the same", arguments: 0..<3 as Range<UInt64>)
    func restored(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        let policy = RolloutPolicy(minimumShadow: 0, userWindow: 50, bound: .challenger)
        var state = Self.promoted(policy: policy)
        for number in 0..<700 {
            let verdict: Feedback.Verdict =
                generator.nextUnit() < (number < 600 ? 0.1 : 0.9) ? .rejection : .confirmation
            let user = generator.next(below: 40)
            var other = number > 580 ? RowTests.restored(state) : state
            let result = state.receiveFeedback(verdict, 1_000 + number, user: user, policy: policy, at: Int64(number))
            expect(
                other.receiveFeedback(verdict, 1_000 + number, user: user, policy: policy, at: Int64(number)),
                is: result
            )
            #expect(other.watches.sortedRows.map(\.value) == state.watches.sortedRows.map(\.value))
            if result.release != nil { return }
        }
        #expect(state.isSuspected, "neither rolled back nor suspected")
    }

    @Test("Under a revision without the key no voices are counted")
    func without() {
        var state = RolloutState(models: 1...1)
        for number in 0..<200 { _ = state.receiveFeedback(.rejection, number) }
        #expect(state.watches.isEmpty && state.voices.isEmpty && state.past.row == nil && state.suspicions.isEmpty)
    }
}
