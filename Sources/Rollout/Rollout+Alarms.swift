internal import Statistics
internal import Tables
public import Vocabulary

/// Judging of versions by the evidence of voices, and the effect of an alarm.
extension RolloutState {
    /// Judges a version beside another one, by a voice about either of them.
    mutating func judge(
        _ version: ModelVersion,
        beside rival: ModelVersion,
        by voice: Voice,
        about subject: ModelVersion,
        under policy: RolloutPolicy,
        at time: StreamTime,
        into outcome: inout FeedbackOutcome
    ) {
        guard var watch = watches[version] else { return }
        let isOwn = subject == version
        let size = blockSize(version, beside: rival, policy)
        let isComplete =
            isOwn ? addVoice(voice, into: &watch, size) : addOtherVoice(voice.isNegative, into: &watch, size)
        watches[version] = watch
        guard isComplete else {
            // The other version is not served, or no voices about it are received: only the past remains for
            // comparison.
            if isOwn, let comparison = watch.compared, !isAnswered(comparison, by: rival, policy) {
                judgeByPast(version, voice: voice, under: policy, at: time, into: &outcome)
            }
            return
        }
        let isNegative = observe(policy.tolerance, &watch)
        watches[version] = watch
        let mean = watch.compared?.evidence.mean ?? 0
        guard isNegative, mean >= 1 / policy.rollbackAlpha, isReturnPossible(from: version) else { return }
        let robust = robustComparison(watch, tolerance: policy.tolerance)
        let figures = watch.compared.map {
            Evidence.compared(
                ComparedVoices(
                    other: rival,
                    blocks: $0.blocks,
                    total: $0.total,
                    negative: $0.negative,
                    otherTotal: $0.otherTotal,
                    otherNegative: $0.otherNegative,
                    tolerance: policy.tolerance,
                    logE: Reproducible.log(max(robust.evidence.mean, .leastNormalMagnitude)),
                    threshold: -Reproducible.log(policy.rollbackAlpha)
                )
            )
        }
        alarm(
            version,
            watch: watch,
            robust: robust,
            evidence: figures ?? .none,
            under: policy,
            at: time,
            into: &outcome
        )
    }

    /// Judges a version against the past by a voice about it, when no voices about another version are received.
    mutating func judgeByPast(
        _ version: ModelVersion,
        voice: Voice,
        under policy: RolloutPolicy,
        at time: StreamTime,
        into outcome: inout FeedbackOutcome
    ) {
        guard var watch = watches[version] else { return }
        guard let tolerated = watch.tolerated else {
            watch.calibrate(pastVoices(beside: version), policy)
            watches[version] = watch
            return
        }
        watch.judged += 1
        watch.kept = min(watch.kept + 1, Self.voiceCapacity)
        let process = RisingRate(normalRate: tolerated)
        process.observe(voice.isNegative, number: watch.judged, weight: voice.weight, into: &watch.evidence)
        voices[Self.slot(watch.judged, watch)] = voice
        watches[version] = watch
        // A positive voice is no reason for an alarm, so nothing is checked.
        guard voice.isNegative, watch.evidence.mean >= 1 / policy.rollbackAlpha, isReturnPossible(from: version) else {
            return
        }
        let robust = robustEvidence(watch, process)
        let evidence = Evidence.feedback(
            negative: watch.negative,
            total: watch.total,
            expectedRate: process.normalRate,
            statistic: Reproducible.log(max(robust.evidence.mean, .leastNormalMagnitude)),
            threshold: Reproducible.log(1 / policy.rollbackAlpha)
        )
        alarm(version, watch: watch, robust: robust, evidence: evidence, under: policy, at: time, into: &outcome)
    }

    /// Whether another model would serve in place of a version.
    private func isReturnPossible(from version: ModelVersion) -> Bool {
        version == canary?.version || !roles.value.history.isEmpty
    }

    /// Rolls the version back if the evidence does not rest on a few buckets; otherwise suspects it, so that labels
    /// decide.
    private mutating func alarm(
        _ version: ModelVersion,
        watch: VoiceWatch,
        robust: (evidence: RisingRate.Evidence, rejecting: Int),
        evidence: Evidence,
        under policy: RolloutPolicy,
        at time: StreamTime,
        into outcome: inout FeedbackOutcome
    ) {
        guard robust.evidence.mean >= 1 / policy.rollbackAlpha, robust.rejecting >= Self.alarmBuckets else {
            outcome.notice = suspect(version, watch: watch, under: policy, at: time) ?? outcome.notice
            return
        }
        outcome.release =
            version == canary?.version ? rollBackCanary(evidence: evidence) : rollBack(.rolledBack, evidence: evidence)
    }

    /// Returns the evidence of the voices kept, without the buckets that rejected most: five, or a twentieth of the
    /// buckets with voices if that is more. Of buckets with equal counts, those whose last rejection is oldest are left
    /// out first, and of these the lower bucket.
    ///
    /// - Returns: The evidence, started at 0 with the first voice kept, each voice under its own number; and the number
    ///   of remaining buckets that rejected.
    /// - Complexity: O(`voiceCapacity`).
    func robustEvidence(_ watch: VoiceWatch, _ process: RisingRate) -> (evidence: RisingRate.Evidence, rejecting: Int) {
        let first = watch.judged - watch.kept + 1
        var newest: [(number: Int, voice: Voice)] = []
        newest.reserveCapacity(watch.kept)
        for number in stride(from: first, through: watch.judged, by: 1) {
            if let voice = voices[Self.slot(number, watch)] { newest.append((number, voice)) }
        }
        let leftOut = Self.mostRejecting(newest.lazy.map { ($0.number, $0.voice.bucket, $0.voice.isNegative) })
        var evidence = RisingRate.Evidence()
        for (number, voice) in newest where !leftOut.buckets.contains(voice.bucket) {
            process.observe(voice.isNegative, number: number, weight: voice.weight, into: &evidence)
        }
        return (evidence, leftOut.others)
    }

    /// Returns the buckets that an alarm must do without, and the number of other buckets that rejected.
    ///
    /// - Parameter voices: Number and bucket of each voice, and whether it rejects; the oldest first.
    /// - Returns: The buckets, and the number of others that rejected.
    static func mostRejecting(
        _ voices: some Sequence<(number: Int, bucket: Int, isNegative: Bool)>
    ) -> (buckets: Set<Int>, others: Int) {
        var rejections: [Int: (count: Int, last: Int)] = [:]
        for (number, bucket, isNegative) in voices {
            let known = rejections[bucket] ?? (0, 0)
            rejections[bucket] = isNegative ? (known.count + 1, number) : known
        }
        let rejecting = rejections.filter { $1.count > 0 }
            // Voices of one block have the same number: without the bucket in the order, each process would leave out
            // different buckets.
            .sorted { ($1.value.count, $0.value.last, $0.key) < ($0.value.count, $1.value.last, $1.key) }
        let most = max(Self.leftOut, (rejections.count + 19) / 20)
        return (Set(rejecting.prefix(most).map(\.key)), max(0, rejecting.count - most))
    }

    /// Evidence that an alarm about a watched version would rest on now, without the buckets that rejected most;
    /// nil while the tolerated rate of the version is not known.
    ///
    /// - Returns: The mean of the three e-values, and how many of the buckets that are left rejected.
    public func robustEvidence(_ version: ModelVersion) -> (mean: Double, rejecting: Int)? {
        guard let watch = watches[version], let tolerated = watch.tolerated else { return nil }
        let robust = robustEvidence(watch, RisingRate(normalRate: tolerated))
        return (robust.evidence.mean, robust.rejecting)
    }

    /// Minimum number of buckets that an alarm must do without.
    private static let leftOut = 5
}
