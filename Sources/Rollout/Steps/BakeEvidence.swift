/// Evidence of audit labels that enter while a model is in rollout: the bet that the champion is better than that
/// model.
public struct BakeEvidence: Hashable, Sendable {
    /// Number of the pair, in which the model in rollout has the champion's role, and the champion the challenger's.
    public let pair: Int
    /// Natural logarithm of the capital that results from betting a capital of 1 on the champion.
    public var logCapital: Double
    /// Figures of these labels; a win is a label on which the champion agrees better.
    public var counts: EraCounts
    /// Labels of the current block; nil if there are none.
    public var block: EraBlock?

    public init(pair: Int, logCapital: Double = 0, counts: EraCounts = EraCounts(), block: EraBlock? = nil) {
        self.pair = pair
        self.logCapital = logCapital
        self.counts = counts
        self.block = block
    }
}
