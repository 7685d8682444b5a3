public import Vocabulary

/// The posterior over classes given several answers, each weighted by the accuracy of its annotator.
///
/// One-coin model (Dawid, Skene 1979, with one parameter per annotator; Zhang et al. 2014): an annotator of accuracy
/// *p* names the true class with probability *p* and every other with (1 - *p*)/(*k* - 1); all classes are equally
/// likely a priori. The class with the highest posterior is the majority vote weighted by log(*p*(*k* - 1)/(1 - *p*)).
public struct WeightedMajority: Hashable, Sendable {
    /// The class with the highest posterior; on ties, the lower class.
    public let label: ClassIndex
    public let confidence: Probability
    /// The posterior of each vote's class, in the order of the votes.
    public let posteriors: [Double]

    /// Computes the posterior of votes; nil without votes or with fewer than two classes.
    ///
    /// - Complexity: O(*v*²) in the number of votes.
    public init?(votes: [(label: ClassIndex, accuracy: Double)], classes: Int) {
        guard !votes.isEmpty, classes > 1 else { return nil }
        let others = Double(classes - 1)
        var named: [ClassIndex] = []
        for vote in votes where !named.contains(vote.label) { named.append(vote.label) }
        named.sort()

        var likelihoods: [Double] = []
        var total = 0.0
        for label in named {
            var likelihood = 1.0
            for vote in votes {
                likelihood *= vote.label == label ? vote.accuracy : (1 - vote.accuracy) / others
            }
            likelihoods.append(likelihood)
            total += likelihood
        }
        var unnamed = 1.0
        for vote in votes { unnamed *= (1 - vote.accuracy) / others }
        total += unnamed * Double(max(0, classes - named.count))
        guard total > 0 else { return nil }

        var best = 0
        for position in named.indices where likelihoods[position] > likelihoods[best] { best = position }
        label = named[best]
        confidence = Probability(clamping: likelihoods[best] / total)
        var posteriors: [Double] = []
        for vote in votes {
            var posterior = 0.0
            for position in named.indices where named[position] == vote.label {
                posterior = likelihoods[position] / total
            }
            posteriors.append(posterior)
        }
        self.posteriors = posteriors
    }
}
