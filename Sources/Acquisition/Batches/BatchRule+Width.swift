internal import Strategies
internal import Vocabulary

extension BatchRule {
    /// How many candidates it looks at for a batch of `count`, the highest utilities first, or spread evenly over four
    /// times as many: twice the batch at least, or there would be nothing to choose.
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
    /// Whether what a candidate is worth depends on the others.
    fileprivate var comparesCandidates: Bool {
        isDiverse && function != .random
            && (batch.weights.novelty > 0 || batch.weights.density > 0 || batch.duplicateDistance > 0)
    }
}
