/// Reaction of a user to a prediction.
public struct Feedback: Hashable, Sendable {
    /// Kind of reaction; only `confirmation` supports the prediction.
    public enum Verdict: String, Hashable, Sendable, CaseIterable {
        case correction, confirmation, rejection
        /// Whether the user found the prediction wrong.
        public var isNegative: Bool { self != .confirmation }
    }

    /// XXH64 of source and id: remembered for a bounded window, so that a duplicate counts once.
    public let key: UInt64
    public let sample: SampleID
    public let modelVersion: ModelVersion
    public let user: UserDigest
    public let verdict: Verdict
    /// Answer that the user gives with a correction.
    public let answer: Answer?
    /// Class that the user names where the project has no such class; nil together with an `answer`. 1 to 128
    /// bytes.
    public let proposedClass: String?
    /// The probability with which this user's feedback is forwarded at all.
    public let inclusionProbability: Double

    public init(
        key: UInt64,
        sample: SampleID,
        modelVersion: ModelVersion,
        user: UserDigest,
        verdict: Verdict,
        answer: Answer?,
        proposedClass: String? = nil,
        inclusionProbability: Double = 1
    ) {
        self.proposedClass = proposedClass
        self.key = key
        self.sample = sample
        self.modelVersion = modelVersion
        self.user = user
        self.verdict = verdict
        self.answer = answer
        self.inclusionProbability = inclusionProbability
    }

    /// Returns the feedback as that of a user who was sampled with a probability in `0...1`.
    public func drawn(with probability: Double) -> Feedback {
        Feedback(
            key: key,
            sample: sample,
            modelVersion: modelVersion,
            user: user,
            verdict: verdict,
            answer: answer,
            proposedClass: proposedClass,
            inclusionProbability: probability
        )
    }
}

/// One annotator's answer to one labeling task.
public struct Annotation: Hashable, Sendable {
    public enum Outcome: Hashable, Sendable {
        case answer(Answer)
        /// The annotator declines; another annotator is asked.
        case skip
        /// The annotator reports that something is wrong with the task.
        case flag(String)
    }

    public let task: TaskID
    public let annotator: AnnotatorID
    public let outcome: Outcome
    /// The annotator's working time in milliseconds, if the tool reports it.
    public let duration: Int64?

    public init(task: TaskID, annotator: AnnotatorID, outcome: Outcome, duration: Int64? = nil) {
        self.task = task
        self.annotator = annotator
        self.outcome = outcome
        self.duration = duration
    }
}

/// Labels of a dataset version that a trainer could not use and left out.
public struct LeftOutLabels: Hashable, Sendable {
    /// Training labels; at least 0.
    public let training: Int
    /// Test labels; at least 0.
    public let test: Int
    /// Positions of the test labels left out, in the order of the manifest, counted from 0, ascending: the result's
    /// predictions at these positions are not the model's. Empty if the result contains no predictions.
    public let testPositions: [Int]
    /// Example of a label left out and the reason, for human readers: at most `longestExample` bytes without control
    /// characters.
    public let example: String

    public init(training: Int, test: Int, testPositions: [Int], example: String) {
        self.training = training
        self.test = test
        self.testPositions = testPositions
        var kept = ""
        for scalar in example.unicodeScalars {
            let shown: Unicode.Scalar = scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) ? " " : scalar
            guard kept.utf8.count + UTF8.width(shown) <= Self.longestExample else { break }
            kept.unicodeScalars.append(shown)
        }
        self.example = kept
    }

    /// The counts and the example alone.
    public var withoutPositions: Self { Self(training: training, test: test, testPositions: [], example: example) }

    /// Maximum number of bytes of an example; more are cut off.
    public static let longestExample = 200
}

/// Score of a model on the validation labels of its version: it informs, and no decision depends on it.
public struct ValidationScore: Hashable, Sendable {
    /// Accuracy, in `0...1`.
    public let value: Double
    /// Number of labels on which the score was measured; at least 1.
    public let items: Int

    public init(value: Double, items: Int) {
        self.value = value
        self.items = items
    }
}

/// Result of one repeat of one trial of a training request.
public struct TrainingResult: Hashable, Sendable {
    public enum Outcome: Hashable, Sendable {
        /// `predictions` are the model's predictions for each test label, in the order of the manifest.
        case finished(artifact: ArtifactReference, score: Double?, itemsScored: Int, predictions: [Label]?)
        case failed(String)
    }

    /// Machine-readable reasons for a failed repeat, as reported by the built-in trainer. Other trainers may report
    /// other reasons.
    public enum Failure: String, Hashable, Sendable, CaseIterable {
        /// Fitting did not converge, or led to numbers that are not finite.
        case didNotConverge = "did_not_converge"
        /// The model is identical to its parent, byte for byte.
        case sameAsParent = "same_as_parent"
        /// No training label has an embedding that can be used.
        case noUsableLabels = "no_usable_labels"
    }

    public let request: RequestID
    /// Counted from 0.
    public let trial: Int
    /// Counted from 0.
    public let repetition: Int
    public let outcome: Outcome
    /// Machine-readable reason for a failure; 1 to 64 of a-z, 0-9 and '_'. See `Failure`.
    public let reason: String?
    /// Nil when every label was used.
    public let leftOut: LeftOutLabels?
    /// Milliseconds.
    public let duration: Int64?
    /// Whether Intake found the artifact at the reported location, with the reported size; nil if it could not check.
    public let verified: Bool?
    /// The version that was trained and tested on, as reported by the trainer; nil if not reported.
    public let dataset: DatasetVersionID?
    /// Nil for a failure, without validation labels, or if the trainer does not report it.
    public let validation: ValidationScore?

    public init(
        request: RequestID,
        trial: Int,
        repetition: Int,
        outcome: Outcome,
        duration: Int64? = nil,
        reason: String? = nil,
        leftOut: LeftOutLabels? = nil,
        verified: Bool? = nil,
        dataset: DatasetVersionID? = nil,
        validation: ValidationScore? = nil
    ) {
        self.verified = verified
        self.dataset = dataset
        self.validation = validation
        self.reason = reason
        self.leftOut = leftOut
        self.request = request
        self.trial = trial
        self.repetition = repetition
        self.outcome = outcome
        self.duration = duration
    }

    /// Returns the result with what Intake found of its artifact.
    public func verified(_ verified: Bool?) -> TrainingResult {
        TrainingResult(
            request: request,
            trial: trial,
            repetition: repetition,
            outcome: outcome,
            duration: duration,
            reason: reason,
            leftOut: leftOut,
            verified: verified,
            dataset: dataset,
            validation: validation
        )
    }
}

/// A dataset version that the Materializer has written and sealed.
public struct SealedVersion: Hashable, Sendable {
    public let id: DatasetVersionID
    /// Number of the cut up to which the version is folded, counted from 1.
    public let versionNumber: Int
    public let parent: DatasetVersionID?
    /// Semantic version by Croissant's rule: additions bump MINOR, any other change bumps MAJOR.
    public let semanticVersion: String
    public let manifest: ArtifactReference
    public let training: Int
    public let validation: Int
    public let test: Int

    public init(
        id: DatasetVersionID,
        versionNumber: Int,
        parent: DatasetVersionID?,
        semanticVersion: String,
        manifest: ArtifactReference,
        training: Int,
        validation: Int,
        test: Int
    ) {
        self.id = id
        self.versionNumber = versionNumber
        self.parent = parent
        self.semanticVersion = semanticVersion
        self.manifest = manifest
        self.training = training
        self.validation = validation
        self.test = test
    }
}

/// Command of an operator.
public struct Command: Hashable, Sendable {
    public enum Action: Hashable, Sendable {
        /// Return to the champion before this one.
        case rollBack(ModelVersion)
        /// No promotion until released.
        case hold
        case releaseHold
        /// No promotion and no study until unfrozen; the last champion that is trusted serves.
        case freeze
        case unfreeze
        /// Approve the step of a version's rollout that requires approval.
        case approve(ModelVersion)
        /// Remove a class, by its name, from the answers of services and the choices of people; false restores it.
        case suppress(Bool, className: String)
        /// Continue reading a paused project's journal; changes nothing else.
        case resume
        /// Make a model that was not trained at Flywheel's request the first champion.
        case register(IncumbentModel)
        /// Change a label to another class, given by its name.
        case revise(SampleID, className: String)
        /// Remove a label from all later versions.
        case retract(SampleID)
        /// Assign a label to another split.
        case move(SampleID, to: Split)

        /// The sample whose label is to change; nil for other actions.
        public var changedSample: SampleID? {
            switch self {
            case .revise(let sample, _), .retract(let sample), .move(let sample, _): sample
            case .rollBack, .hold, .releaseHold, .freeze, .unfreeze, .approve, .suppress, .resume, .register: nil
            }
        }
    }

    /// The operator's id for the command; a second command with the same id does nothing.
    public let id: String
    public let action: Action
    public let by: String
    public let reason: String

    public init(id: String, action: Action, by: String, reason: String) {
        self.id = id
        self.action = action
        self.by = by
        self.reason = reason
    }
}

/// Exact counts of the predictions and feedback in a stretch of traffic; they inform, and no decision depends on them.
public struct Tally: Hashable, Sendable {
    public let modelVersion: ModelVersion?
    public let role: ModelRole?
    public let predictions: Int64
    public let feedback: Int64
    public let negative: Int64
    public let forwarded: Int64
    /// Whether no release has named the version, as far as the loop knew when it wrote the entry; false without a version.
    public let isUnregistered: Bool

    public init(
        modelVersion: ModelVersion?,
        role: ModelRole?,
        predictions: Int64,
        feedback: Int64,
        negative: Int64,
        forwarded: Int64,
        isUnregistered: Bool = false
    ) {
        self.isUnregistered = isUnregistered
        self.modelVersion = modelVersion
        self.role = role
        self.predictions = predictions
        self.feedback = feedback
        self.negative = negative
        self.forwarded = forwarded
    }
}
