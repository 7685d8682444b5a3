internal import Tables
public import Vocabulary

/// Protection of a proven challenger's role: if the era's evidence suffices, the current challenger is judged to the
/// end before a newer model replaces it.
extension RolloutState {
    /// Labels of a challenger's own pairs, none of them a win or a loss, after which it no longer keeps a newer model waiting.
    static let undecidedLabels = 20

    /// Whether a newer model has to wait for the challenger's role.
    ///
    /// The era has proven that some challenger is better, and only the current challenger can be promoted: by the first
    /// labels that distinguish it from the champion. If models are trained faster than labels are received, each would
    /// lose its role before those labels, and none would ever serve. A challenger that is not run anywhere, that is
    /// behind on the labels known, or that `undecidedLabels` labels did not distinguish from the champion keeps no
    /// model waiting.
    ///
    /// - Complexity: O(1).
    func keepsRole(_ challenger: ReleasedModel, _ policy: RolloutPolicy) -> Bool {
        guard policy.bound != .challenger, era.value.isRunning, !isProvisional(policy) else { return false }
        let evidence = evidence(policy)
        guard evidence.logE >= evidence.threshold, pairs.value.gain >= pairs.value.loss else { return false }
        if roles.value.challengerLivePredictions == 0 {
            return policy.minimumShadow > 0
                && roles.value.livePredictionsWithoutChallenger < Self.silenceThreshold(policy)
        }
        guard let bet = currentBet(challenger) else { return true }
        return bet.wins + bet.losses == 0 && bet.labels < Self.undecidedLabels
    }

    /// Makes the newest model the challenger, once it no longer has to wait.
    ///
    /// - Parameters:
    ///   - policy: The revision in force.
    ///   - time: The time of the entry.
    /// - Returns: The release; nil if no model waits, or if it still has to.
    /// - Complexity: O(1) unless it becomes the challenger, then O(*rowCapacity*).
    public mutating func admitWaiting(policy: RolloutPolicy, at time: StreamTime) -> ModelRelease? {
        guard let waiting = roles.value.waiting else { return nil }
        if let challenger = roles.value.challenger, keepsRole(challenger, policy) { return nil }
        roles.value.waiting = nil
        return shadow(waiting, at: time)
    }

    /// Starts shadowing by a model, in place of an older challenger.
    mutating func shadow(_ model: ReleasedModel, at time: StreamTime) -> ModelRelease? {
        var state = roles.value
        state.challenger = model
        state.challengerSince = time
        state.challengerLivePredictions = 0
        state.livePredictionsWithoutChallenger = 0
        roles.value = state
        recountPairs()
        return release(.shadow, replaced: nil, evidence: .none)
    }
}
