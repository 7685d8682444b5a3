internal import Kinds
internal import Tables
public import Vocabulary

/// Counts of the verdicts of a bucket of users that were compared with a label, by outcome.
public struct BucketTrust: Hashable, Sendable {
    /// Verdicts that the label confirms.
    public var agreed: Int32
    /// Verdicts that the label contradicts: a right prediction rejected, or a wrong one confirmed.
    public var contradicted: Int32

    public init(agreed: Int32 = 0, contradicted: Int32 = 0) {
        self.agreed = agreed
        self.contradicted = contradicted
    }

    /// Weight of the bucket's voices: 1 at first, and down to 0.1 where labels contradict it.
    ///
    /// The share of verdicts that labels confirm, with two more counted in the bucket's favour. If new buckets began
    /// below 1, every rollback would be delayed, and the users of a raid have enough names to appear as new ones.
    public var weight: Double {
        let known = Double(agreed) + Self.credit
        return max(Self.minimumWeight, known / (known + Double(contradicted)))
    }

    private static let credit = 2.0
    private static let minimumWeight = 0.1
    /// Maximum number of verdicts counted; above it both counts are halved, so that a bucket's changed behaviour shows.
    static let maximumCount: Int32 = 100
}

/// A voice about a model's prediction of an audit sample, kept until the sample has a label.
public struct BucketVerdict: Hashable, Sendable {
    /// Bucket of the voice's user, in `0..<RolloutState.maximumBuckets`.
    public let bucket: Int
    public let version: ModelVersion
    public let isNegative: Bool

    public init(bucket: Int, version: ModelVersion, isNegative: Bool) {
        self.bucket = bucket
        self.version = version
        self.isNegative = isNegative
    }
}

/// One of the newest voices that rejected a prediction of a sample that is not an audit sample.
public struct Dispute: Hashable, Sendable {
    /// Number of the voice among those about the version since its release; from 1.
    public let number: Int
    public let sample: SampleID
    public let bucket: Int
    public let version: ModelVersion

    public init(number: Int, sample: SampleID, bucket: Int, version: ModelVersion) {
        self.number = number
        self.sample = sample
        self.bucket = bucket
        self.version = version
    }
}

/// Trust in buckets of users.
extension RolloutState {
    /// Maximum number of verdicts kept for an audit sample until it has a label.
    public static let verdictCapacity = 4
    /// Slots for the disputes of a version: one for each of its newest voices.
    public static let disputeCapacity = 64

    /// The weight of a bucket's voices, in `0.1...1`.
    func weight(of bucket: Int) -> Double { trusts[bucket]?.weight ?? 1 }

    /// Stores the verdict of a counted voice on a sample, until a label shows whether it is right.
    ///
    /// - Parameters:
    ///   - verdict: The newest voice about its version.
    ///   - sample: The judged sample.
    ///   - watch: The watch of the version, without that voice.
    /// - Complexity: O(1).
    mutating func keep(_ verdict: BucketVerdict, about sample: SampleID, _ watch: VoiceWatch) {
        guard var row = rows[sample] else {
            guard verdict.isNegative else { return }
            let number = watch.total + 1
            disputes[watch.arm * Self.disputeCapacity + number % Self.disputeCapacity] = Dispute(
                number: number,
                sample: sample,
                bucket: verdict.bucket,
                version: verdict.version
            )
            return
        }
        guard row.verdicts.count < Self.verdictCapacity,
            !row.verdicts.contains(where: { $0.bucket == verdict.bucket && $0.version == verdict.version })
        else { return }
        row.verdicts.append(verdict)
        order.set(sample, row, in: &rows)
        if let label = row.label { updateTrust(verdict, row.prediction(of: verdict.version), label) }
    }

    /// Counts the verdicts on a sample as confirmed or contradicted by its new label.
    mutating func updateTrust(_ row: AuditRow, _ label: Label) {
        for verdict in row.verdicts { updateTrust(verdict, row.prediction(of: verdict.version), label) }
    }

    /// - Parameters:
    ///   - verdict: A verdict on the model's prediction.
    ///   - prediction: The model's prediction; nil if it is not known, in which case nothing is learnt.
    ///   - label: The accepted label.
    mutating func updateTrust(_ verdict: BucketVerdict, _ prediction: Label?, _ label: Label) {
        guard let prediction else { return }
        let agreement = prediction.agreement(with: label)
        // A confirmation of a partly right prediction is no evidence about the bucket that confirms it.
        guard verdict.isNegative || agreement == 0 || agreement == 1 else { return }
        let isBorneOut = verdict.isNegative == (agreement < 1)
        var trust = trusts[verdict.bucket] ?? BucketTrust()
        if isBorneOut { trust.agreed += 1 } else { trust.contradicted += 1 }
        if trust.agreed + trust.contradicted > BucketTrust.maximumCount {
            trust.agreed /= 2
            trust.contradicted /= 2
        }
        trusts[verdict.bucket] = trust
    }
}
