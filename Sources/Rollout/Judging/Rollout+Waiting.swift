internal import Tables
public import Vocabulary

/// A proven challenger's place: where the era's evidence suffices, the one that stands is heard out before a newer model takes its
/// place.
extension RolloutState {
    /// Labels of a challenger's own pairs, none of them a win or a loss, after which it no longer keeps a newer model waiting.
    static let undecidedLabels = 20

    /// Whether a newer model has to wait for the challenger's place.
    ///
    /// The era has proven that some challenger is better, and only the one that stands can be promoted: by the first labels that
    /// set it apart from the champion. Where models come faster than labels each would lose its place before them, and none would
    /// ever serve. A challenger that nobody runs, that is behind on the labels known, or that `undecidedLabels` labels did not tell
    /// from the champion keeps nobody waiting.
    ///
    /// - Complexity: O(1).
    func keepsPlace(_ challenger: ReleasedModel, _ policy: RolloutPolicy) -> Bool {
        guard policy.bound != .challenger, era.value.isRunning, !isProvisional(policy) else { return false }
        let evidence = evidence(policy)
        guard evidence.logE >= evidence.threshold, pairs.value.gain >= pairs.value.loss else { return false }
        if phase.value.challengerLivePredictions == 0 {
            return policy.minimumShadow > 0
                && phase.value.livePredictionsWithoutChallenger < Self.missedPredictions(policy)
        }
        guard let own = standingBet(challenger) else { return true }
        return own.wins + own.losses == 0 && own.labels < Self.undecidedLabels
    }

    /// Lets the newest model take the challenger's place, once nothing keeps it waiting any more.
    ///
    /// - Parameters:
    ///   - policy: The revision in force.
    ///   - time: Of the entry.
    /// - Returns: The release; nil where no model waits, or it still has to.
    /// - Complexity: O(1) unless it takes the place, then O(*rowCapacity*).
    public mutating func admitWaiting(policy: RolloutPolicy, at time: StreamTime) -> ModelRelease? {
        guard let waiting = phase.value.waiting else { return nil }
        if let challenger = phase.value.challenger, keepsPlace(challenger, policy) { return nil }
        phase.value.waiting = nil
        return shadow(waiting, at: time)
    }

    /// The model begins to shadow, in place of an older challenger.
    mutating func shadow(_ model: ReleasedModel, at time: StreamTime) -> ModelRelease? {
        var state = phase.value
        state.challenger = model
        state.challengerSince = time
        state.challengerLivePredictions = 0
        state.livePredictionsWithoutChallenger = 0
        phase.value = state
        recountPairs()
        return release(.shadow, replaced: nil, evidence: .none)
    }
}
