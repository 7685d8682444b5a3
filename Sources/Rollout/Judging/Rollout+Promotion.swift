internal import Statistics
internal import Tables
public import Vocabulary

/// Promotion of the challenger to champion.
extension RolloutState {
    /// Promotes the challenger once the evidence suffices.
    ///
    /// - Parameters:
    ///   - policy: The revision in force.
    ///   - sequence: The last number of the dataset log; nil in a project whose labels do not change.
    /// - Returns: The promotion, or nil.
    public mutating func promoteIfBetter(policy: RolloutPolicy, labelsThrough sequence: Int64? = nil) -> ModelRelease? {
        let state = roles.value
        guard !state.isHeld, !isSuspected, progress.value.rollout == nil, let challenger = state.challenger,
            let champion = state.champion
        else {
            return nil
        }
        let counts = pairs.value
        if policy.bound != .challenger, isProvisional(policy) {
            guard counts.gain > counts.loss else { return nil }
            let evidence = Evidence.provisional(
                labels: counts.labels,
                challengerOnly: counts.challengerOnly,
                championOnly: counts.championOnly
            )
            return promote(
                challenger,
                over: champion,
                cause: .provisional,
                evidence: evidence,
                under: policy,
                sequence: sequence
            )
        }
        guard state.challengerLivePredictions >= policy.minimumShadow else { return nil }
        guard policy.bound == .challenger else {
            guard let bet = currentBet(challenger), bet.total > 0, counts.gain >= counts.loss else { return nil }
            let evidence = evidence(policy)
            guard evidence.logE >= evidence.threshold else { return nil }
            era.value.promotions += 1
            return promote(
                challenger,
                over: champion,
                cause: .promoted,
                evidence: .judged(evidence),
                under: policy,
                sequence: sequence
            )
        }
        guard counts.gain > counts.loss else { return nil }
        let threshold = -Reproducible.log(policy.alpha)
        let logE = pairedEProcess(gain: counts.gain, loss: counts.loss)
        guard logE >= threshold else { return nil }
        let evidence = Evidence.paired(
            labels: counts.labels,
            challengerOnly: counts.challengerOnly,
            championOnly: counts.championOnly,
            logE: logE,
            threshold: threshold
        )
        return promote(
            challenger,
            over: champion,
            cause: .promoted,
            evidence: evidence,
            under: policy,
            sequence: sequence
        )
    }

    /// Returns the evidence of the running era, or that of the next era if none is running.
    ///
    /// - Complexity: O(1).
    public func evidence(_ policy: RolloutPolicy) -> JudgedEvidence {
        let era = era.value
        let level = era.level(alpha: policy.alpha, policy.bound)
        let counts = era.counts
        let bet = roles.value.challenger.flatMap { currentBet($0) }
        let span = counts.firstOpenedAt.flatMap { first in counts.lastOpenedAt?.milliseconds(since: first) }
        return JudgedEvidence(
            era: era.current,
            promotionsBefore: era.promotions,
            bound: policy.bound,
            alpha: policy.alpha,
            level: level,
            all: .init(labels: counts.labels, wins: counts.wins, losses: counts.losses),
            own: .init(labels: bet?.labels ?? 0, wins: bet?.wins ?? 0, losses: bet?.losses ?? 0),
            duels: counts.duels,
            logE: era.logCapital,
            threshold: -Reproducible.log(level),
            settled: counts.settled,
            silent: counts.silent,
            ofAnotherEra: counts.ofAnotherEra,
            lateLeftOut: counts.late,
            span: span ?? 0
        )
    }

    /// The pair of the running era that the challenger is in; nil before its first sample.
    func currentBet(_ challenger: ReleasedModel) -> PairBet? {
        guard era.value.isRunning, let number = era.value.currentPair, let bet = bets[number],
            bet.challenger == challenger.version
        else { return nil }
        return bet
    }

    private mutating func promote(
        _ challenger: ReleasedModel,
        over champion: ReleasedModel,
        cause: ModelRelease.Cause,
        evidence: Evidence,
        under policy: RolloutPolicy,
        sequence: Int64?
    ) -> ModelRelease? {
        guard cause != .promoted || !policy.stagesPromotions else { return bless(challenger, evidence, sequence) }
        var state = roles.value
        let expectedRate = expectedRate(after: watch.value, policy)
        state.history.append(FormerChampion(model: champion, expectedRate: expectedRate))
        if state.history.count > Self.historyCapacity { state.history.removeFirst() }
        state.champion = challenger
        state.challenger = nil
        state.challengerLivePredictions = 0
        state.livePredictionsWithoutChallenger = 0
        state.evidenceThrough = sequence
        state.changedEvidence = 0
        roles.value = state
        // A better model is not expected to be rejected more often than the one before.
        watch.value = FeedbackWatch(expectedRate: expectedRate)
        pairs.value = PairCounts()
        endEra()
        return release(cause, replaced: champion.version, evidence: evidence)
    }
}
