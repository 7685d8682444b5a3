internal import Strategies
internal import Vocabulary

extension BatchRule {
    /// Number of candidates that the rule considers for a batch of `count`, those of the highest utilities or an even
    /// spread over four times as many: at least twice the batch, since otherwise there would be nothing to choose.
    func width(_ count: Int, _ policy: AcquisitionPolicy) -> (candidates: Int, isSpreadOverAll: Bool) {
        switch self {
        case .top where policy.comparesCandidates:
            (max(count, min(Self.costLimit, max(2, policy.preselection) * count)), false)
        case .top: (count, false)
        case .kmeans: (max(count, count * policy.preselection), false)
        case .kCenter, .herding, .typical: (max(2 * count, Self.windowLimit), true)
        case .badge, .power, .softmax, .classBalanced: (2 * max(count, Self.windowLimit), false)
        }
    }
}

extension AcquisitionPolicy {
    /// Whether the utility of a candidate depends on the other candidates.
    fileprivate var comparesCandidates: Bool {
        isDiverse && function != .random
            && (batch.weights.novelty > 0 || batch.weights.density > 0 || batch.duplicateDistance > 0)
    }
}
