internal import Acquisition
internal import Kinds
internal import Rollout
internal import Tables
internal import Vocabulary

/// Samples that users dispute while labels decide about a version: such a sample can be queried once its content is
/// known.
extension ProjectState {
    /// Called when a version becomes suspected: finds the content of disputed samples that wait in the pool.
    mutating func findDisputedContent() {
        for sample in rollout.verificationsWithoutContent {
            // Each sample is queried only once, and samples of the audit sample are queried in the order of the audit
            // sample.
            guard acquisition.accounts.queried[sample] == nil, acquisition.audit.candidates[sample] == nil else {
                rollout.dropVerification(sample)
                continue
            }
            guard let pooled = acquisition.pool.candidates[sample] else { continue }
            receiveDisputed(pooled)
        }
    }

    /// Receives a candidate that may be a disputed sample.
    mutating func receiveIfDisputed(_ candidate: Candidate, modelVersionNumber: Int) {
        guard rollout.verifications[candidate.sample.id]?.isQueried == false else { return }
        guard candidate.auditProbability == nil, acquisition.accounts.queried[candidate.sample.id] == nil else {
            rollout.dropVerification(candidate.sample.id)
            return
        }
        receiveDisputed(PooledCandidate(candidate: candidate, modelVersionNumber: modelVersionNumber))
    }

    private mutating func receiveDisputed(_ pooled: PooledCandidate) {
        let candidate = pooled.candidate
        guard let version = candidate.model?.version, let label = candidate.output?.top,
            rollout.recordContent(of: candidate.sample.id, by: version, label)
        else { return }
        acquisition.verification.receive(pooled)
    }
}
