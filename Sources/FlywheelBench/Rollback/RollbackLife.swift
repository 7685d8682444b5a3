import Hashing
import Rollout
import Statistics
import Tables
import Vocabulary

/// Events in each life of `flywheel-bench rollback`.
struct RollbackScenario {
    /// The share of honest voices that reject, and of audit labels that find the champion wrong.
    var rate: Double
    /// Changed rate, and the voice from which it applies; nil if nothing changes.
    var rateChange: (rate: Double, voice: Int)?
    /// Changed rate of both champion and hold-back, and the voice from which it applies; nil if there is no shift.
    var shift: (rate: Double, voice: Int)?
    /// Share of buckets whose feedback about the champion rejects, whatever it predicts.
    var raided: Double
    /// The rate that the champion's watch tolerates.
    var tolerated: Double
    /// Voices after which a life ends.
    var voices: Int
    /// Days after which a life ends.
    var days: Int
    /// Honest feedback in an hour.
    var honestPerHour: Int
    /// Number of honest users; the user of each feedback is drawn at random.
    var users: Int
    /// Number of accounts that each reject once an hour, whatever the champion predicts, all within seconds.
    var raiders: Int
    /// Number of voices after which these accounts begin.
    var raidFrom: Int
    /// Audit labels in a day.
    var labelsPerDay: Int
    var policy: RolloutPolicy
}

/// One life: a champion that replaced another, and feedback about it, hour by hour.
struct RollbackLife {
    private let scenario: RollbackScenario
    private var rollout = RolloutState()
    private var generator: SplitMix64
    private var feedback = 0
    private var labels = 0

    /// Number of voices counted.
    private(set) var voices = 0
    /// Whether feedback, or the labels that it requested, rolled the champion back.
    private(set) var isRolledBack = false
    /// Whether the champion was suspected, so that labels had to decide.
    private(set) var wasSuspected = false
    /// Whether labels cleared the champion at least once.
    private(set) var wasCleared = false
    /// Number of feedbacks passed to the state, counted or not.
    var received: Int { feedback }

    private static let old = ModelVersion("v1")
    private static let new = ModelVersion("v2")

    /// - Parameters:
    ///   - scenario: The events of the life.
    ///   - seed: The seed of all lives.
    ///   - number: The number of this life.
    init(_ scenario: RollbackScenario, seed: UInt64, number: UInt64) {
        self.scenario = scenario
        // The seed and the number are mixed: consecutive seeds would give the same random numbers, one step apart.
        generator = SplitMix64(projectHash: seed, entryNumber: number)
        let start = StreamTime(milliseconds: 0)
        _ = rollout.register(Self.model(Self.old, 1), policy: scenario.policy, at: start)
        _ = rollout.register(Self.model(Self.new, 2), policy: scenario.policy, at: start)
        for number in 0..<20 where rollout.roles.value.champion?.version == Self.old {
            label("promotion-\(number)", [(Self.old, false), (Self.new, true)], at: start)
            _ = rollout.promoteIfBetter(policy: scenario.policy)
        }
        precondition(rollout.roles.value.champion?.version == Self.new, "v2 is the champion")
        for number in 0..<200 {
            label("before-\(number)", [(Self.new, generator.nextUnit() >= scenario.rate)], at: start)
        }
        rollout.past.value.watches += 1
        rollout.watches[Self.new] = VoiceWatch(serial: rollout.past.value.watches, tolerated: scenario.tolerated)
        precondition(
            (scenario.policy.holdback > 0) == (rollout.staging(scenario.policy)?.holdback?.version == Self.old)
        )
    }

    /// Simulates the life until its end or the rollback.
    mutating func run() {
        for hour in 0..<24 * scenario.days where !isRolledBack && voices < scenario.voices {
            // Users by the time of their feedback: raiders below 0, honest users from 0 on.
            var moments: [(moment: Int64, user: Int)] = []
            for raider in 0..<scenario.raiders where voices >= scenario.raidFrom {
                moments.append((Int64(hour) * 3_600_000 + Int64(raider), -1 - raider))
            }
            for _ in 0..<scenario.honestPerHour {
                moments.append((moment(in: hour), generator.next(below: scenario.users)))
            }
            moments.sort { ($0.moment, $0.user) < ($1.moment, $1.user) }
            for (moment, user) in moments where !isRolledBack && voices < scenario.voices {
                sendFeedback(user, at: StreamTime(milliseconds: moment))
            }
            let due = (hour + 1) * scenario.labelsPerDay / 24 - hour * scenario.labelsPerDay / 24
            for _ in 0..<due where !isRolledBack { addLabel(at: StreamTime(milliseconds: Int64(hour + 1) * 3_600_000)) }
            commit()
        }
    }

    private mutating func moment(in hour: Int) -> Int64 {
        Int64(hour) * 3_600_000 + Int64(generator.next(below: 3_600_000))
    }

    private var rate: Double {
        if let rateChange = scenario.rateChange, voices >= rateChange.voice { return rateChange.rate }
        return baselineRate
    }

    /// Rejection rate of a version that did not itself change.
    private var baselineRate: Double {
        if let shift = scenario.shift, voices >= shift.voice { return shift.rate }
        return scenario.rate
    }

    /// Returns the version that serves a user, and the share of its voices that reject. The champion serves raiders.
    private func served(_ name: String, _ user: Int) -> (version: ModelVersion, rate: Double) {
        let holdback = scenario.policy.holdback
        if user >= 0, holdback > 0,
            StableHash.unit(project: "rollback", purpose: "canary", key: name) >= 1 - holdback
        {
            return (Self.old, baselineRate)
        }
        let bucket = xxh64(name) % UInt64(scenario.policy.userBuckets)
        let isRaided =
            scenario.raided > 0
            && StableHash.unit(project: "rollback", purpose: "raid", key: "\(bucket)") < scenario.raided
        return (Self.new, isRaided || user < 0 ? 1 : rate)
    }

    private mutating func sendFeedback(_ user: Int, at time: StreamTime) {
        let name = "user-\(user)"
        let (version, rate) = served(name, user)
        let isNegative = user < 0 || generator.nextUnit() < rate
        feedback += 1
        let result = rollout.receive(
            Feedback(
                key: UInt64(feedback) &* 0x9e37_79b9_7f4a_7c15,
                sample: SampleID("s"),
                modelVersion: version,
                user: UserDigest(name),
                verdict: isNegative ? .rejection : .confirmation,
                answer: nil
            ),
            userHash: xxh64(name),
            policy: scenario.policy,
            at: time
        )
        guard case .success(let outcome) = result else { return }
        voices += 1
        record(outcome)
    }

    private mutating func addLabel(at time: StreamTime) {
        labels += 1
        label("label-\(labels)", [(Self.new, generator.nextUnit() >= rate)], at: time)
        record(rollout.judgeSuspicion(by: SampleID("label-\(labels)")))
    }

    private mutating func record(_ outcome: FeedbackOutcome) {
        if outcome.release != nil { isRolledBack = true }
        if rollout.isSuspected { wasSuspected = true }
        if outcome.notice != nil, !rollout.isSuspected { wasCleared = true }
    }

    /// Applies an audit label, after the prediction of each given version, right or wrong.
    private mutating func label(_ name: String, _ answers: [(ModelVersion, isRight: Bool)], at time: StreamTime) {
        let sample = SampleID(name)
        for (version, isRight) in answers {
            rollout.predicted(
                .choice(ClassIndex(isRight ? 1 : 0)),
                of: sample,
                by: version,
                draw: 0,
                isLive: true,
                at: time
            )
        }
        rollout.labelled(sample, .choice(ClassIndex(1)), at: time)
    }

    private mutating func commit() {
        rollout.roles.commit()
        rollout.rows.commit()
        rollout.pairs.commit()
        rollout.buckets.commit()
        rollout.seen.commit()
        rollout.watches.commit()
        rollout.voices.commit()
        rollout.past.commit()
        rollout.suspicions.commit()
        rollout.blocks.commit()
    }

    private static func model(_ version: ModelVersion, _ versionNumber: Int) -> ReleasedModel {
        ReleasedModel(
            version: version,
            artifact: ArtifactReference(
                uri: "file:///m",
                size: 1,
                sha256: String(repeating: "0", count: 64)
            ),
            datasetVersionNumber: versionNumber,
            newestSampleAt: StreamTime(milliseconds: 0)
        )
    }
}
