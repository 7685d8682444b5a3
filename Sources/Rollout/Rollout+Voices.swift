internal import Statistics
internal import Tables
internal import Vocabulary

/// Judging of a version that serves against the past of the project's champions, by voices.
///
/// A voice is the first verdict of a bucket of users on a version within `userWindow`. The evidence that voices are
/// negative more often than is tolerated may be checked after each of them (`RisingRate`): the probability that it ever
/// reaches 1/`rollbackAlpha` for a release that is rejected no more often than that is at most `rollbackAlpha`. A
/// release is rolled back once its evidence reaches that value also without the buckets that rejected most.
extension RolloutState {
    /// Whether labels decide about the champion or the canary, and nothing is promoted meanwhile.
    public var isSuspected: Bool {
        guard !suspicions.isEmpty, let champion = roles.value.champion else { return false }
        return suspicions[champion.version] != nil || canary.map { suspicions[$0.version] != nil } ?? false
    }

    /// Counts one feedback by the rule of voices.
    mutating func count(
        _ feedback: Feedback,
        userHash: UInt64,
        policy: RolloutPolicy,
        at time: StreamTime
    ) -> Result<FeedbackOutcome, EntryRejectionError> {
        let version = feedback.modelVersion
        guard serves(version, policy) else {
            return .failure(.init(.unknownFeedbackModel, "model \(version) is not the champion"))
        }
        let slot = Int(feedback.key % UInt64(Self.seenCapacity))
        guard seen[slot] != feedback.key else {
            return .failure(.init(.duplicate, "this feedback was counted before"))
        }
        var watch = watches[version] ?? startWatch(version, policy)
        let bucket = Int(userHash % UInt64(max(1, min(policy.userBuckets, Self.maximumBuckets))))
        guard recordVoice(of: bucket, in: watch, policy, time) else {
            let text = "user \(feedback.user), or another of its bucket, has a voice about \(version) for now"
            return .failure(.init(.userCapReached, text))
        }
        seen[slot] = feedback.key
        let isNegative = feedback.verdict.isNegative
        // The label's outcome for this verdict affects the weight of the bucket's next voice: a weight is known before
        // its voice.
        let voice = Voice(bucket: bucket, isNegative: isNegative, weight: weight(of: bucket))
        keep(BucketVerdict(bucket: bucket, version: version, isNegative: isNegative), about: feedback.sample, watch)
        watch.total += 1
        if voice.isNegative { watch.negative += 1 }
        watches[version] = watch
        if version == canary?.version {
            progress.value.rollout?.voices += 1
            if voice.isNegative { progress.value.rollout?.negative += 1 }
        }
        var outcome = FeedbackOutcome()
        for judged in [canary?.version, roles.value.champion?.version] {
            guard let judged, outcome.release == nil else { continue }
            if let rival = rival(of: judged, policy) {
                guard judged == version || rival == version else { continue }
                judge(judged, beside: rival, by: voice, about: version, under: policy, at: time, into: &outcome)
            } else if judged == version {
                judgeByPast(version, voice: voice, under: policy, at: time, into: &outcome)
            }
        }
        return .success(outcome)
    }

    static func slot(_ number: Int, _ watch: VoiceWatch) -> Int {
        watch.arm * voiceCapacity + number % voiceCapacity
    }

    /// Starts to watch a version, after the watches of versions that no longer serve have ended.
    private mutating func startWatch(_ version: ModelVersion, _ policy: RolloutPolicy) -> VoiceWatch {
        retireWatches(policy)
        past.value.watches += 1
        let taken = Set(watches.sortedRows.map(\.value.arm))
        let arm = (0..<Self.servingArms).first { !taken.contains($0) } ?? 0
        let tolerated = pastVoices(beside: version).tolerated(policy)
        return VoiceWatch(serial: past.value.watches, arm: arm, tolerated: tolerated)
    }

    /// The past, and the voices about a champion or a hold-back that serves at the same time.
    func pastVoices(beside version: ModelVersion) -> FeedbackPast {
        var known = past.value
        for (other, watch) in watchesByStart where other != version && other != canary?.version { known.add(watch) }
        return known
    }

    /// Adds the voices about versions that no longer serve to the past: the previous champion was replaced by a better
    /// one, otherwise `resetVoices` would have left it out.
    mutating func retireWatches(_ policy: RolloutPolicy) {
        for (version, watch) in watchesByStart where !serves(version, policy) {
            past.value.add(watch)
            watches[version] = nil
            endSuspicion(of: version)
        }
    }

    /// Removes the voices about a version without adding them to the past.
    mutating func forgetWatch(_ version: ModelVersion) {
        watches[version] = nil
        endSuspicion(of: version)
    }

    /// Resets the tolerated rate of a canary that has become champion to that of the champions before it, whose voices
    /// may have been added to the past only now.
    mutating func rebaseWatch(_ version: ModelVersion, _ policy: RolloutPolicy) {
        guard var watch = watches[version] else { return }
        watch.tolerated = pastVoices(beside: version).tolerated(policy)
        watches[version] = watch
    }

    /// Removes the voices about all versions that serve; they are added to the past, except those about the version
    /// that is rolled back.
    mutating func resetVoices(discarding broken: ModelVersion) {
        for (version, watch) in watchesByStart {
            if version != broken { past.value.add(watch) }
            watches[version] = nil
        }
        for version in suspicions.sortedKeys { endSuspicion(of: version) }
    }

    /// The watches in the order in which they were started, so that the newest champion is added to the past last.
    private var watchesByStart: [(key: ModelVersion, value: VoiceWatch)] {
        watches.sortedRows.sorted { $0.value.serial < $1.value.serial }
    }

    /// Records a bucket's voice, if it has none about the version in the current window; returns whether it did.
    private mutating func recordVoice(
        of bucket: Int,
        in watch: VoiceWatch,
        _ policy: RolloutPolicy,
        _ time: StreamTime
    ) -> Bool {
        let slot = watch.arm * Self.maximumBuckets + bucket
        if let voice = buckets[slot], voice.serial == watch.serial,
            time.milliseconds(since: voice.windowStart) < policy.userWindow
        {
            return false
        }
        buckets[slot] = UserBucket(windowStart: time, serial: watch.serial)
        return true
    }
}

extension VoiceWatch {
    /// Learns the tolerated rate once there are enough voices.
    mutating func calibrate(_ past: FeedbackPast, _ policy: RolloutPolicy) {
        tolerated = past.tolerated(policy)
        if tolerated == nil, past.total + total >= policy.calibration {
            tolerated = past.tolerated(policy, with: self)
        }
    }
}

extension FeedbackPast {
    /// Returns the rate that is no reason for concern; nil if the past has fewer than ten voices: ten are enough for
    /// their limit to be more reliable than a first estimate from the release itself.
    fileprivate func tolerated(_ policy: RolloutPolicy) -> Double? {
        total >= min(10, policy.calibration) ? tolerated(policy, with: VoiceWatch()) : nil
    }

    /// Returns the rate that is no reason for concern: the tolerance plus the upper limit of the past rate, or of the
    /// rate of the newest champion in the past if that is lower.
    ///
    /// With so few voices, the rate itself would be too low as often as too high. The past rate alone does not suffice:
    /// a project's first models are poor, and for a long time a broken model would be rejected no more often than they
    /// were.
    fileprivate func tolerated(_ policy: RolloutPolicy, with watch: VoiceWatch) -> Double {
        var limit = Self.limit(negative + watch.negative, of: total + watch.total)
        if newestTotal >= Self.minimumVoices { limit = min(limit, Self.limit(newestNegative, of: newestTotal)) }
        return min(max(limit + policy.tolerance, RisingRate.rates.lowerBound), RisingRate.rates.upperBound)
    }

    private static func limit(_ negative: Int, of total: Int) -> Double {
        BinomialLimits.upper(Double(negative), of: Double(total), level: level)
    }

    /// Confidence level of the limit of the past rate.
    private static let level = 0.995
}
