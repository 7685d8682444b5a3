internal import Kinds
internal import Statistics
internal import Strategies
internal import Tables
public import Vocabulary

/// Mean predictions of models over the pool, and whether they are stable: while a few more labels still change the
/// shares of the classes, a model's uncertainty depends more on those labels than on the samples.
public struct PredictedShares: Equatable, Sendable {
    /// The dataset version number of the model whose shares these are; 0 before the first.
    public var versionNumber: Int
    /// Samples queried, and imported, for training when the model was observed.
    public var labels: Int
    /// Number of candidates over which the means were taken.
    public var candidates: Int
    /// Classes with the largest shares, at most `limit`, in ascending order; `shares` has the share of each, in
    /// `0...1`.
    public var classes: [ClassIndex]
    public var shares: [Double]
    /// Whether the shares differ little from those of the model before.
    public var isSettled: Bool

    public init(
        versionNumber: Int = 0,
        labels: Int = 0,
        candidates: Int = 0,
        classes: [ClassIndex] = [],
        shares: [Double] = [],
        isSettled: Bool = false
    ) {
        self.versionNumber = versionNumber
        self.labels = labels
        self.candidates = candidates
        self.classes = classes
        self.shares = shares
        self.isSettled = isSettled
    }

    /// Largest number of classes that are kept.
    static let limit = 64
    /// Models are compared if the second has at least a sixth more labels: fewer change nothing.
    static let growth = (numerator: 7, denominator: 6)
    /// Half the sum of the differences of the shares, beyond what chance explains, from which on they count as
    /// unstable.
    static let unstableDistance = 0.035
    /// Earliest end of a cold start, as a fraction of the labels at which it ends whatever its shares do.
    static let earliest = 0.375

    /// Records the output of a model.
    ///
    /// - Parameters:
    ///   - output: Output of a model; a model that was observed before is ignored.
    ///   - labels: Samples queried, and imported, for training.
    /// - Complexity: O(*k* log *k*).
    mutating func note(_ output: MeanOutput, labels: Int) {
        guard output.versionNumber > versionNumber else { return }
        let means = output.means
        let grew = labels * Self.growth.denominator >= self.labels * Self.growth.numerator
        guard grew || labels < self.labels else { return }
        let largest = means.indices.sorted { (means[$1], $0) < (means[$0], $1) }.prefix(Self.limit).sorted()
        var next = PredictedShares(versionNumber: output.versionNumber, labels: labels, candidates: output.candidates)
        next.classes = largest.map { ClassIndex($0) }
        next.shares = largest.map { min(1, means[$0]) }
        if grew, candidates > 0 {
            // Means over other samples differ by chance, too: only a larger difference is a change.
            let (found, noise) = (next.distance(to: self), output.noise(comparedWith: candidates))
            next.isSettled = found * found < Self.unstableDistance * Self.unstableDistance + noise * noise
        }
        self = next
    }

    /// Half the sum of the absolute differences of all shares that are kept.
    private func distance(to other: PredictedShares) -> Double {
        var sum = 0.0
        var (index, otherIndex) = (0, 0)
        // A corrupted row may lack shares.
        let (count, otherCount) = (min(classes.count, shares.count), min(other.classes.count, other.shares.count))
        while index < count || otherIndex < otherCount {
            let position = index < count ? classes[index].rawValue : Int.max
            let otherPosition = otherIndex < otherCount ? other.classes[otherIndex].rawValue : Int.max
            sum += abs(
                (position <= otherPosition ? shares[index] : 0)
                    - (otherPosition <= position ? other.shares[otherIndex] : 0)
            )
            if position <= otherPosition { index += 1 }
            if otherPosition <= position { otherIndex += 1 }
        }
        return sum / 2
    }
}

/// Mean prediction of one model over the pool.
struct MeanOutput {
    let versionNumber: Int
    /// Number of outputs added; above 0 once finished.
    var candidates = 0
    /// The mean share of each class, by its position.
    var means: [Double] = []
    /// Mean square of the share of each class, by its position.
    private var squares: [Double] = []

    init(of versionNumber: Int) { self.versionNumber = versionNumber }

    mutating func add(_ output: ClassDistribution) {
        candidates += 1
        for entry in output.entries {
            let missing = entry.label.rawValue + 1 - means.count
            if missing > 0 {
                means.append(contentsOf: repeatElement(0, count: missing))
                squares.append(contentsOf: repeatElement(0, count: missing))
            }
            means[entry.label.rawValue] += entry.probability
            squares[entry.label.rawValue] += entry.probability * entry.probability
        }
    }

    /// Converts the sums into means.
    mutating func finish() {
        for index in means.indices {
            means[index] /= Double(candidates)
            squares[index] /= Double(candidates)
        }
    }

    /// Number of classes that the model distinguishes.
    var perplexity: Double {
        var entropy = 0.0
        for share in means { entropy += Entropy.term(share) }
        return Reproducible.exp(entropy)
    }

    /// Half the sum of the absolute differences that chance alone explains between the means over these candidates and
    /// over `others` candidates of the same kind: √(2 σ² / π) for each class.
    func noise(comparedWith others: Int) -> Double {
        let scale = (1 / Double(candidates) + 1 / Double(others)) * 2 / Double.pi
        var sum = 0.0
        for index in means.indices {
            sum += (max(0, squares[index] - means[index] * means[index]) * scale).squareRoot()
        }
        return sum / 2
    }
}

extension PoolSource {
    /// Whether the newest model has seen too few labels for its uncertainty to be meaningful, from edition 2 on: until
    /// the mean output of models over the pool is stable, at the latest until `handover` labels for each class that it
    /// distinguishes.
    ///
    /// - Complexity: O(*n* · *k*), over at most 512 candidates once they are sorted.
    mutating func isColdByShares(_ labels: Int, _ policy: AcquisitionPolicy) -> Bool {
        if isSurelyWarm(Double(labels), policy) { return false }
        guard let output = meanOutput() else { return true }
        let latest = policy.batch.handover * output.perplexity
        guard Double(labels) < latest else { return false }
        var shares = shares.value
        shares.note(output, labels: labels)
        if shares != self.shares.value { self.shares.value = shares }
        return !shares.isSettled || Double(labels) < PredictedShares.earliest * latest
    }
}
