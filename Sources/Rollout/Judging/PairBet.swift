public import Vocabulary

/// Champion and challenger of one era, and the bet on the challenger.
///
/// D is the challenger's agreement with a label, minus the champion's, in `-1...1`. Before each label, the share λ of
/// the capital is bet on D being above 0: λ = min(0.9, max(0, ΣD / (ΣD² + 4))), from the pair's own earlier labels, and
/// from the labels known when the pair was made, which count as 8 at most. While the challenger is no better, the mean
/// of 1 + λD is at most 1 for any λ, as long as λ is known before the label.
public struct PairBet: Hashable, Sendable {
    public let champion: ModelVersion
    public let challenger: ModelVersion
    /// Labels that entered as evidence.
    public var labels: Int
    /// Number of labels in `labels` with D above 0.
    public var wins: Int
    /// Number of labels in `labels` with D below 0.
    public var losses: Int
    /// ΣD over its labels; if labels are counted in blocks, over the means of the completed blocks.
    public var sum: Double
    /// ΣD² over the same.
    public var squares: Double
    /// ΣD over labels known when the pair was made; they set the bet and are not evidence.
    public let priorSum: Double
    /// ΣD² over the same.
    public let priorSquares: Double
    /// ΣD over all its labels, including those of the current block.
    public var total: Double
    /// Labels in the current block, and their ΣD.
    public var blockLabels: Int
    public var blockSum: Double

    public init(
        champion: ModelVersion,
        challenger: ModelVersion,
        labels: Int = 0,
        wins: Int = 0,
        losses: Int = 0,
        sum: Double = 0,
        squares: Double = 0,
        priorSum: Double = 0,
        priorSquares: Double = 0,
        total: Double = 0,
        blockLabels: Int = 0,
        blockSum: Double = 0
    ) {
        self.champion = champion
        self.challenger = challenger
        self.labels = labels
        self.wins = wins
        self.losses = losses
        self.sum = sum
        self.squares = squares
        self.priorSum = priorSum
        self.priorSquares = priorSquares
        self.total = total
        self.blockLabels = blockLabels
        self.blockSum = blockSum
    }

    /// λ: the share of the capital that is bet on the next label, in `0...0.9`.
    var stake: Double {
        // Labels known before the pair was made weigh at most as much as eight labels on which the two models differ.
        let scale = priorSquares > Self.maximumPriorSquares ? Self.maximumPriorSquares / priorSquares : 1
        let sum = sum + priorSum * scale
        let squares = squares + priorSquares * scale
        return min(Self.maximumStake, max(0, sum / (squares + Self.regularization)))
    }

    /// Counts a label of the pair; if labels are counted in blocks, it enters the sums at the end of its block.
    mutating func count(_ difference: Double, inBlock: Bool) {
        labels += 1
        if difference > 0 { wins += 1 }
        if difference < 0 { losses += 1 }
        total += difference
        guard !inBlock else {
            blockLabels += 1
            blockSum += difference
            return
        }
        sum += difference
        squares += difference * difference
    }

    /// Ends the current block: the mean over its labels is counted once.
    mutating func endBlock() {
        guard blockLabels > 0 else { return }
        let mean = blockSum / Double(blockLabels)
        sum += mean
        squares += mean * mean
        blockLabels = 0
        blockSum = 0
    }

    private static let maximumStake = 0.9
    private static let maximumPriorSquares = 8.0
    private static let regularization = 4.0
}

/// The pair of an audit sample, as stored in the sample's row.
public struct RowPair: Hashable, Sendable {
    /// The pair's number; a pair of another era has no bet any more.
    public let number: Int
    public let fixedAt: StreamTime
    /// Deadline of the request to a trainer for the challenger's prediction; nil if none was requested.
    public var awaitedUntil: StreamTime?

    public init(number: Int, fixedAt: StreamTime, awaitedUntil: StreamTime? = nil) {
        self.awaitedUntil = awaitedUntil
        self.number = number
        self.fixedAt = fixedAt
    }
}

/// An audit task with a pair, from its opening until its label has entered: the predictions of the two models are
/// fixed.
public struct AuditOpening: Hashable, Sendable {
    public let sample: SampleID
    public let pair: Int
    public let champion: Label
    /// Nil if the challenger had made no prediction.
    public let challenger: Label?
    public let isDuel: Bool
    public let openedAt: StreamTime
    /// Whether the task is closed.
    public var isClosed: Bool
    /// The label that was first accepted; nil if there is none yet, or if the task was closed without a label.
    public var label: Label?

    public init(
        sample: SampleID,
        pair: Int,
        champion: Label,
        challenger: Label?,
        isDuel: Bool,
        openedAt: StreamTime,
        isClosed: Bool = false,
        label: Label? = nil
    ) {
        self.sample = sample
        self.pair = pair
        self.champion = champion
        self.challenger = challenger
        self.isDuel = isDuel
        self.openedAt = openedAt
        self.isClosed = isClosed
        self.label = label
    }
}
