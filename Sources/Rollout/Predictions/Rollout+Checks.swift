internal import Kinds
internal import Tables
public import Vocabulary

/// Check at the first step of a rollout: whether the answers of services equal the answers that the trainer reported
/// for the model. The model was promoted by the trainer's report.
extension RolloutState {
    /// Maximum number of answers of services that are kept.
    public static let checkCapacity = 1_000

    /// Records the answer of a service for an audit sample, if its model is at the first step and trainers predict.
    ///
    /// - Parameters:
    ///   - sample: A sample of the audit draw.
    ///   - version: The model that answered.
    ///   - label: The answer.
    ///   - policy: The revision in force.
    ///   - time: The time of the entry.
    /// - Complexity: O(1); O(`checkCapacity`) for the first answer of a model, and if the table is full.
    public mutating func noteServed(
        _ sample: SampleID,
        by version: ModelVersion,
        _ label: Label,
        policy: RolloutPolicy,
        at time: StreamTime
    ) {
        guard policy.predicts, let rollout = progress.value.rollout, rollout.isChecked(policy),
            rollout.model.version == version, checks[sample]?.version != version
        else { return }
        if checks[sample] == nil, checks.contains(where: { $1.version != version }) {
            for (key, check) in checks.sortedRows where check.version != version { checks[key] = nil }
        }
        if checks.count >= Self.checkCapacity,
            let oldest = checks.minimum(by: { ($0.value.at, $0.key) < ($1.value.at, $1.key) })
        {
            checks[oldest.key] = nil
        }
        checks[sample] = ServedAnswer(version: version, label: label, at: time)
        let known = rows[sample]?.predictions.first { $0.version == version && $0.isByTrainer }
        if let known { compare(sample, with: known.label, of: version, policy) }
    }

    /// Returns the samples with an answer of a service for which no trainer's prediction has been requested yet.
    ///
    /// - Complexity: O(`checkCapacity` log `checkCapacity`).
    public func unrequestedAnswers(_ policy: RolloutPolicy) -> [(sample: SampleID, at: StreamTime)] {
        guard let rollout = progress.value.rollout, rollout.isChecked(policy), !checks.isEmpty else { return [] }
        let version = rollout.model.version
        return checks.sortedRows.compactMap { sample, check in
            check.version == version && !check.isRequested && !check.isCompared ? (sample, check.at) : nil
        }
    }

    /// Compares a service's prediction with a trainer's, once per sample.
    mutating func compare(_ sample: SampleID, with label: Label, of version: ModelVersion, _ policy: RolloutPolicy) {
        guard var check = checks[sample], check.version == version, !check.isCompared,
            var rollout = progress.value.rollout, rollout.model.version == version, rollout.isChecked(policy)
        else { return }
        check.isCompared = true
        checks[sample] = check
        rollout.compared += 1
        if check.label.agreement(with: label) < 1 { rollout.differing += 1 }
        if rollout.compared >= max(2 * policy.minimumShadow, StagedRollout.halvingThreshold) {
            // A repaired service is not judged for ever by its earlier answers.
            rollout.compared /= 2
            rollout.differing = (rollout.differing + 1) / 2
        }
        progress.value.rollout = rollout
    }
}

extension StagedRollout {
    /// Number of comparisons at which the counts are halved, unless more comparisons are needed.
    static let halvingThreshold = 200

    /// Whether services' answers are compared with a trainer's: at the first step, for a model promoted by trainers'
    /// answers.
    func isChecked(_ policy: RolloutPolicy) -> Bool { policy.predicts && step == 1 && !isReturn }

    /// Whether as many answers of services were compared as a challenger needs predictions, or none need to be
    /// compared.
    func isCompared(_ policy: RolloutPolicy) -> Bool { !isChecked(policy) || compared >= policy.minimumShadow }

    /// Whether more than one in a hundred of the compared answers differs.
    func differs(_ policy: RolloutPolicy) -> Bool { isChecked(policy) && 100 * differing > compared }

    /// Whether there are as many voices and comparisons as the step requires.
    func hasEvidence(_ step: RolloutStep, _ policy: RolloutPolicy) -> Bool {
        voices >= step.voices && isCompared(policy)
    }

    var differsText: String {
        "the rollout of \(model.version) is paused at its first step: of \(compared) answers of services to audit samples that were compared \(differing) are not what its trainer says that it answers, more than one of a hundred. Services have to run the artifact that model-releases names, on the same embedding; it goes on by itself once enough answers agree, some hundreds, and flywheel releases rollback takes it back"
    }

    func lacksAnswersText(_ policy: RolloutPolicy) -> String {
        "the rollout of \(model.version) is paused at its first step: \(compared) of \(policy.minimumShadow) answers of services to audit samples were compared with a trainer's (rollout.minimum_shadow). Services have to serve it as model-releases says, and trainers to answer requests of kind predict"
    }
}
