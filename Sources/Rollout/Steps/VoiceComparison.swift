public import Statistics

/// Voices about a version against those about another one that serves at the same time.
///
/// A block is one voice about each: the newest of both when the second of them comes.
public struct VoiceComparison: Hashable, Sendable {
    /// Blocks so far.
    public var blocks: Int
    /// Of these, so many of the newest are kept and not answered for by labels; at most `RolloutState.voiceCapacity`.
    public var kept: Int
    /// Blocks whose voice rejects the judged version.
    public var negative: Int
    /// Blocks whose voice rejects the other version.
    public var otherNegative: Int
    /// That the judged version is rejected more often than the other and what is tolerated on top.
    public var evidence: RisingRate.Evidence
    /// The newest voice about the judged version that waits for one about the other.
    public var waiting: Voice?
    /// Whether the newest voice about the other version rejects it; nil where it is in a block.
    public var otherWaiting: Bool?
    /// The other version's rate lately.
    public var guess: RateGuess
    /// Voices about the judged version since the last one about the other.
    public var unanswered: Int

    public init(
        blocks: Int = 0,
        kept: Int = 0,
        negative: Int = 0,
        otherNegative: Int = 0,
        evidence: RisingRate.Evidence = RisingRate.Evidence(),
        waiting: Voice? = nil,
        otherWaiting: Bool? = nil,
        guess: RateGuess = RateGuess(),
        unanswered: Int = 0
    ) {
        self.blocks = blocks
        self.kept = kept
        self.negative = negative
        self.otherNegative = otherNegative
        self.evidence = evidence
        self.waiting = waiting
        self.otherWaiting = otherWaiting
        self.guess = guess
        self.unanswered = unanswered
    }
}

/// A rate as it was lately: counts that are halved when there are many.
public struct RateGuess: Hashable, Sendable {
    public var negative: Int
    public var total: Int

    public init(negative: Int = 0, total: Int = 0) {
        self.negative = negative
        self.total = total
    }

    /// Counts above which the past is worth half.
    public static let most = 400

    /// The rate, one more of either counted.
    var rate: Double { (Double(negative) + 1) / (Double(total) + 2) }

    mutating func add(_ isNegative: Bool) {
        negative += isNegative ? 1 : 0
        total += 1
        guard total > Self.most else { return }
        negative /= 2
        total /= 2
    }
}

/// One of the newest blocks: a voice about the judged version, and one about another that serves at the same time.
public struct VoiceBlock: Hashable, Sendable {
    /// Of the user of the voice about the judged version.
    public let bucket: Int
    public let isNegative: Bool
    public let isOtherNegative: Bool

    public init(bucket: Int, isNegative: Bool, isOtherNegative: Bool) {
        self.bucket = bucket
        self.isNegative = isNegative
        self.isOtherNegative = isOtherNegative
    }
}
