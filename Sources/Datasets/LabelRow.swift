public import Vocabulary

/// Status of a label since it was accepted.
public enum LabelStanding: String, Hashable, Sendable, CaseIterable {
    /// Unchanged since it was accepted.
    case accepted
    /// Its value was revised after it was accepted.
    case revised
    /// It was moved to another split, and may have been revised too.
    case moved
    /// No later version contains it. Its row is kept, so that its sample is not queried again by accident.
    case retracted
}

/// Row of a label in the log; at most 64 bytes, because there is one for each label.
public struct LabelRow: Hashable, Sendable {
    public let label: Label
    public let split: Split
    /// Number of the fact whose line is valid: the acceptance of the label or its last change; for a retracted label
    /// the retraction.
    public let sequence: Int64
    /// The key of an imported label, by which a second import is recognized; nil for a queried label.
    public let importKey: UInt64?
    public let standing: LabelStanding

    public init(
        label: Label,
        split: Split,
        sequence: Int64,
        importKey: UInt64? = nil,
        standing: LabelStanding = .accepted
    ) {
        self.importKey = importKey
        self.label = label
        self.split = split
        self.sequence = sequence
        self.standing = standing
    }

    /// Whether versions that are cut now hold it.
    public var isLiving: Bool { standing != .retracted }
    /// Whether versions that are cut now hold it as a test label.
    public var isTestLabel: Bool { split == .test && isLiving }
    /// Whether model outputs for its sample are no evidence any more: its label was a test label once, or will never be
    /// one.
    public var isOutOfEvidence: Bool { standing == .retracted || (standing == .moved && split != .test) }
}
