internal import Strategies
internal import Tables
internal import Vocabulary

/// When the uncertainty of models begins to mean something. Of a kind without classes it does as soon as the newest model has
/// judged what there is.
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
            if let output = candidates[rank.id]?.candidate.output?.distribution { mean.take(output) }
        }
        guard mean.candidates > 0 else { return nil }
        mean.finish()
        return mean
    }

    /// Whether there are enough labels even if the model distinguished as many classes as it names: how well it does
    /// need not be known.
    ///
    /// The perplexity of shares that sum to at most 1.01 over *k* classes, at most 10,000, is below 2 *k*.
    func isSurelyWarm(_ labels: Double, _ policy: AcquisitionPolicy) -> Bool {
        let outputs = candidates.reduce(into: PoolOutputs()) { $0.take($1, $2) }
        return outputs.isJudged && labels >= policy.batch.handover * 2 * Double(outputs.classes)
    }

    /// A summary of the outputs over the pool, whatever their number.
    private struct PoolOutputs {
        private var newest = Int.min
        private var unjudged = 0
        /// No fewer than the classes that any output names.
        private(set) var classes = 0
        /// Whether there is a candidate, and each candidate of the newest model has an output of it.
        var isJudged: Bool { newest > .min && unjudged == 0 }

        mutating func take(_: SampleID, _ pooled: PooledCandidate) {
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
