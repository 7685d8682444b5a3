internal import Statistics
public import Vocabulary

/// How useful a label would be, judged from one model's output alone. Every score is in `0...1`, higher is more useful.
public enum AcquisitionFunction: String, Hashable, Sendable, CaseIterable {
    case leastConfidence = "least_confidence"
    case margin
    case ratio
    case entropy
    /// No judgement: every sample is as good as another, and its own hash decides.
    case random

    /// The score of an output over `classes` classes.
    ///
    /// A distribution given as its top entries and a remainder is scored as if the remainder were spread evenly over the
    /// classes that are not named. A single class scores 0. `random` scores 0 here; its score is the sample's draw.
    ///
    /// - Complexity: O(*k*) in the number of entries.
    /// - SeeAlso: Settles (2009), *Active Learning Literature Survey*, section 3.1.
    public func score(_ output: ClassDistribution, classes: Int) -> Double {
        guard classes > 1 else { return 0 }
        switch self {
        case .random: return 0
        case .leastConfidence: return leastConfidence(output, classes)
        case .margin: return margin(output, classes)
        case .ratio: return ratio(output, classes)
        case .entropy: return entropy(output, classes)
        }
    }

    /// The two highest probabilities.
    private func topTwo(_ output: ClassDistribution, _ classes: Int) -> (Double, Double) {
        let first = output.entries[0].probability
        let unnamed = classes - output.entries.count
        let share = unnamed > 0 ? output.remainder / Double(unnamed) : 0
        let second = output.entries.count > 1 ? output.entries[1].probability : 0
        let highest = first > share ? first : share
        let runnerUp = first > share ? (second > share ? second : share) : (unnamed > 1 ? share : first)
        return (highest, runnerUp)
    }

    /// `(1 - p₁) / (1 - 1/k)`: 1 for a uniform distribution.
    private func leastConfidence(_ output: ClassDistribution, _ classes: Int) -> Double {
        let (first, _) = topTwo(output, classes)
        return Probability(clamping: (1 - first) / (1 - 1 / Double(classes))).value
    }

    /// `1 - (p₁ - p₂)`: Scheffer, Decomain, Wrobel (2001).
    private func margin(_ output: ClassDistribution, _ classes: Int) -> Double {
        let (first, second) = topTwo(output, classes)
        return Probability(clamping: 1 - (first - second)).value
    }

    /// `p₂ / p₁`.
    private func ratio(_ output: ClassDistribution, _ classes: Int) -> Double {
        let (first, second) = topTwo(output, classes)
        return first > 0 ? Probability(clamping: second / first).value : 0
    }

    /// Shannon's entropy over the logarithm of the number of classes.
    private func entropy(_ output: ClassDistribution, _ classes: Int) -> Double {
        var sum = 0.0
        for entry in output.entries where entry.probability > 0 {
            sum -= entry.probability * Reproducible.log(entry.probability)
        }
        let unnamed = classes - output.entries.count
        if unnamed > 0, output.remainder > 0 {
            sum -= output.remainder * Reproducible.log(output.remainder / Double(unnamed))
        }
        return Probability(clamping: sum / Reproducible.log(Double(classes))).value
    }
}
