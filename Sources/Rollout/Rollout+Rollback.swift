internal import Statistics
internal import Tables
public import Vocabulary

/// Judging of the champion against its own past, and rollbacks.
extension RolloutState {
    /// Counts one feedback about a version that serves, and rolls the version back when rejections increase.
    ///
    /// Feedback is judged by voices (`Rollout+Voices.swift`). If `rollbackAlpha` is 0, which older revisions imply, it
    /// is judged as follows.
    ///
    /// The detector adds the likelihood ratio of "negative at a rate halfway to certainty" against "negative at the
    /// expected rate", restarting at 0: a CUSUM, whose mean time to a false alarm is at least the exponential of its
    /// threshold (Lorden 1971). Each feedback counts once, and each user only a limited number of times. An alarm waits
    /// until negative feedback since the restart was received from `alarmBuckets` buckets of users; the statistic stays
    /// at the threshold meanwhile.
    public mutating func receive(
        _ feedback: Feedback,
        userHash: UInt64,
        policy: RolloutPolicy,
        at time: StreamTime
    ) -> Result<FeedbackOutcome, EntryRejectionError> {
        guard policy.rollbackAlpha <= 0 else { return count(feedback, userHash: userHash, policy: policy, at: time) }
        guard feedback.modelVersion == roles.value.champion?.version else {
            return .failure(.init(.unknownFeedbackModel, "model \(feedback.modelVersion) is not the champion"))
        }
        let slot = Int(feedback.key % UInt64(Self.seenCapacity))
        guard seen[slot] != feedback.key else {
            return .failure(.init(.duplicate, "this feedback was counted before"))
        }
        guard passesCap(userHash, policy, time) else {
            return .failure(
                .init(.userCapReached, "user \(feedback.user) has given all the feedback that counts for now")
            )
        }
        seen[slot] = feedback.key
        var changed = watch.value
        changed.total += 1
        if feedback.verdict.isNegative { changed.negative += 1 }
        var detector = Self.detector(changed, policy)
        var isAlarming = detector?.observe(feedback.verdict.isNegative) ?? false
        if let detector {
            changed.note(Int(userHash % UInt64(Self.bucketCount)), feedback.verdict.isNegative, at: detector.statistic)
            // Evidence of few buckets is capped: the first voice of another bucket must not raise the alarm alone.
            let isByFew = changed.negativeBuckets.count < Self.alarmBuckets
            changed.statistic = isByFew ? min(detector.statistic, detector.threshold) : detector.statistic
            isAlarming = isAlarming && !isByFew
        }
        if changed.total == policy.calibration {
            let ownRate = expectedRate(after: changed, policy) ?? 1
            changed.expectedRate = min(changed.expectedRate ?? 1, ownRate)
        }
        watch.value = changed
        guard isAlarming, let detector else { return .success(FeedbackOutcome()) }
        let evidence = Evidence.feedback(
            negative: changed.negative,
            total: changed.total,
            expectedRate: detector.normalRate,
            statistic: changed.statistic,
            threshold: detector.threshold
        )
        return .success(FeedbackOutcome(release: rollBack(.rolledBack, evidence: evidence)))
    }

    /// Rolls back the canary or the champion at once, by an operator's command.
    public mutating func rollBack(from version: ModelVersion, evidence: Evidence) -> Result<
        ModelRelease, EntryRejectionError
    > {
        if version == canary?.version, let release = rollBackCanary(evidence: evidence) { return .success(release) }
        guard version == roles.value.champion?.version else {
            return .failure(.init(.unknownModel, "model \(version) is not the champion"))
        }
        guard let release = rollBack(.command, evidence: evidence) else {
            return .failure(.init(.nothingToRollBack, "no model was champion before \(version)"))
        }
        return .success(release)
    }

    /// Rolls back by an operator's command: at once if the former champion served within `rollbackWindow`, else through
    /// the same steps as any model.
    public mutating func rollBack(
        from version: ModelVersion,
        evidence: Evidence,
        policy: RolloutPolicy,
        at time: StreamTime
    ) -> Result<ModelRelease, EntryRejectionError> {
        guard policy.isStaged, canary == nil, version == roles.value.champion?.version,
            let former = roles.value.history.last?.model,
            let until = trust.value.served.first(where: { $0.version == former.version })?.until,
            time.milliseconds(since: until) > policy.rollbackWindow
        else { return rollBack(from: version, evidence: evidence) }
        roles.value.evidenceThrough = nil
        endEra()
        guard let release = begin(StagedRollout(model: former, isReturn: true), evidence: evidence) else {
            preconditionFailure("there is a champion")
        }
        return .success(release)
    }

    /// Stops promotions, or allows them again from the next evidence on; rollbacks are not affected.
    public mutating func hold(_ isHeld: Bool) { roles.value.isHeld = isHeld }

    /// Returns the rate of negative feedback that is no reason for concern after a champion's past: its own rate plus
    /// the tolerance; nil if there is too little feedback.
    func expectedRate(after watch: FeedbackWatch, _ policy: RolloutPolicy) -> Double? {
        // A champion that was replaced early yields a rough estimate, with a margin for the uncertainty of so few
        // answers.
        let isRough = watch.total < policy.calibration
        if isRough, let expected = watch.expectedRate { return expected }
        guard watch.total >= min(10, policy.calibration) else { return nil }
        let rate = (Double(watch.negative) + 1) / (Double(watch.total) + 2)
        let margin = isRough ? 1 / Double(watch.total).squareRoot() : 0
        return min(0.9, max(0.05, rate + policy.tolerance + margin))
    }

    private static func detector(_ watch: FeedbackWatch, _ policy: RolloutPolicy) -> BernoulliCUSUM? {
        guard let expected = watch.expectedRate else { return nil }
        return BernoulliCUSUM(
            normalRate: expected,
            alarmRate: expected + (1 - expected) / 2,
            averageRunLength: policy.falseAlarmEvery,
            statistic: watch.statistic
        )
    }

    /// Quarantines the champion and returns to the one before it. Returns nil, and changes nothing, if there is none.
    mutating func rollBack(_ cause: ModelRelease.Cause, evidence: Evidence) -> ModelRelease? {
        var state = roles.value
        guard let broken = state.champion, let previous = state.history.popLast() else { return nil }
        state.champion = previous.model
        state.evidenceThrough = nil
        state.changedEvidence = 0
        state.quarantine(broken.version)
        roles.value = state
        // The model in rollout was only proven to be better than the broken one.
        endRollout()
        watch.value = FeedbackWatch(expectedRate: previous.expectedRate)
        resetVoices(discarding: broken.version)
        recountPairs()
        endEra()
        return release(cause, replaced: broken.version, evidence: evidence)
    }

    private mutating func passesCap(_ userHash: UInt64, _ policy: RolloutPolicy, _ time: StreamTime) -> Bool {
        let slot = Int(userHash % UInt64(Self.bucketCount))
        let bucket = buckets[slot]
        guard let bucket, time.milliseconds(since: bucket.windowStart) < policy.userWindow else {
            buckets[slot] = UserBucket(windowStart: time, count: 1)
            return true
        }
        guard Int(bucket.count) < policy.userCap else { return false }
        buckets[slot] = UserBucket(windowStart: bucket.windowStart, count: bucket.count + 1)
        return true
    }
}

extension FeedbackWatch {
    /// Records which buckets' negative feedback the detector's statistic consists of.
    fileprivate mutating func note(_ bucket: Int, _ isNegative: Bool, at statistic: Double) {
        if statistic <= 0 {
            negativeBuckets = []
        } else if isNegative, negativeBuckets.count < RolloutState.alarmBuckets, !negativeBuckets.contains(bucket) {
            negativeBuckets.append(bucket)
        }
    }
}
