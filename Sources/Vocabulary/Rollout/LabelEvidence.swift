/// Audit labels that compared a model in rollout with the champion, of samples predicted before they were queried.
public struct BakedLabels: Hashable, Sendable {
    /// The champion.
    public let other: ModelVersion
    /// Number of labels that entered the comparison.
    public let labels: Int
    /// Number of labels in `labels` that were queried because the two models disagreed.
    public let duels: Int
    /// Number of labels in `labels` with which the canary agrees better.
    public let canaryBetter: Int
    /// Number of labels in `labels` with which the champion agrees better.
    public let otherBetter: Int
    /// Samples whose task opened.
    public let settled: Int
    /// Number of samples in `settled` without a prediction by the champion; a missing prediction counts as wrong.
    public let silent: Int
    /// Natural logarithm of the e-value that the champion is better.
    public let logE: Double
    /// Value that `logE` had to reach.
    public let threshold: Double

    public init(
        other: ModelVersion,
        labels: Int,
        duels: Int,
        canaryBetter: Int,
        otherBetter: Int,
        settled: Int,
        silent: Int,
        logE: Double,
        threshold: Double
    ) {
        self.other = other
        self.labels = labels
        self.duels = duels
        self.canaryBetter = canaryBetter
        self.otherBetter = otherBetter
        self.settled = settled
        self.silent = silent
        self.logE = logE
        self.threshold = threshold
    }
}

/// Audit labels that decided about a version after rejections by only a few users.
public struct SuspicionVerdict: Hashable, Sendable {
    /// Number of audit labels, drawn at random, of samples that the version predicted since it was suspected.
    public let labels: Int
    /// Total agreement of the labels with its predictions: for kind `choice`, the number of correct predictions; in
    /// `0...labels`.
    public let right: Double
    /// Value of `right` below which the version is rolled back.
    public let leastRight: Int
    /// The lower limit of its accuracy before, in `0...1`.
    public let accuracy: Double
    /// Suspicions of the version so far, this one included; from 1.
    public let suspicions: Int
    /// Number of voices about the version since its release.
    public let voices: Int
    /// Number of voices in `voices` that reject the version.
    public let rejecting: Int
    /// Number of labels of samples whose predictions users had rejected. They determine how far each bucket of users is
    /// trusted, and do not count for a rollback.
    public let disputed: Int
    /// Number of labels in `disputed` that find the version wrong, as the users did.
    public let disputedWrong: Int

    public init(
        labels: Int,
        right: Double,
        leastRight: Int,
        accuracy: Double,
        suspicions: Int,
        voices: Int,
        rejecting: Int,
        disputed: Int = 0,
        disputedWrong: Int = 0
    ) {
        self.labels = labels
        self.right = right
        self.leastRight = leastRight
        self.accuracy = accuracy
        self.suspicions = suspicions
        self.voices = voices
        self.rejecting = rejecting
        self.disputed = disputed
        self.disputedWrong = disputedWrong
    }
}
