public import Vocabulary

/// State of the rollout of a model, from its first step until it serves all users.
public struct StagedRollout: Hashable, Sendable {
    public let model: ReleasedModel
    /// Number of the current step, from 1.
    public var step: Int
    /// Time at which the step began; nil from its begin or restart until the next entry.
    public var since: StreamTime?
    /// Voices about the model at this step.
    public var voices: Int
    /// Number of voices in `voices` that found a prediction wrong.
    public var negative: Int
    /// Nil while the rollout proceeds.
    public var pause: RolloutPause?
    /// Name of the person who approved the step; nil if it is not approved.
    public var approvedBy: String?
    /// Whether a person was asked to approve the step.
    public var isApprovalRequested: Bool
    /// Steps passed, the latest last; at most `RolloutStep.limit`.
    public var passed: [StepFigures]
    /// Whether the model is a former champion that a command returns to: the champion is then quarantined at the end.
    public let isReturn: Bool
    /// Last number of the dataset log that the evidence may have counted; nil where labels do not change.
    public let evidenceThrough: Int64?
    /// Whether a service has shown a prediction of the model.
    public var isServed: Bool
    /// Predictions that services showed of the champion while they showed none of the model, as far as they are counted.
    public var unserved: Int
    /// Whether the champion has predicted an audit sample at this step.
    public var hasChampionPredicted: Bool
    /// Evidence of audit labels against the model; nil before the first sample of its pair.
    public var bake: BakeEvidence?
    /// Number of answers of services at the first step that were compared with a trainer's, halved once there are many.
    public var compared: Int
    /// Number of answers in `compared` that differ.
    public var differing: Int

    public init(
        model: ReleasedModel,
        step: Int = 1,
        since: StreamTime? = nil,
        voices: Int = 0,
        negative: Int = 0,
        pause: RolloutPause? = nil,
        approvedBy: String? = nil,
        isApprovalRequested: Bool = false,
        passed: [StepFigures] = [],
        isReturn: Bool = false,
        evidenceThrough: Int64? = nil,
        isServed: Bool = false,
        unserved: Int = 0,
        hasChampionPredicted: Bool = false,
        bake: BakeEvidence? = nil,
        compared: Int = 0,
        differing: Int = 0
    ) {
        self.hasChampionPredicted = hasChampionPredicted
        self.bake = bake
        self.model = model
        self.step = step
        self.since = since
        self.voices = voices
        self.negative = negative
        self.pause = pause
        self.approvedBy = approvedBy
        self.isApprovalRequested = isApprovalRequested
        self.passed = passed
        self.isReturn = isReturn
        self.evidenceThrough = evidenceThrough
        self.isServed = isServed
        self.unserved = unserved
        self.compared = compared
        self.differing = differing
    }
}

/// The rollout in progress, and the last announcement to services.
public struct RolloutProgress: Hashable, Sendable {
    /// The rollout in progress; nil if there is none.
    public var rollout: StagedRollout?
    /// Staging of the last release; nil in a project without rollout steps and hold-back.
    public var released: Staging?
    /// When that release was made.
    public var releasedAt: StreamTime?
    /// Time of the last notice that a service serves another version; nil before the first notice.
    public var otherReportedAt: StreamTime?

    public init(
        rollout: StagedRollout? = nil,
        released: Staging? = nil,
        releasedAt: StreamTime? = nil,
        otherReportedAt: StreamTime? = nil
    ) {
        self.rollout = rollout
        self.released = released
        self.releasedAt = releasedAt
        self.otherReportedAt = otherReportedAt
    }
}

/// Consequences of the time and the evidence of a step.
public struct StepOutcome: Hashable, Sendable {
    public var release: ModelRelease?
    /// Notice for people; nil where there is none.
    public var notice: Notice?

    public init(release: ModelRelease? = nil, notice: Notice? = nil) {
        self.release = release
        self.notice = notice
    }
}
