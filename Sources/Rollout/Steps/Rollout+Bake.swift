internal import Statistics
internal import Tables
internal import Vocabulary

/// Judging of a model in rollout against the champion, by audit labels: as a challenger is judged, with the roles
/// exchanged.
///
/// The champion shadows the model that is to replace it. A sample that the model has served has the pair of both, fixed
/// before annotators are queried; a missing prediction of the champion counts as wrong, in favour of the model.
/// Knowledge about the two from before the rollout is the reason for the rollout, and sets no bet: it does not indicate
/// the faults of the model when it serves.
extension RolloutState {
    /// Returns the pair of a sample during a rollout; creates it if it is new.
    ///
    /// - Returns: Nil unless the prediction is the model's, and a prediction of the champion has been received at this
    ///   step: a service that no longer runs the champion must not delay every audit task. If trainers predict, they
    ///   are asked for the champion's answer.
    mutating func bakePair(_ rollout: StagedRollout, by version: ModelVersion, _ policy: RolloutPolicy) -> Int? {
        guard policy.rollbackAlpha > 0, version == rollout.model.version,
            policy.predicts || rollout.hasChampionPredicted,
            let champion = roles.value.champion?.version
        else { return nil }
        if let bake = rollout.bake { return bake.pair }
        forgetPairs()
        era.value.pairs += 1
        let number = era.value.pairs
        bets[number] = PairBet(champion: version, challenger: champion)
        progress.value.rollout?.bake = BakeEvidence(pair: number)
        return number
    }

    /// Records a live prediction of an audit sample, if the champion made it during a rollout.
    mutating func noteChampionPrediction(_ version: ModelVersion) {
        guard let rollout = progress.value.rollout, !rollout.hasChampionPredicted,
            version == roles.value.champion?.version
        else { return }
        progress.value.rollout?.hasChampionPredicted = true
    }

    /// Removes the pair of a rollout, which no label judges any more.
    mutating func forgetBake(_ rollout: StagedRollout) {
        if let bake = rollout.bake { bets[bake.pair] = nil }
    }

    /// Rolls back the model in rollout once labels prove the champion better: to be called whenever audit tasks were
    /// closed.
    ///
    /// The probability that this ever happens to a model that is no worse than the champion is at most `rollbackAlpha`,
    /// at any check.
    ///
    /// - Parameter policy: The revision in force.
    /// - Returns: The rollback; an empty outcome while the evidence does not suffice.
    /// - Complexity: O(1) while the evidence does not suffice.
    public mutating func judgeRollout(policy: RolloutPolicy) -> FeedbackOutcome {
        guard policy.rollbackAlpha > 0, let bake = progress.value.rollout?.bake, let bet = bets[bake.pair],
            bet.total > 0
        else { return FeedbackOutcome() }
        let threshold = -Reproducible.log(policy.rollbackAlpha)
        guard bake.logCapital >= threshold else { return FeedbackOutcome() }
        let evidence = BakedLabels(
            other: bet.challenger,
            labels: bake.counts.labels,
            duels: bake.counts.duels,
            canaryBetter: bake.counts.losses,
            otherBetter: bake.counts.wins,
            settled: bake.counts.settled,
            silent: bake.counts.silent,
            logE: bake.logCapital,
            threshold: threshold
        )
        return FeedbackOutcome(release: rollBackCanary(evidence: .baked(evidence)))
    }
}
