/// The state of a model version within its project. The raw values are on the wire.
///
/// `blessed`, `canary`, `paused` and `rollingBack` are states of rollouts by steps: if a project has only one step, of
/// share 1, no transition leads into them.
public enum ReleaseState: String, Hashable, Sendable, CaseIterable {
    /// Trained, and neither live nor compared: it does not meet the project's requirements for its first model.
    case registered
    /// Predicts beside the live version, and its output is shown to no user.
    case shadow
    /// Proven better than the live version, and not yet serving.
    case blessed
    /// Serves a share of the users.
    case canary
    /// Its rollout is paused: evidence is lacking, labels decide about it, or promotions are held.
    case paused
    /// Serves the users.
    case live
    /// Replaced by another version. A former live version may be live again after a rollback.
    case superseded
    /// Being rolled back.
    case rollingBack = "rolling_back"
    /// Rolled back, and not to be served again.
    case quarantined
}

/// The step of a model version from one state to another.
public struct ModelTransition: Hashable, Sendable {
    /// The event behind a transition.
    public enum Cause: Hashable, Sendable {
        /// A study ended with a model that does not go live.
        case trained
        /// A release.
        case release(ModelRelease.Cause)
    }

    public let version: ModelVersion
    /// Nil for the first transition of the version.
    public let from: ReleaseState?
    public let to: ReleaseState
    public let cause: Cause
    /// Operator who requested the transition; nil unless it follows from an operator's command.
    public let by: String?
    /// Explanation for people; nil if cause and evidence suffice.
    public let reason: String?
    /// The version that this one replaces, as live version or as challenger.
    public let replaced: ModelVersion?
    /// The version that replaces this one.
    public let replacedBy: ModelVersion?
    public let evidence: Evidence

    public init(
        version: ModelVersion,
        from: ReleaseState?,
        to: ReleaseState,
        cause: Cause,
        by: String? = nil,
        reason: String? = nil,
        replaced: ModelVersion? = nil,
        replacedBy: ModelVersion? = nil,
        evidence: Evidence
    ) {
        self.version = version
        self.from = from
        self.to = to
        self.cause = cause
        self.by = by
        self.reason = reason
        self.replaced = replaced
        self.replacedBy = replacedBy
        self.evidence = evidence
    }
}

extension ModelTransition.Cause: RawRepresentable, CaseIterable {
    public static var allCases: [Self] { [.trained] + ModelRelease.Cause.allCases.map { .release($0) } }

    public init?(rawValue: String) {
        if rawValue == "trained" {
            self = .trained
        } else if let cause = ModelRelease.Cause(rawValue: rawValue) {
            self = .release(cause)
        } else {
            return nil
        }
    }

    public var rawValue: String {
        switch self {
        case .trained: "trained"
        case .release(let cause): cause.rawValue
        }
    }
}
