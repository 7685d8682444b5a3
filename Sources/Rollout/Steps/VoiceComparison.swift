public import Statistics

/// Comparison of the voices about a version with those about another version that serves at the same time.
///
/// A block consists of the newest voices about each version, as many as `BlockSize` specifies, once both are available.
public struct VoiceComparison: Hashable, Sendable {
    /// Blocks so far.
    public var blocks: Int
    /// Number of the newest blocks that are kept; at most `RolloutState.voiceCapacity`.
    public var kept: Int
    /// Voices about the judged version in all blocks.
    public var total: Int
    /// Number of voices in `total` that reject the judged version.
    public var negative: Int
    /// Voices about the other version in all blocks.
    public var otherTotal: Int
    /// Number of voices in `otherTotal` that reject the other version.
    public var otherNegative: Int
    /// Evidence that the judged version is rejected more often than the other one by more than is tolerated.
    public var evidence: RisingRate.Evidence
    /// The newest voices about the judged version that are in no block yet, the oldest first.
    public var waiting: [Voice]
    /// Whether the newest voices about the other version that are in no block yet reject it, the oldest first.
    public var otherWaiting: [Bool]
    /// Estimate of the rate at which the other version was recently rejected.
    public var guess: RateGuess
    /// Voices about the judged version since the last one about the other.
    public var unanswered: Int

    public init(
        blocks: Int = 0,
        kept: Int = 0,
        total: Int = 0,
        negative: Int = 0,
        otherTotal: Int = 0,
        otherNegative: Int = 0,
        evidence: RisingRate.Evidence = RisingRate.Evidence(),
        waiting: [Voice] = [],
        otherWaiting: [Bool] = [],
        guess: RateGuess = RateGuess(),
        unanswered: Int = 0
    ) {
        self.blocks = blocks
        self.kept = kept
        self.total = total
        self.negative = negative
        self.otherTotal = otherTotal
        self.otherNegative = otherNegative
        self.evidence = evidence
        self.waiting = waiting
        self.otherWaiting = otherWaiting
        self.guess = guess
        self.unanswered = unanswered
    }
}

/// Estimate of a recent rate, from counts that are halved when there are many.
public struct RateGuess: Hashable, Sendable {
    public var negative: Int
    public var total: Int

    public init(negative: Int = 0, total: Int = 0) {
        self.negative = negative
        self.total = total
    }

    /// Total count above which both counts are halved.
    public static let maximumTotal = 400

    /// The estimated rate, with one more event of either kind counted.
    var rate: Double { (Double(negative) + 1) / (Double(total) + 2) }

    mutating func add(_ events: Int, of count: Int) {
        negative += events
        total += count
        guard total > Self.maximumTotal else { return }
        negative /= 2
        total /= 2
    }
}

/// Number of voices about each of two versions that make a block: determined by their shares, so that no voice has to
/// wait for long.
public struct BlockSize: Hashable, Sendable {
    public let judged: Int
    public let other: Int

    /// Maximum number of voices about one version in a block.
    public static let maximum = 8

    /// Creates a size of one voice about the version with the smaller share; the other version has as many voices as
    /// the ratio of the shares, rounded down, up to `maximum`.
    ///
    /// - Parameters:
    ///   - judged: Share of the judged version; nil where it is not known.
    ///   - other: Share of the other.
    init(_ judged: Double?, _ other: Double?) {
        func ratio(_ share: Double?, _ otherShare: Double?) -> Int {
            guard let share, let otherShare, share > otherShare, otherShare > 0 else { return 1 }
            return Int(min((share / otherShare).rounded(.down), Double(Self.maximum)))
        }
        self.judged = ratio(judged, other)
        self.other = ratio(other, judged)
    }
}

/// One of the newest blocks.
public struct VoiceBlock: Hashable, Sendable {
    /// Buckets of the users of its voices about the judged version; 1 to `BlockSize.maximum`.
    public let buckets: [Int]
    /// Bit mask of the buckets that reject: bit *i* represents `buckets[i]`.
    public let rejecting: Int
    /// Voices about the other version.
    public let otherTotal: Int
    /// Number of voices in `otherTotal` that reject the other version.
    public let otherNegative: Int
    /// Mean weight of its voices about the judged version, in `0...1`.
    public let weight: Double

    public init(buckets: [Int], rejecting: Int, otherTotal: Int, otherNegative: Int, weight: Double = 1) {
        self.weight = weight
        self.buckets = buckets
        self.rejecting = rejecting
        self.otherTotal = otherTotal
        self.otherNegative = otherNegative
    }

    init(_ voices: [Voice], beside others: [Bool]) {
        var rejecting = 0
        for (index, voice) in voices.enumerated() where voice.isNegative { rejecting |= 1 << index }
        self.init(
            buckets: voices.map(\.bucket),
            rejecting: rejecting,
            otherTotal: others.count,
            otherNegative: others.count { $0 },
            weight: voices.reduce(0) { $0 + $1.weight } / Double(max(1, voices.count))
        )
    }

    func rejects(_ index: Int) -> Bool { rejecting & 1 << index != 0 }
}
