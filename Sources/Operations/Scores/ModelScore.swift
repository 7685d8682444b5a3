internal import Kinds
public import Statistics
public import Vocabulary

/// The score of one model on labels that are weighted by the distribution of the candidates.
public struct ModelScore: Hashable, Sendable {
    /// A figure with two intervals of 95 %.
    public struct Figure: Hashable, Sendable {
        public let value: Double
        /// Valid at a single look.
        public let interval: Interval
        /// Valid at all looks simultaneously.
        public let anytimeInterval: Interval
    }

    /// Precision and recall of the model for one class.
    public struct ClassFigures: Hashable, Sendable {
        public let name: String
        /// Number of labels of the class; `predictions` is the number of predictions of it.
        public let labels: Int
        public let predictions: Int
        /// Precision: the share of the predictions of the class that are right; nil without predictions. Its interval
        /// is valid at all looks simultaneously.
        public let precision: Share?
        /// Recall: the share of the labels of the class that are predicted; nil without labels.
        public let recall: Share?
    }

    /// A share with an interval that is valid at all looks simultaneously.
    public struct Share: Hashable, Sendable {
        public let value: Double
        public let anytimeInterval: Interval
    }

    /// The number of labels of one class that were predicted as a class, unweighted.
    public struct Confusion: Hashable, Sendable {
        public let label: String
        public let predicted: String
        public let count: Int
    }

    public let version: ModelVersion
    /// Labels that the model had answered; at least 1.
    public let labels: Int
    /// Mean agreement with the labels, in `0...1`: accuracy, where an answer is right or wrong.
    public let agreement: Figure
    /// Figures by class; empty if a label or an answer is not exactly one class.
    public let classes: [ClassFigures]
    /// The pairs that occur, ordered by label, then by prediction, each in the order of the classes.
    public let confusion: [Confusion]

    /// Scores a model on items; nil if it answered none of them.
    ///
    /// - Complexity: O(*n*·*c*) in items and classes.
    public init?(
        _ version: ModelVersion,
        on items: [ScoreBook.Item],
        _ weighting: PostStratification,
        _ question: Question
    ) {
        let answered = items.compactMap { item in item.answers[version].map { (item: item, answer: $0.label) } }
        let cells = answered.map(\.item.cell)
        let values = answered.map { $0.answer.agreement(with: $0.item.label) }
        let strata = Strata(cells, weighting)
        guard let agreement = strata.figure(values, in: 0...1) else { return nil }
        self.version = version
        labels = answered.count
        self.agreement = agreement
        let names = answered.map { item, answer in
            (label: question.classNames(in: item.label), answer: question.classNames(in: answer))
        }
        guard names.allSatisfy({ $0.label.count == 1 && $0.answer.count == 1 }) else {
            (classes, confusion) = ([], [])
            return
        }
        let pairs = names.map { (label: $0.label[0], answer: $0.answer[0]) }
        classes = question.classes.compactMap { Self.figures(of: $0, pairs, strata) }
        let counts = pairs.reduce(into: [String: [String: Int]]()) {
            $0[$1.label, default: [:]][$1.answer, default: 0] += 1
        }
        confusion = question.classes.flatMap { label in
            question.classes.compactMap { predicted in
                counts[label]?[predicted].map { Confusion(label: label, predicted: predicted, count: $0) }
            }
        }
    }

    private static func figures(
        of name: String,
        _ pairs: [(label: String, answer: String)],
        _ strata: Strata
    ) -> ClassFigures? {
        let (labels, predictions) = (pairs.count { $0.label == name }, pairs.count { $0.answer == name })
        guard labels + predictions > 0 else { return nil }
        return ClassFigures(
            name: name,
            labels: labels,
            predictions: predictions,
            precision: strata.share(pairs.map { $0.answer == name ? ($0.label == name ? 1 : 0) : 2 }),
            recall: strata.share(pairs.map { $0.label == name ? ($0.answer == name ? 1 : 0) : 2 })
        )
    }
}

/// Labels by stratum, each with its weight.
struct Strata {
    private let cells: [PostStratification.Cell]
    private let weighting: PostStratification
    private let shares: [(stratum: Int, share: Double)]
    private let weights: [Double]

    init(_ cells: [PostStratification.Cell], _ weighting: PostStratification) {
        self.cells = cells
        self.weighting = weighting
        shares = weighting.shares(withLabels: cells)
        weights = weighting.weights(of: cells)
    }

    /// The mean of a figure over all candidates.
    ///
    /// - Parameters:
    ///   - values: In the order of the cells.
    ///   - range: `0...1` or `-1...1`.
    ///   - settled: Strata in which one label determines the value of all.
    /// - Returns: The mean with its intervals; nil without labels.
    func figure(_ values: [Double], in range: ClosedRange<Double>, settled: Set<Int> = []) -> ModelScore.Figure? {
        let labels = zip(cells, values).map { (cell: $0, value: $1) }
        guard let estimate = weighting.mean(of: labels, in: range, settled: settled) else { return nil }
        let anytimeInterval = ConfidenceSequence.mean(of: strata(values, settled: settled), in: range)
        return ModelScore.Figure(
            value: estimate.value,
            interval: estimate.interval,
            // An interval valid at all looks is never narrower than the interval valid at a single look.
            anytimeInterval: Interval(
                min(max(anytimeInterval.lower, range.lowerBound), estimate.interval.lower),
                max(min(anytimeInterval.upper, range.upperBound), estimate.interval.upper)
            )
        )
    }

    /// The weighted share of 1 among the values of 1 and 0; values of 2 are ignored. Nil if all values are 2.
    func share(_ values: [Double]) -> ModelScore.Share? {
        var (hits, all) = (0.0, 0.0)
        for (value, weight) in zip(values, weights) where value != 2 {
            hits += value * weight
            all += weight
        }
        guard all > 0 else { return nil }
        return ModelScore.Share(value: hits / all, anytimeInterval: ConfidenceSequence.share(of: strata(values)))
    }

    private func strata(_ values: [Double], settled: Set<Int> = []) -> [ConfidenceSequence.Stratum] {
        let byStratum = Dictionary(grouping: zip(cells, values), by: \.0.stratum)
        return shares.map { stratum, share in
            ConfidenceSequence.Stratum(
                share: share,
                numbers: byStratum[stratum]?.map(\.1) ?? [],
                isSettled: settled.contains(stratum)
            )
        }
    }
}
