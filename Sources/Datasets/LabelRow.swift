public import Vocabulary

/// Status of a label since it was accepted.
public enum LabelStanding: String, Hashable, Sendable, CaseIterable {
    /// As it was accepted.
    case accepted
    /// It names another class than it did.
    case revised
    /// It was moved to another split, and may have been revised too.
    case moved
    /// No later version contains it. Its row is kept, so that its sample is not queried again by accident.
    case retracted
}

/// Facts kept of a label that is in the log; at most 64 bytes, for there is one of each.
public struct LabelRow: Hashable, Sendable {
    public let label: Label
    public let split: Split
    /// Number of the fact whose line holds: its acceptance, or the last change; of a retracted label its
    /// retraction.
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
    public var tests: Bool { split == .test && isLiving }
    /// Whether model outputs for its sample are no evidence any more: its label was a test label once, or will never be
    /// one.
    public var isOutOfEvidence: Bool { standing == .retracted || (standing == .moved && split != .test) }
}
