/// A key-value pair of metadata by which a rollout step selects its samples instead of a share.
public struct RolloutRing: Hashable, Sendable {
    /// 1 to 64 bytes.
    public let key: String
    /// At most 256 bytes.
    public let value: String

    public init(key: String, value: String) {
        self.key = key
        self.value = value
    }
}

/// The unit that is assigned to a version as a whole, by its draw.
public enum AssignmentUnit: String, Hashable, Sendable, CaseIterable {
    /// The user, by the name that the service uses for the user.
    case user
    /// The sample, by its id.
    case sample
}

/// Reason for the pause of a rollout.
public enum RolloutPause: String, Hashable, Sendable, CaseIterable {
    /// Its time has expired, and fewer voices were received than the step requires.
    case insufficientEvidence = "insufficient_evidence"
    /// Promotions are held by command.
    case manualHold = "manual_hold"
    /// An alarm is based on few users: the canary serves no user until labels have decided.
    case suspected
    /// The model's answers in services differ from the answers that its trainer reports for it.
    case inconclusive
}

/// The models that serve beside the champion, and their shares.
///
/// A service serves, in this order: the hold-back to units whose draw (purpose `canary`, without salt) is at least 1 −
/// its share; the canary to samples of its ring, or to units whose draw is below its share; the champion to all others.
public struct Staging: Hashable, Sendable {
    /// A blessed model on its way to all users.
    public struct Canary: Hashable, Sendable {
        public let version: ModelVersion
        public let artifact: ArtifactReference
        /// Share of the units, in `0...1`; 0 while the rollout is paused under suspicion. Nil if a ring is named.
        public let share: Double?
        /// Metadata by which samples are selected; nil if a share is named.
        public let ring: RolloutRing?
        /// From 1.
        public let step: Int

        public init(
            version: ModelVersion,
            artifact: ArtifactReference,
            share: Double?,
            ring: RolloutRing? = nil,
            step: Int
        ) {
            self.version = version
            self.artifact = artifact
            self.share = share
            self.ring = ring
            self.step = step
        }
    }

    /// A former champion that continues to serve a share, for comparison.
    public struct Holdback: Hashable, Sendable {
        public let version: ModelVersion
        public let artifact: ArtifactReference
        /// Above 0, at most 0.5.
        public let share: Double

        public init(version: ModelVersion, artifact: ArtifactReference, share: Double) {
            self.version = version
            self.artifact = artifact
            self.share = share
        }
    }

    /// `canary` or `paused` while a rollout is in progress, else `live`.
    public let state: ReleaseState
    /// Reason for the pause; set if `state` is `paused`.
    public let pause: RolloutPause?
    public let canary: Canary?
    public let holdback: Holdback?
    /// Versions that also predict samples for which another version's output is shown, and whose output is published.
    public let shadows: [ModelVersion]
    public let unit: AssignmentUnit

    public init(
        state: ReleaseState,
        pause: RolloutPause? = nil,
        canary: Canary? = nil,
        holdback: Holdback? = nil,
        shadows: [ModelVersion] = [],
        unit: AssignmentUnit = .user
    ) {
        self.state = state
        self.pause = pause
        self.canary = canary
        self.holdback = holdback
        self.shadows = shadows
        self.unit = unit
    }

    /// The version that serves a unit.
    ///
    /// - Parameters:
    ///   - champion: Champion of the same release.
    ///   - draw: The unit's draw, in `0..<1`.
    ///   - metadata: Metadata of the sample.
    /// - Returns: The hold-back, the canary or the champion.
    public func version(champion: ModelVersion, draw: Double, metadata: SampleMetadata = .none) -> ModelVersion {
        if let holdback, draw >= 1 - holdback.share { return holdback.version }
        guard let canary else { return champion }
        if let ring = canary.ring { return metadata[ring.key] == ring.value ? canary.version : champion }
        return draw < canary.share ?? 0 ? canary.version : champion
    }
}

/// The figures of a rollout step that is finished or in progress.
public struct StepFigures: Hashable, Sendable {
    /// From 1.
    public let step: Int
    /// Nil where the step names a ring.
    public let share: Double?
    public let ring: RolloutRing?
    public let from: StreamTime
    public let to: StreamTime
    /// Number of voices about the canary at this step.
    public let voices: Int
    /// Number of voices in `voices` that found a prediction wrong.
    public let negative: Int
    /// Natural logarithm of the e-value that it is rejected more often than the version that serves beside it; nil if
    /// no voice was received.
    public let logEAgainstOther: Double?
    /// Natural logarithm of the e-value that it is rejected more often than the project's past; nil if that was not
    /// examined.
    public let logEAgainstPast: Double?
    /// Natural logarithm of the e-value that the champion is better, by audit labels since the rollout began; nil if no
    /// label has a pair.
    public let logEByLabels: Double?
    /// Name of the person who approved the step; nil if there is none.
    public let approvedBy: String?
    /// Number of services' answers that were compared with a trainer's, if trainers predict; the count is halved
    /// whenever it is large, so that the newest answers weigh most.
    public let compared: Int
    /// Number of answers in `compared` that differ.
    public let differing: Int

    public init(
        step: Int,
        share: Double?,
        ring: RolloutRing? = nil,
        from: StreamTime,
        to: StreamTime,
        voices: Int,
        negative: Int,
        logEAgainstOther: Double? = nil,
        logEAgainstPast: Double? = nil,
        logEByLabels: Double? = nil,
        approvedBy: String? = nil,
        compared: Int = 0,
        differing: Int = 0
    ) {
        self.compared = compared
        self.differing = differing
        self.step = step
        self.share = share
        self.ring = ring
        self.from = from
        self.to = to
        self.voices = voices
        self.negative = negative
        self.logEAgainstOther = logEAgainstOther
        self.logEAgainstPast = logEAgainstPast
        self.logEByLabels = logEByLabels
        self.approvedBy = approvedBy
    }
}

/// Voices about two versions that serve at the same time.
public struct ComparedVoices: Hashable, Sendable {
    /// The version that the other voices are about.
    public let other: ModelVersion
    /// Number of blocks of voices about each version.
    public let blocks: Int
    /// Number of voices about the judged version in these blocks.
    public let total: Int
    /// Number of voices in `total` that found a prediction wrong.
    public let negative: Int
    /// Number of voices about the other version in these blocks.
    public let otherTotal: Int
    /// Number of voices in `otherTotal` that found a prediction wrong.
    public let otherNegative: Int
    /// Tolerated increase over the other version.
    public let tolerance: Double
    /// Natural logarithm of the e-value, without the buckets that rejected most.
    public let logE: Double
    /// Value that `logE` had to reach.
    public let threshold: Double

    public init(
        other: ModelVersion,
        blocks: Int,
        total: Int,
        negative: Int,
        otherTotal: Int,
        otherNegative: Int,
        tolerance: Double,
        logE: Double,
        threshold: Double
    ) {
        self.other = other
        self.blocks = blocks
        self.total = total
        self.otherTotal = otherTotal
        self.negative = negative
        self.otherNegative = otherNegative
        self.tolerance = tolerance
        self.logE = logE
        self.threshold = threshold
    }
}
