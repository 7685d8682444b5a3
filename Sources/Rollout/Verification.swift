internal import Kinds
internal import Tables
public import Vocabulary

/// A sample for which users rejected the prediction of a suspected version.
public struct Verification: Hashable, Sendable {
    public let version: ModelVersion
    /// Buckets of the users that rejected it, each once; 1 to `RolloutState.verdictCapacity`.
    public let buckets: [Int]
    /// Label that the version predicted; nil while the sample's content is not known, so that it cannot be queried.
    public var prediction: Label?
    /// Whether its task was opened.
    public var isQueried: Bool

    public init(version: ModelVersion, buckets: [Int], prediction: Label? = nil, isQueried: Bool = false) {
        self.version = version
        self.buckets = buckets
        self.prediction = prediction
        self.isQueried = isQueried
    }
}

/// Samples that users dispute, while labels decide about a version: their labels update the trust in buckets, and never
/// cause a rollback by themselves, because users who reject only true errors could then force one.
extension RolloutState {
    /// Maximum number of disputed samples that a suspicion may query.
    public static let maximumDisputedTasks = 20

    /// Marks the samples that were disputed last as wanted, at most `maximumDisputedTasks`.
    ///
    /// - Complexity: O(`disputeCapacity` log `disputeCapacity`).
    mutating func markVerifications(of version: ModelVersion) {
        let newest = disputes.sortedRows.map(\.value).filter { $0.version == version }
            .sorted { $0.number > $1.number }
        var buckets: [SampleID: [Int]] = [:]
        var samples: [SampleID] = []
        for dispute in newest {
            if buckets[dispute.sample] == nil { samples.append(dispute.sample) }
            var known = buckets[dispute.sample] ?? []
            if known.count < Self.verdictCapacity, !known.contains(dispute.bucket) { known.append(dispute.bucket) }
            buckets[dispute.sample] = known
        }
        for sample in samples.filter({ rows[$0] == nil && verifications[$0] == nil }).prefix(Self.maximumDisputedTasks)
        {
            verifications[sample] = Verification(version: version, buckets: buckets[sample] ?? [])
        }
    }

    /// Disputed samples whose content has not been received yet.
    ///
    /// - Complexity: O(*n* log *n*) in the disputed samples, which are few.
    public var verificationsWithoutContent: [SampleID] {
        verifications.isEmpty ? [] : verifications.sortedRows.filter { $1.prediction == nil }.map(\.key)
    }

    /// Records the content of a disputed sample.
    ///
    /// - Parameters:
    ///   - sample: The disputed sample.
    ///   - version: The version that predicted it.
    ///   - label: The predicted label.
    /// - Returns: Whether the sample may be queried: the version is the suspected one, and no content was known.
    public mutating func recordContent(of sample: SampleID, by version: ModelVersion, _ label: Label) -> Bool {
        guard var verification = verifications[sample], verification.version == version, verification.prediction == nil,
            !verification.isQueried
        else { return false }
        verification.prediction = label
        verifications[sample] = verification
        return true
    }

    /// Removes a disputed sample that cannot be queried: it was queried before, or belongs to the audit sample.
    public mutating func dropVerification(_ sample: SampleID) {
        if verifications[sample] != nil { verifications[sample] = nil }
    }

    /// Whether a disputed sample may be queried.
    public func isVerificationWanted(_ sample: SampleID) -> Bool {
        guard let verification = verifications[sample] else { return false }
        return verification.prediction != nil && !verification.isQueried && suspicions[verification.version] != nil
    }

    /// Returns the number of wanted tasks for disputed samples, in addition to the audit tasks that are wanted.
    ///
    /// - Parameter policy: The revision in force.
    /// - Returns: At least 0.
    /// - Complexity: O(1).
    public func disputedTasksWanted(_ policy: RolloutPolicy) -> Int {
        var most = 0
        for version in suspects {
            guard let suspicion = suspicions[version] else { continue }
            let remaining =
                policy.verification - max(suspicion.queried, Self.decidingLabels) - suspicion.disputedQueried
            // As fast as the audit tasks that decide, because the suspicion is over once those have decided. Tasks that
            // were open before decide as well.
            let pace = max(suspicion.queried, suspicion.labels) + 1 - suspicion.disputedQueried
            most = max(most, min(Self.maximumDisputedTasks - suspicion.disputedQueried, remaining, pace))
        }
        return most
    }

    /// Records that the task of a disputed sample was opened.
    public mutating func verificationOpened(_ sample: SampleID) {
        guard var verification = verifications[sample] else { return }
        verification.isQueried = true
        verifications[sample] = verification
        suspicions[verification.version]?.disputedQueried += 1
    }

    /// Records the end of the task of a disputed sample.
    ///
    /// - Parameters:
    ///   - sample: The queried sample.
    ///   - label: The label; nil if there is none.
    public mutating func verified(_ sample: SampleID, _ label: Label?) {
        guard let verification = verifications[sample] else { return }
        verifications[sample] = nil
        guard let label, let prediction = verification.prediction else { return }
        for bucket in verification.buckets {
            updateTrust(
                BucketVerdict(bucket: bucket, version: verification.version, isNegative: true),
                prediction,
                label
            )
        }
        suspicions[verification.version]?.disputed += 1
        if prediction.agreement(with: label) < 1 { suspicions[verification.version]?.disputedWrong += 1 }
    }

    /// Ends a suspicion: labels no longer decide about the version, and samples not queried yet are not queried any
    /// more.
    mutating func endSuspicion(of version: ModelVersion) {
        if suspicions[version] != nil { suspicions[version] = nil }
        guard !verifications.isEmpty else { return }
        for (sample, verification) in verifications.sortedRows
        where verification.version == version && !verification.isQueried {
            verifications[sample] = nil
        }
    }
}
