/// Usefulness of a label, estimated from the facts known of one sample. Every score is in `0...1`, higher is more
/// useful.
public enum AcquisitionFunction: String, Hashable, Sendable, CaseIterable {
    case leastConfidence = "least_confidence"
    case margin
    case ratio
    case entropy
    case bald
    case voteEntropy = "vote_entropy"
    case consensusEntropy = "consensus_entropy"
    case klDivergence = "kl_divergence"
    case maxDisagreement = "max_disagreement"
    case variationRatio = "variation_ratio"
    /// The score that the service computed itself.
    case provided
    /// No estimate: all samples count as equally useful, and the hash of each sample decides.
    case random

    /// Whether the function is computed from the outputs of several members of an ensemble.
    public var needsMembers: Bool {
        switch self {
        case .bald, .voteEntropy, .consensusEntropy, .klDivergence, .maxDisagreement, .variationRatio: true
        case .leastConfidence, .margin, .ratio, .entropy, .provided, .random: false
        }
    }
}
