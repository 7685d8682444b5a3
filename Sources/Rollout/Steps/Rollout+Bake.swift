internal import Statistics
internal import Tables
internal import Vocabulary

/// A model on its way against the champion, by audit labels: as a challenger is judged, with the roles exchanged.
///
/// The champion shadows the model that is to take its place. A sample that the model has served has the pair of both, fixed
/// before anybody is asked; silence of the champion counts as wrong, and for the model. What was known of the two before the
/// rollout is why the model is on its way, and sets no bet: it is no guide to what goes wrong when it serves.
extension RolloutState {
    /// The pair of a sample while a model is on its way; made if it is new.
    ///
    /// - Returns: Nil unless the prediction is the model's, and the champion has been heard at this step: a service that does
    ///   not run it any more shall not hold up every audit task. Where trainers predict they are asked what it answers.
    mutating func bakePair(_ rollout: StagedRollout, by version: ModelVersion, _ policy: RolloutPolicy) -> Int? {
        guard policy.rollbackAlpha > 0, version == rollout.model.version, policy.predicts || rollout.isChampionHeard,
            let champion = phase.value.champion?.version
        else { return nil }
        if let bake = rollout.bake { return bake.pair }
        forgetPairs()
        era.value.pairs += 1
        let number = era.value.pairs
        bets[number] = PairBet(champion: version, challenger: champion)
        progress.value.rollout?.bake = BakeEvidence(pair: number)
        return number
    }

    /// Notes a live prediction of an audit sample.
    mutating func hearInRollout(_ version: ModelVersion) {
        guard let rollout = progress.value.rollout, !rollout.isChampionHeard,
            version == phase.value.champion?.version
        else { return }
        progress.value.rollout?.isChampionHeard = true
    }

    /// No label judges the rollout any more.
    mutating func forgetBake(_ rollout: StagedRollout) {
        if let bake = rollout.bake { bets[bake.pair] = nil }
    }

    /// Takes the model on its way back once labels prove the champion better: to be called whenever audit tasks were closed.
    ///
    /// The chance that it ever happens to a model that is no worse than the champion is at most `rollbackAlpha`, at any look.
    ///
    /// - Parameter policy: The revision in force.
    /// - Returns: The rollback, or nothing.
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
