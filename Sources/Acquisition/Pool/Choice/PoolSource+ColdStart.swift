internal import Strategies
internal import Tables
internal import Vocabulary

/// End of the cold start: the time from which the uncertainty of models is meaningful. For kinds without classes this
/// is as soon as the newest model has scored its candidates.
extension PoolSource {
    /// Whether the newest model has seen too few labels for its uncertainty to be meaningful: in edition 1, fewer than
    /// `handover` for each class that it distinguishes, counted as the perplexity of its mean output over the pool.
    ///
    /// - Complexity: O(*n* · *k*), over at most 512 candidates once they are sorted.
    func isCold(_ labels: Double, _ policy: AcquisitionPolicy) -> Bool {
        if isSurelyWarm(labels, policy) { return false }
        guard let output = meanOutput() else { return true }
        return labels < policy.batch.handover * output.perplexity
    }

    /// The mean output of the newest model over the pool; nil if it has no output.
    ///
    /// - Complexity: O(*n* · *k*), over at most 512 candidates once they are sorted.
    func meanOutput() -> MeanOutput? {
        let ids = candidates.smallest(BatchRule.windowLimit) { id, pooled in
            Rank(setAside: pooled.setAside?.order ?? 0, versionNumber: pooled.modelVersionNumber, utility: 0, id: id)
        }
        guard let newest = ids.first else { return nil }
        var mean = MeanOutput(of: newest.versionNumber)
        for rank in ids where rank.versionNumber == newest.versionNumber && rank.setAside == newest.setAside {
            if let output = candidates[rank.id]?.candidate.output?.distribution { mean.add(output) }
        }
        guard mean.candidates > 0 else { return nil }
        mean.finish()
        return mean
    }

    /// Whether there are enough labels even if the model distinguished all classes that its outputs name, so that its
    /// perplexity need not be computed.
    ///
    /// The perplexity of shares that sum to at most 1.01 over *k* classes, at most 10,000, is below 2 *k*.
    func isSurelyWarm(_ labels: Double, _ policy: AcquisitionPolicy) -> Bool {
        let outputs = candidates.reduce(into: PoolOutputs()) { $0.add($1, $2) }
        return outputs.isJudged && labels >= policy.batch.handover * 2 * Double(outputs.classes)
    }

    /// Summary of all outputs over the pool.
    private struct PoolOutputs {
        private var newest = Int.min
        private var unjudged = 0
        /// Upper bound of the number of classes that the outputs name.
        private(set) var classes = 0
        /// Whether there is a candidate, and each candidate of the newest model has an output of it.
        var isJudged: Bool { newest > .min && unjudged == 0 }

        mutating func add(_: SampleID, _ pooled: PooledCandidate) {
            guard pooled.setAside == nil else { return }
            if pooled.modelVersionNumber > newest { (newest, unjudged) = (pooled.modelVersionNumber, 0) }
            guard let output = pooled.candidate.output else {
                if pooled.modelVersionNumber == newest { unjudged += 1 }
                return
            }
            for entry in output.distribution?.entries ?? [] { classes = max(classes, entry.label.rawValue + 1) }
        }
    }
}
