/// A message about an event that people should know of.
public struct Notice: Hashable, Sendable {
    /// Subject of a notice; the raw values are on the wire.
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        case budgetExhausted = "budget_exhausted"
        case rolledBack = "rolled_back"
        case taskUnanswerable = "task_unanswerable"
        case studyFailed = "study_failed"
        case studyFinished = "study_finished"
        case projectPaused = "project_paused"
        case projectResumed = "project_resumed"
        /// Users correct predictions to a class that the project does not have.
        case classProposed = "class_proposed"
        /// A trained model does not go live: it does not meet the project's requirements for its first model.
        case firstModelWaits = "first_model_waits"
        /// A project with budget and traffic has queried nothing for a minute.
        case nothingQueried = "nothing_asked"
        /// A challenger waits for live predictions, and no service makes any.
        case nobodyShadows = "nobody_shadows"
        /// A new count of the votes results in another class than the label's.
        case labelDisputed = "label_disputed"
        /// An alarm is based on few users, so labels decide about the champion; or the labels have cleared it.
        case feedbackRaid = "feedback_raid"
        /// A rollout is paused: evidence is lacking.
        case rolloutPaused = "rollout_paused"
        /// A rollout waits for a person.
        case approvalWanted = "approval_wanted"
        /// A version is released to a share of the users, and no service serves it.
        case nobodyServes = "nobody_serves"
        /// A service serves a version that the release does not name.
        case otherVersionServed = "other_version_served"
        /// A version that serves names a class that is suppressed.
        case suppressionIgnored = "suppression_ignored"
        /// Labels by which models would be judged are not test labels of the project; they are left out.
        case labelLeak = "label_leak"
        /// A challenger waits for predictions by trainers, and none arrive.
        case predictionsMissing = "predictions_missing"
    }
    public let kind: Kind
    public let text: String
    public init(kind: Kind, text: String) {
        self.kind = kind
        self.text = text
    }
}

/// Reason for which an entry changed nothing: a code, and a sentence for human readers.
public struct EntryRejection: Hashable, Sendable {
    /// Reason codes; the raw values are on the wire and in the state.
    public enum Code: String, Hashable, Sendable, CaseIterable {
        case duplicate
        case unknownTask = "unknown_task"
        case taskClosed = "task_closed"
        case unknownClass = "unknown_class"
        case unknownRequest = "unknown_request"
        case duplicateResult = "duplicate_result"
        case studyClosed = "study_closed"
        case contradictsVersion = "contradicts_version"
        case unknownModel = "unknown_model"
        case nothingToRollBack = "nothing_to_roll_back"
        case unknownFeedbackModel = "not_the_champion"
        case userCapReached = "user_cap_reached"
        case invalidConfiguration = "invalid_configuration"
        case wrongSpace = "wrong_space"
        case championExists = "champion_exists"
        case versionTaken = "version_taken"
        case labelConflict = "label_conflict"
        case sampleQueried = "sample_asked"
        case unknownLabel = "unknown_label"
        case labelsFixed = "labels_fixed"
        case splitFixed = "split_fixed"
        case nothingToApprove = "nothing_to_approve"
        case suppressionRefused = "suppression_refused"
        case contradictsRequest = "contradicts_request"
        /// Whether a person should examine it; the others are expected and only counted.
        public var isDeadLetter: Bool {
            switch self {
            case .unknownTask, .unknownClass, .unknownRequest, .unknownModel, .nothingToRollBack, .invalidConfiguration,
                .contradictsVersion, .championExists, .versionTaken, .labelConflict, .sampleQueried,
                .unknownLabel, .labelsFixed, .splitFixed, .nothingToApprove, .suppressionRefused,
                .contradictsRequest:
                true
            case .duplicate, .taskClosed, .duplicateResult, .studyClosed, .unknownFeedbackModel, .userCapReached,
                .wrongSpace:
                false
            }
        }
    }
    public let code: Code
    public let text: String
    public init(_ code: Code, _ text: String) {
        self.code = code
        self.text = text
    }
}

/// A refusal as the failure of a `Result`.
public struct EntryRejectionError: Error, Hashable, Sendable {
    public let refusal: EntryRejection
    public init(_ code: EntryRejection.Code, _ text: String) { refusal = EntryRejection(code, text) }
}
