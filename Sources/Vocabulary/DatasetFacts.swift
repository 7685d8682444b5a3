/// The part of a dataset version that a label belongs to.
public enum Split: String, Hashable, Sendable, CaseIterable {
    case training, validation, test
}

/// The forms of a project's dataset versions and of the facts that they are folded from, as `datasets.format` counts them.
public enum DatasetFormat {
    /// Labels are added, and never change.
    public static let additions = 1
    /// Labels can also be revised, retracted and moved; facts contain more details of each.
    public static let changes = 2
    /// All that this build knows.
    public static let known = additions...changes
}

/// A label that entered the dataset log. A version is the fold of all facts up to its cut.
public struct LabelFact: Hashable, Sendable {
    public let consensus: ConsensusLabel
    public let split: Split
    /// Facts and cuts of a project are counted together from 1, without a gap.
    public let sequence: Int64
    /// See `DatasetFormat`: the properties below are known for `changes` only.
    public let format: Int
    /// When the entry was appended that brought the label; nil in the first format.
    public let acceptedAt: StreamTime?
    /// The probability with which the sample belongs to the audit sample, in `0...1`; nil for others, and in the first
    /// format.
    public let inclusionProbability: Double?
    /// The probability with which the step that chose the sample did so, above 0 and at most 1; nil if no step chose
    /// it, if it was not recorded, and in the first format.
    public let propensity: Double?
    /// How the sample came to be queried, for the audit sample when champion and challenger are distinguished; nil for
    /// others, and in the first format.
    public let audit: AuditOrigin?

    public init(
        consensus: ConsensusLabel,
        split: Split,
        sequence: Int64,
        format: Int = DatasetFormat.additions,
        acceptedAt: StreamTime? = nil,
        inclusionProbability: Double? = nil,
        propensity: Double? = nil,
        audit: AuditOrigin? = nil
    ) {
        self.audit = audit
        self.format = format
        self.acceptedAt = acceptedAt
        self.inclusionProbability = inclusionProbability
        self.propensity = propensity
        self.consensus = consensus
        self.split = split
        self.sequence = sequence
    }
}

/// Kind of change to a label that is in the log.
public enum LabelChangeKind: Hashable, Sendable {
    /// Its label has another value.
    case revised(from: Label, to: Label)
    /// It is excluded from all later versions.
    case retracted
    /// It belongs to another split.
    case moved(from: Split)
}

/// A change of a label that is in the log: later versions hold it so, the earlier ones stay as they are.
public struct LabelChange: Hashable, Sendable {
    /// Bytes of a reason.
    public static let longestReason = 1_024
    /// Bytes of the name of whoever wanted it.
    public static let longestBy = 128

    public let kind: LabelChangeKind
    public let sample: SampleID
    /// The split after the change; for a retracted label, the split that it is removed from.
    public let split: Split
    /// The number of the fact whose line held until now: the label's acceptance, or the change before this one.
    public let replaces: Int64
    /// Counted with all facts and cuts of the project; above `replaces`.
    public let sequence: Int64
    /// The answers that a revised label rests on, in the order they were counted; empty where a person decided.
    public let votes: [Vote]
    /// Confidence of a revised label that votes gave; nil of others.
    public let confidence: Probability?
    /// For people; at most `longestReason` bytes.
    public let reason: String
    /// At most `longestBy` bytes.
    public let by: String
    /// The time of the entry that brought the change.
    public let at: StreamTime

    public init(
        kind: LabelChangeKind,
        sample: SampleID,
        split: Split,
        replaces: Int64,
        sequence: Int64,
        votes: [Vote] = [],
        confidence: Probability? = nil,
        reason: String,
        by: String,
        at: StreamTime
    ) {
        self.kind = kind
        self.sample = sample
        self.split = split
        self.replaces = replaces
        self.sequence = sequence
        self.votes = votes
        self.confidence = confidence
        self.reason = reason
        self.by = by
        self.at = at
    }
}

/// Everything in the dataset log before this is one version.
public struct VersionCut: Hashable, Sendable {
    /// Counted from 1.
    public let versionNumber: Int
    public let sequence: Int64
    /// Labels in each split up to here that were neither retracted nor moved elsewhere.
    public let training: Int
    public let validation: Int
    public let test: Int
    /// Kind of the labels.
    public let kind: KindName
    /// Class names, in the order of the project's question at this entry; none of a kind without classes.
    public let classes: [String]
    /// The project's space at this entry; earlier labels may be in other spaces. Nil if nothing is known of it.
    public let embedding: EmbeddingSpace?
    /// Form of the version's files, and so of every later version's; see `DatasetFormat`.
    public let format: Int

    public init(
        versionNumber: Int,
        sequence: Int64,
        training: Int,
        validation: Int,
        test: Int,
        kind: KindName = .choice,
        classes: [String],
        embedding: EmbeddingSpace? = nil,
        format: Int = DatasetFormat.additions
    ) {
        self.format = format
        self.embedding = embedding
        self.versionNumber = versionNumber
        self.sequence = sequence
        self.training = training
        self.validation = validation
        self.test = test
        self.kind = kind
        self.classes = classes
    }
}
