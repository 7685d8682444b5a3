internal import Flywheel
internal import Rollout
internal import Statistics
internal import Tables
internal import Vocabulary

/// Progress of a challenger: it is promoted once the evidence reaches its threshold, it has won more pairs than it
/// lost, and it has made enough live predictions, unless promotions are held.
public struct ChallengerStanding: Hashable, Sendable {
    /// Number of audit labels of samples that champion and challenger both predicted; if eras judge, those of the
    /// running era, for all its challengers.
    public let labels: Int
    /// Labels among these with which the challenger agrees better; for kind `choice`, on which it alone is right.
    public let won: Int
    /// Labels among these with which the champion agrees better; for kind `choice`, on which it alone is right.
    public let lost: Int
    /// Natural logarithm of the e-value of "better than the champion wherever they differ".
    public let logE: Double
    /// Threshold that `logE` must reach.
    public let threshold: Double
    /// Live predictions on audit samples.
    public let livePredictions: Int
    /// Number of live predictions that the challenger must have made.
    public let minimumPredictions: Int

    init(_ state: RolloutState, _ policy: RolloutPolicy) {
        let pairs = state.pairs.value
        livePredictions = state.roles.value.challengerLivePredictions
        minimumPredictions = policy.minimumShadow
        guard policy.bound == .challenger else {
            let evidence = state.evidence(policy)
            (labels, won, lost) = (evidence.all.labels, evidence.all.wins, evidence.all.losses)
            (logE, threshold) = (evidence.logE, evidence.threshold)
            return
        }
        labels = pairs.labels
        won = pairs.challengerOnly
        lost = pairs.championOnly
        logE = pairedEProcess(gain: pairs.gain, loss: pairs.loss)
        threshold = -Reproducible.log(policy.alpha)
    }
}
