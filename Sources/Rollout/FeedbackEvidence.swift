public import Statistics
public import Vocabulary

/// Voices of users about one version that serves; each bucket of users has one voice in a window.
public struct VoiceWatch: Hashable, Sendable {
    /// Number of the watch among those of the project, from 1: a bucket's voice counts for one watch.
    public var serial: Int32
    /// Index of the slots for its newest voices, in `0..<RolloutState.servingArms`; different for versions that serve
    /// at the same time.
    public var arm: Int
    /// Voices since the release that found a prediction wrong.
    public var negative: Int
    /// Voices since the release.
    public var total: Int
    /// The share of negative voices that is tolerated; nil while it is being learnt. Once known, it changes only when a
    /// canary becomes champion (`rebaseWatch`).
    public var tolerated: Double?
    /// Number of voices judged since the tolerated share is known; the newest of them has this number.
    public var judged: Int
    /// Number of the newest judged voices that are kept; at most `RolloutState.voiceCapacity`.
    public var kept: Int
    /// Evidence that the rate rose above the tolerated one.
    public var evidence: RisingRate.Evidence
    /// Number of times that the version was suspected, so that labels had to decide about it.
    public var suspicions: Int
    /// Comparison with a version that serves at the same time; nil until a voice has been received for it.
    public var compared: VoiceComparison?

    public init(
        serial: Int32 = 1,
        arm: Int = 0,
        negative: Int = 0,
        total: Int = 0,
        tolerated: Double? = nil,
        judged: Int = 0,
        kept: Int = 0,
        evidence: RisingRate.Evidence = RisingRate.Evidence(),
        suspicions: Int = 0,
        compared: VoiceComparison? = nil
    ) {
        self.compared = compared
        self.suspicions = suspicions
        self.serial = serial
        self.arm = arm
        self.negative = negative
        self.total = total
        self.tolerated = tolerated
        self.judged = judged
        self.kept = kept
        self.evidence = evidence
    }
}

/// One of the newest voices about a version.
public struct Voice: Hashable, Sendable {
    /// Bucket of the voice's user.
    public let bucket: Int
    public let isNegative: Bool
    /// In `0...1`.
    public let weight: Double

    public init(bucket: Int, isNegative: Bool, weight: Double = 1) {
        self.bucket = bucket
        self.isNegative = isNegative
        self.weight = weight
    }
}

/// Voices about champions that were replaced by better ones: the rate at which users reject a model without faults.
public struct FeedbackPast: Hashable, Sendable {
    /// Voices that found a prediction wrong.
    public var negative: Int
    /// All voices.
    public var total: Int
    /// Voices that found a prediction wrong, among those about the newest of these champions that had `minimumVoices`
    /// voices.
    public var newestNegative: Int
    /// All voices about that champion; 0 if none had `minimumVoices`, else in `minimumVoices...maximumTotal`.
    public var newestTotal: Int
    /// Watches begun so far.
    public var watches: Int32

    public init(
        negative: Int = 0,
        total: Int = 0,
        newestNegative: Int = 0,
        newestTotal: Int = 0,
        watches: Int32 = 0
    ) {
        self.negative = negative
        self.total = total
        self.newestNegative = newestNegative
        self.newestTotal = newestTotal
        self.watches = watches
    }

    /// Number of voices above which older voices count for less and less: a changed environment is learnt eventually.
    static let maximumTotal = 10_000
    /// Minimum number of voices about one champion from which its rate can be inferred.
    static let minimumVoices = 10

    /// Adds the voices about a champion, which becomes the newest one.
    mutating func add(_ watch: VoiceWatch) {
        (negative, total) = Self.bounded(negative + watch.negative, total + watch.total)
        // A champion that hardly served has too few voices for a rate: the one before it stays the newest.
        guard watch.total >= Self.minimumVoices else { return }
        (newestNegative, newestTotal) = Self.bounded(watch.negative, watch.total)
    }

    private static func bounded(_ negative: Int, _ total: Int) -> (negative: Int, total: Int) {
        var (negative, total) = (negative, total)
        while total > maximumTotal {
            // Rounded up, so that discarded voices raise no suspicion.
            negative = (negative + 1) / 2
            total /= 2
        }
        return (min(negative, total), total)
    }
}

/// A suspicion of a version: few users are behind an alarm, so the next audit labels of samples that it predicted
/// decide.
public struct Suspicion: Hashable, Sendable {
    public var since: StreamTime
    /// Lower limit of the version's accuracy before the suspicion, on the newest audit labels, in `0...1`.
    public var accuracy: Double
    /// Number of audit labels since then for samples that the version predicted.
    public var labels: Int
    /// Sum of the labels' agreement with the version's predictions; for kind `choice`, the number of right predictions.
    public var right: Double
    /// Audit tasks opened since then.
    public var queried: Int
    /// Audit tasks that ended since then without a label that judges the version.
    public var withoutLabel: Int
    /// Number of tasks opened for disputed samples.
    public var disputedQueried: Int
    /// Number of labels received for disputed samples.
    public var disputed: Int
    /// Number of labels in `disputed` that find the version wrong.
    public var disputedWrong: Int

    public init(
        since: StreamTime,
        accuracy: Double,
        labels: Int = 0,
        right: Double = 0,
        queried: Int = 0,
        withoutLabel: Int = 0,
        disputedQueried: Int = 0,
        disputed: Int = 0,
        disputedWrong: Int = 0
    ) {
        self.disputedQueried = disputedQueried
        self.disputed = disputed
        self.disputedWrong = disputedWrong
        self.since = since
        self.accuracy = accuracy
        self.labels = labels
        self.right = right
        self.queried = queried
        self.withoutLabel = withoutLabel
    }
}

/// Consequences of a feedback that counted, or of a label.
public struct FeedbackOutcome: Hashable, Sendable {
    /// Release that rolls a version back; nil if there is none.
    public var release: ModelRelease?
    /// Notice for people; nil where there is none.
    public var notice: Notice?

    public init(release: ModelRelease? = nil, notice: Notice? = nil) {
        self.release = release
        self.notice = notice
    }
}
