internal import Statistics
internal import Tables
public import Vocabulary

/// A version that serves against the past of the project's champions, by voices.
///
/// A voice is the first verdict of a bucket of users on a version within `userWindow`. The evidence that voices are negative more
/// often than is tolerated may be looked at after each of them (`RisingRate`): the chance that it ever reaches
/// 1/`rollbackAlpha` for a release that is rejected no more than that is at most `rollbackAlpha`. A release falls once it does so
/// without the buckets that rejected most, too.
extension RolloutState {
    /// Whether labels decide about the champion, and nothing is promoted meanwhile.
    public var isSuspected: Bool {
        guard !suspicions.isEmpty, let champion = phase.value.champion else { return false }
        return suspicions[champion.version] != nil
    }

    /// Counts one feedback by the rule of voices.
    mutating func count(
        _ feedback: Feedback,
        userHash: UInt64,
        policy: RolloutPolicy,
        at time: StreamTime
    ) -> Result<FeedbackOutcome, RefusalError> {
        let version = feedback.modelVersion
        guard let arm = arm(of: version) else {
            return .failure(.init(.unknownFeedbackModel, "model \(version) is not the champion"))
        }
        let slot = Int(feedback.key % UInt64(Self.seenCapacity))
        guard seen[slot] != feedback.key else {
            return .failure(.init(.duplicate, "this feedback was counted before"))
        }
        var watch = watches[version] ?? startWatch(arm, policy)
        let bucket = Int(userHash % UInt64(max(1, min(policy.userBuckets, Self.maximumBuckets))))
        guard recordVoice(of: bucket, in: watch, policy, time) else {
            let text = "user \(feedback.user), or another of its bucket, has a voice about \(version) for now"
            return .failure(.init(.userCapReached, text))
        }
        seen[slot] = feedback.key
        let voice = Voice(bucket: bucket, isNegative: feedback.verdict.isNegative)
        watch.total += 1
        if voice.isNegative { watch.negative += 1 }
        guard let tolerated = watch.tolerated else {
            watch.calibrate(past.value, policy)
            watches[version] = watch
            return .success(FeedbackOutcome())
        }
        watch.judged += 1
        watch.kept = min(watch.kept + 1, Self.voiceCapacity)
        let process = RisingRate(normalRate: tolerated)
        process.observe(voice.isNegative, number: watch.judged, weight: voice.weight, into: &watch.evidence)
        voices[Self.slot(watch.judged, watch)] = voice
        watches[version] = watch
        // A voice that is content is no reason for an alarm, so nothing is looked into.
        guard voice.isNegative, watch.evidence.mean >= 1 / policy.rollbackAlpha, !phase.value.history.isEmpty else {
            return .success(FeedbackOutcome())
        }
        return .success(alarm(version, watch, process, policy, time))
    }

    /// Where the voices about a version are kept; nil of one that does not serve.
    private func arm(of version: ModelVersion) -> Int? { version == phase.value.champion?.version ? 0 : nil }

    private static func slot(_ number: Int, _ watch: VoiceWatch) -> Int {
        watch.arm * voiceCapacity + number % voiceCapacity
    }

    /// Begins to watch a version, and adds the voices about those that no longer serve to the past: the champion before was
    /// replaced by a better one, else `resetVoices` would have left it out.
    private mutating func startWatch(_ arm: Int, _ policy: RolloutPolicy) -> VoiceWatch {
        for (version, watch) in watchesInTurn where self.arm(of: version) == nil {
            past.value.add(watch)
            watches[version] = nil
            suspicions[version] = nil
        }
        past.value.watches += 1
        var watch = VoiceWatch(serial: past.value.watches, arm: arm)
        // A past of ten voices says enough for its limit to be worth more than a first lesson by the release itself.
        if past.value.total >= min(10, policy.calibration) {
            watch.tolerated = past.value.tolerated(policy, with: watch)
        }
        return watch
    }

    /// Forgets the voices about all that serve now: of a version that is rolled back they are no past to go by, the others'
    /// are.
    mutating func resetVoices(about broken: ModelVersion) {
        for (version, watch) in watchesInTurn {
            if version != broken { past.value.add(watch) }
            watches[version] = nil
        }
        for (version, _) in suspicions.sortedRows { suspicions[version] = nil }
    }

    /// In the order they were begun, so that the newest champion is added to the past last.
    private var watchesInTurn: [(key: ModelVersion, value: VoiceWatch)] {
        watches.sortedRows.sorted { $0.value.serial < $1.value.serial }
    }

    /// Whether a bucket has no voice about the version yet, and has one from now on.
    private mutating func recordVoice(
        of bucket: Int,
        in watch: VoiceWatch,
        _ policy: RolloutPolicy,
        _ time: StreamTime
    ) -> Bool {
        let row = watch.arm * Self.maximumBuckets + bucket
        if let voice = buckets[row], voice.serial == watch.serial,
            time.milliseconds(since: voice.windowStart) < policy.userWindow
        {
            return false
        }
        buckets[row] = UserBucket(windowStart: time, serial: watch.serial)
        return true
    }

    // MARK: - Alarms

    /// Rolls back where the evidence does not rest on a few buckets; else labels decide.
    private mutating func alarm(
        _ version: ModelVersion,
        _ watch: VoiceWatch,
        _ process: RisingRate,
        _ policy: RolloutPolicy,
        _ time: StreamTime
    ) -> FeedbackOutcome {
        let threshold = 1 / policy.rollbackAlpha
        let rest = robustEvidence(watch, process)
        guard rest.evidence.mean >= threshold, rest.rejecting >= Self.alarmBuckets else {
            return FeedbackOutcome(notice: suspect(version, watch, policy, time))
        }
        let evidence = Evidence.feedback(
            negative: watch.negative,
            total: watch.total,
            expectedRate: process.normalRate,
            statistic: Reproducible.log(rest.evidence.mean),
            threshold: Reproducible.log(threshold)
        )
        return FeedbackOutcome(release: rollBack(.rolledBack, evidence: evidence))
    }

    /// The evidence of the voices kept, without the buckets that rejected most: five, or a twentieth of those heard where that is
    /// more. Of equals those whose rejections lie furthest back go first.
    ///
    /// - Returns: The evidence, begun at 0 with the first voice kept, each under its own number; and how many of the buckets
    ///   that are left rejected.
    /// - Complexity: O(`voiceCapacity`).
    func robustEvidence(_ watch: VoiceWatch, _ process: RisingRate) -> (evidence: RisingRate.Evidence, rejecting: Int) {
        let first = watch.judged - watch.kept + 1
        var newest: [(number: Int, voice: Voice)] = []
        newest.reserveCapacity(watch.kept)
        for number in stride(from: first, through: watch.judged, by: 1) {
            if let voice = voices[Self.slot(number, watch)] { newest.append((number, voice)) }
        }
        var rejections: [Int: (count: Int, last: Int)] = [:]
        for (number, voice) in newest {
            let known = rejections[voice.bucket] ?? (0, 0)
            rejections[voice.bucket] = voice.isNegative ? (known.count + 1, number) : known
        }
        let rejecting = rejections.filter { $1.count > 0 }
            .sorted { ($1.value.count, $0.value.last) < ($0.value.count, $1.value.last) }
        let most = max(Self.leftOut, (rejections.count + 19) / 20)
        let leftOut = Set(rejecting.prefix(most).map(\.key))
        var evidence = RisingRate.Evidence()
        for (number, voice) in newest where !leftOut.contains(voice.bucket) {
            process.observe(voice.isNegative, number: number, weight: voice.weight, into: &evidence)
        }
        return (evidence, max(0, rejecting.count - most))
    }

    /// The same of a version that is watched: what an alarm about it would go by now; nil while its tolerated rate is not known.
    ///
    /// - Returns: The mean of the three e-values, and how many of the buckets that are left rejected.
    public func robustEvidence(_ version: ModelVersion) -> (mean: Double, rejecting: Int)? {
        guard let watch = watches[version], let tolerated = watch.tolerated else { return nil }
        let rest = robustEvidence(watch, RisingRate(normalRate: tolerated))
        return (rest.evidence.mean, rest.rejecting)
    }

    /// Buckets at least that an alarm must do without.
    private static let leftOut = 5
}

extension VoiceWatch {
    /// Learns the tolerated rate once there are voices enough.
    fileprivate mutating func calibrate(_ past: FeedbackPast, _ policy: RolloutPolicy) {
        if past.total + total >= policy.calibration { tolerated = past.tolerated(policy, with: self) }
    }
}

extension FeedbackPast {
    /// The rate that is no reason to worry: the upper limit of that of the past, or of the newest champion in it where that is
    /// lower, and the tolerance.
    ///
    /// From so few voices the rate itself would be too low as often as too high. The past alone would not do: a project's first
    /// models are poor, and for long after them a broken one would be rejected no more than they were.
    fileprivate func tolerated(_ policy: RolloutPolicy, with watch: VoiceWatch) -> Double {
        var limit = Self.limit(negative + watch.negative, of: total + watch.total)
        if newestTotal >= Self.leastOfOne { limit = min(limit, Self.limit(newestNegative, of: newestTotal)) }
        return min(max(limit + policy.tolerance, RisingRate.rates.lowerBound), RisingRate.rates.upperBound)
    }

    private static func limit(_ negative: Int, of total: Int) -> Double {
        BinomialLimits.upper(Double(negative), of: Double(total), level: level)
    }

    /// How sure the limit of the past rate is.
    private static let level = 0.995
}
