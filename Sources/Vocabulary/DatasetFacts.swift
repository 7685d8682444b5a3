/// The part of a dataset version that a label belongs to.
public enum Split: String, Hashable, Sendable, CaseIterable {
    case training, validation, test
}

/// Formats of a project's dataset versions and of the facts that they are folded from, by the number in
/// `datasets.format`.
public enum DatasetFormat {
    /// Labels are added, and never change.
    public static let additions = 1
    /// Labels can also be revised, retracted and moved; facts contain more details of each.
    public static let changes = 2
    /// All formats that this build supports.
    public static let known = additions...changes
}

/// A label that entered the dataset log. A version is the fold of all facts up to its cut.
public struct LabelFact: Hashable, Sendable {
    public let consensus: ConsensusLabel
    public let split: Split
    /// Number of the fact: facts and cuts of a project are counted together from 1, without a gap.
    public let sequence: Int64
    /// See `DatasetFormat`: the properties below are known for `changes` only.
    public let format: Int
    /// Append time of the entry that brought the label; nil in the first format.
    public let acceptedAt: StreamTime?
    /// The probability with which the sample belongs to the audit sample, in `0...1`; nil for others, and in the first
    /// format.
    public let inclusionProbability: Double?
    /// The probability with which the step that chose the sample did so, above 0 and at most 1; nil if no step chose
    /// it, if it was not recorded, and in the first format.
    public let propensity: Double?
    /// Circumstances of the query, for samples of the audit sample if champion and challenger are distinguished; nil
    /// for others, and in the first format.
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

/// A change of a label that is in the log: later versions contain the change, earlier versions stay as they are.
public struct LabelChange: Hashable, Sendable {
    /// Maximum number of bytes of a reason.
    public static let longestReason = 1_024
    /// Maximum number of bytes of the requester's name.
    public static let longestAuthor = 128

    public let kind: LabelChangeKind
    public let sample: SampleID
    /// The split after the change; for a retracted label, the split that it is removed from.
    public let split: Split
    /// The number of the fact that was in force until this change: the label's acceptance, or the previous change.
    public let replaces: Int64
    /// Number of the change, counted with all facts and cuts of the project; above `replaces`.
    public let sequence: Int64
    /// The answers that a revised label rests on, in the order they were counted; empty where a person decided.
    public let votes: [Vote]
    /// Confidence of a revised label that resulted from votes; nil for other changes.
    public let confidence: Probability?
    /// Reason for human readers; at most `longestReason` bytes.
    public let reason: String
    /// Name of the requester; at most `longestAuthor` bytes.
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

/// A cut in the dataset log: all facts before it make up one version.
public struct VersionCut: Hashable, Sendable {
    /// Number of the version, counted from 1.
    public let versionNumber: Int
    public let sequence: Int64
    /// Labels in each split up to here that were neither retracted nor moved elsewhere.
    public let training: Int
    public let validation: Int
    public let test: Int
    /// Kind of the labels.
    public let kind: KindName
    /// Class names, in the order of the project's question at this entry; empty for a kind without classes.
    public let classes: [String]
    /// The project's space at this entry; earlier labels may be in other spaces. Nil if nothing is known of it.
    public let embedding: EmbeddingSpace?
    /// Format of the version's files, and thus of the files of every later version; see `DatasetFormat`.
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
