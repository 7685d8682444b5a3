internal import Acquisition
internal import Kinds
internal import Rollout
internal import Tables
internal import Vocabulary

/// Samples that users dispute while labels decide about a version: one can be asked for once its content is known.
extension ProjectState {
    /// A version was suspected: what waits in the pool is known.
    mutating func findDisputedContent() {
        for sample in rollout.verificationsWithoutContent {
            // A sample is asked for once, and one of the audit sample in its turn.
            guard acquisition.accounts.asked[sample] == nil, acquisition.audit.candidates[sample] == nil else {
                rollout.dropVerification(sample)
                continue
            }
            guard let pooled = acquisition.pool.candidates[sample] else { continue }
            takeDisputed(pooled)
        }
    }

    /// A candidate came that may be a disputed sample.
    mutating func takeIfDisputed(_ candidate: Candidate, modelOrdinal: Int) {
        guard rollout.verifications[candidate.sample.id]?.isAsked == false else { return }
        guard candidate.auditProbability == nil, acquisition.accounts.asked[candidate.sample.id] == nil else {
            rollout.dropVerification(candidate.sample.id)
            return
        }
        takeDisputed(PooledCandidate(candidate: candidate, modelOrdinal: modelOrdinal))
    }

    private mutating func takeDisputed(_ pooled: PooledCandidate) {
        let candidate = pooled.candidate
        guard let version = candidate.model?.version, let label = candidate.output?.top,
            rollout.findContent(of: candidate.sample.id, by: version, label)
        else { return }
        acquisition.verification.receive(pooled)
    }
}
