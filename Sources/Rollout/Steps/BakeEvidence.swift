/// Evidence of audit labels that enter while a model is in rollout: the bet that the champion is better than
/// it.
public struct BakeEvidence: Hashable, Sendable {
    /// The number of the pair: the model on its way has the champion's part, the champion the challenger's.
    public let pair: Int
    /// Natural logarithm of the capital that results from betting a capital of 1 on the champion.
    public var logCapital: Double
    /// A win is a label on which the champion agrees better.
    public var counts: EraCounts
    /// Labels of the block that runs; nil where there are none.
    public var block: EraBlock?

    public init(pair: Int, logCapital: Double = 0, counts: EraCounts = EraCounts(), block: EraBlock? = nil) {
        self.pair = pair
        self.logCapital = logCapital
        self.counts = counts
        self.block = block
    }
}
