internal import Kinds
internal import Statistics
internal import Tables
public import Vocabulary

/// Suspicion: an alarm that rests on few buckets of users. Nothing is promoted until audit labels have decided.
extension RolloutState {
    /// Number of audit labels that decide a suspicion.
    public static let decidingLabels = 20
    /// Maximum number of newest audit labels from which a version's earlier accuracy is estimated.
    static let accuracyWindow = 500
    /// Confidence level of the lower limit of that accuracy.
    private static let accuracyLevel = 0.995
    /// Probability that a version whose accuracy is unchanged has so few right answers that it is rolled back. The
    /// *k*-th suspicion of a release uses 1/*k*² of it, so that endless raids do not succeed in the end.
    private static let falseRollbackProbability = 0.01

    /// Suspects a version, unless it is suspected already.
    ///
    /// - Returns: A notice for people.
    mutating func suspect(
        _ version: ModelVersion,
        watch: VoiceWatch,
        under policy: RolloutPolicy,
        at time: StreamTime
    ) -> Notice? {
        guard suspicions[version] == nil else { return nil }
        suspicions[version] = Suspicion(since: time, accuracy: accuracyLowerLimit(of: version))
        watches[version]?.suspicions += 1
        markVerifications(of: version)
        let text =
            "\(watch.negative) of \(watch.total) voices reject \(version), and without those of a few buckets of users that is no alarm: nothing is promoted until \(Self.decidingLabels) audit labels have judged \(version)"
        return Notice(kind: .feedbackRaid, text: text)
    }

    /// Returns the lower limit of a version's earlier accuracy, on audit labels that were selected by the draw alone
    /// and whose samples it predicted: that on the newest of all, or that on the newest of those that entered before it
    /// became champion, whichever is higher; 0 if there is none.
    ///
    /// Otherwise a release that is bad from its first minute would be measured by its own wrong answers, and cleared.
    ///
    /// - Complexity: O(`rowCapacity` log `rowCapacity`).
    private func accuracyLowerLimit(of version: ModelVersion) -> Double {
        let known = rows.sortedRows.filter { $1.label != nil && !$1.isDuel && $1.prediction(of: version) != nil }
            .sorted { ($1.value.since, $0.key) < ($0.value.since, $1.key) }.map(\.value)
        let championSince = trust.value.served.first { $0.version == version }?.since
        guard version == roles.value.champion?.version, let championSince else {
            return accuracyLowerLimit(of: version, on: known)
        }
        return max(
            accuracyLowerLimit(of: version, on: known),
            accuracyLowerLimit(of: version, on: known.filter { $0.since < championSince })
        )
    }

    /// Returns the lower limit of a version's accuracy on the first `accuracyWindow` labelled rows; 0 without rows.
    private func accuracyLowerLimit(of version: ModelVersion, on known: [AuditRow]) -> Double {
        var right = 0.0
        for row in known.prefix(Self.accuracyWindow) {
            if let label = row.label, let prediction = row.prediction(of: version) {
                right += prediction.agreement(with: label)
            }
        }
        let count = min(known.count, Self.accuracyWindow)
        return BinomialLimits.lower(right, of: Double(count), level: Self.accuracyLevel)
    }

    /// Suspected versions, about which labels decide: the canary before the champion.
    var suspects: [ModelVersion] {
        guard !suspicions.isEmpty else { return [] }
        return [canary?.version, roles.value.champion?.version].compactMap { $0 }.filter { suspicions[$0] != nil }
    }

    /// Returns the number of audit tasks that are to be opened before others because a version is suspected.
    public func auditTasksWanted(_ policy: RolloutPolicy) -> Int {
        var most = 0
        for version in suspects {
            guard let suspicion = suspicions[version] else { continue }
            most = max(
                most,
                min(policy.verification, Self.decidingLabels + suspicion.withoutLabel) - suspicion.queried
            )
        }
        return most
    }

    /// Records that an audit task was opened.
    public mutating func auditTaskOpened() {
        for version in suspects { suspicions[version]?.queried += 1 }
    }

    /// Records that an audit task ended without a label.
    public mutating func auditTaskWithoutLabel() {
        for version in suspects { suspicions[version]?.withoutLabel += 1 }
    }

    /// Judges the suspicion of the champion by the label of an audit sample, once `labelled` has recorded it: if the
    /// champion is suspected, the label may decide.
    ///
    /// - Returns: A rollback, or the notice that the champion is cleared; nothing while labels are lacking.
    public mutating func judgeSuspicion(by sample: SampleID) -> FeedbackOutcome {
        guard let version = roles.value.champion?.version else { return FeedbackOutcome() }
        return judgeSuspicion(of: version, by: sample)
    }

    /// Judges the suspicion of the canary by the label of an audit sample; to be called after
    /// `judgeSuspicion(by:)`, which judges that of the champion.
    public mutating func judgeCanarySuspicion(by sample: SampleID) -> FeedbackOutcome {
        guard let version = canary?.version else { return FeedbackOutcome() }
        return judgeSuspicion(of: version, by: sample)
    }

    private mutating func judgeSuspicion(of version: ModelVersion, by sample: SampleID) -> FeedbackOutcome {
        guard var suspicion = suspicions[version], let row = rows[sample], let label = row.label else {
            return FeedbackOutcome()
        }
        // The sample was queried because the version disagreed with a challenger, before it was suspected: it is not
        // representative of all traffic.
        guard !row.isDuel else { return FeedbackOutcome() }
        guard let prediction = row.prediction(of: version) else {
            suspicions[version]?.withoutLabel += 1
            return FeedbackOutcome()
        }
        suspicion.labels += 1
        suspicion.right += prediction.agreement(with: label)
        suspicions[version] = suspicion
        guard suspicion.labels >= Self.decidingLabels else { return FeedbackOutcome() }
        let watch = watches[version] ?? VoiceWatch(suspicions: 1)
        let share = Self.falseRollbackProbability / Double(watch.suspicions * watch.suspicions)
        let least = BinomialLimits.quantile(share, of: suspicion.labels, suspicion.accuracy)
        guard suspicion.right < Double(least) else { return clear(version, suspicion, least) }
        let evidence = Evidence.suspected(
            SuspicionVerdict(
                labels: suspicion.labels,
                right: suspicion.right,
                leastRight: least,
                accuracy: suspicion.accuracy,
                suspicions: watch.suspicions,
                voices: watch.total,
                rejecting: watch.negative,
                disputed: suspicion.disputed,
                disputedWrong: suspicion.disputedWrong
            )
        )
        let release =
            version == canary?.version ? rollBackCanary(evidence: evidence) : rollBack(.rolledBack, evidence: evidence)
        return FeedbackOutcome(release: release)
    }

    /// Ends a suspicion that labels have refuted: the voices counted until now are no longer evidence, and an alarm
    /// needs as many voices again. The stored voices are kept: otherwise a version that is widely rejected for a fault
    /// that labels cannot detect would be cleared for ever, since no alarm would have enough voices without the buckets
    /// that rejected most.
    private mutating func clear(_ version: ModelVersion, _ suspicion: Suspicion, _ least: Int) -> FeedbackOutcome {
        endSuspicion(of: version)
        if var watch = watches[version] {
            watch.evidence = RisingRate.Evidence()
            watch.compared?.evidence = RisingRate.Evidence()
            watches[version] = watch
        }
        // The step restarts, and a person's approval is reset: while the version was suspected, it served no users.
        if version == canary?.version {
            progress.value.rollout?.since = nil
            progress.value.rollout?.voices = 0
            progress.value.rollout?.negative = 0
            progress.value.rollout?.approvedBy = nil
            progress.value.rollout?.isApprovalRequested = false
        }
        let right = suspicion.rightText
        let disputed =
            suspicion.disputed > 0
            ? "; of \(suspicion.disputed) samples that users had rejected it had \(suspicion.disputedWrong) wrong, and each bucket is trusted accordingly"
            : ""
        let text =
            "\(version) is cleared of what a few buckets of users say: of \(suspicion.labels) audit labels it had \(right) right, \(least > 0 ? "and fewer than \(least) would have been too few" : "and so little was known of it before that none would have been too few")\(disputed)"
        return FeedbackOutcome(notice: Notice(kind: .feedbackRaid, text: text))
    }
}

extension Suspicion {
    /// Labels that find the version right, to hundredths; a whole number has no point.
    var rightText: String {
        let rounded = (right * 100).rounded() / 100
        return rounded == rounded.rounded() ? "\(Int(rounded))" : "\(rounded)"
    }
}
