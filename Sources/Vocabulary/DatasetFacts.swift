/// The part of a dataset version that a label belongs to.
public enum Split: String, Hashable, Sendable, CaseIterable {
    case training, validation, test
}

/// A fact of the dataset log. A version is the fold of all facts up to its cut.
public struct LabelFact: Hashable, Sendable {
    public let consensus: ConsensusLabel
    public let split: Split
    /// Facts and cuts of a project are counted together from 1, without a gap.
    public let sequence: Int64

    public init(consensus: ConsensusLabel, split: Split, sequence: Int64) {
        self.consensus = consensus
        self.split = split
        self.sequence = sequence
    }
}

/// Everything in the dataset log before this is one version.
public struct VersionCut: Hashable, Sendable {
    /// Counted from 1.
    public let ordinal: Int
    public let sequence: Int64
    /// Labels in each split up to here.
    public let training: Int
    public let validation: Int
    public let test: Int
    /// Class names, in the order of the project's schema at this entry.
    public let classes: [String]
    /// The space that the project works in at this entry; labels before may lie in others. Nil where nothing is known of it.
    public let embedding: EmbeddingSpace?

    public init(
        ordinal: Int,
        sequence: Int64,
        training: Int,
        validation: Int,
        test: Int,
        classes: [String],
        embedding: EmbeddingSpace? = nil
    ) {
        self.embedding = embedding
        self.ordinal = ordinal
        self.sequence = sequence
        self.training = training
        self.validation = validation
        self.test = test
        self.classes = classes
    }
}
