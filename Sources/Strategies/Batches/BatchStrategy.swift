package import Statistics
package import Vocabulary

/// Strategy for composing a batch. Each strategy is one file; all select from the same window and draw from the same
/// generator.
package protocol BatchStrategy {
    /// Chooses samples of a window.
    ///
    /// - Parameters:
    ///   - count: Samples wanted, above 0 and below the window's count.
    ///   - window: Candidates in order of utility, the highest first.
    ///   - generator: Source of all random numbers: the same seed gives the same choice.
    /// - Returns: Exactly `count` distinct indices into the window.
    func select(_ count: Int, from window: CandidateWindow, using generator: inout SplitMix64) -> [Int]
}

/// Candidates that a batch is selected from, and the embeddings of the samples queried before.
package struct CandidateWindow {
    /// Utility of each candidate, in `0...1`, in descending order; of equals the lower id first.
    let utilities: [Double]
    /// Model output for each candidate; nil where no model has seen it.
    let outputs: [Output?]
    /// Embedding of each candidate; nil if embeddings are missing or do not have one dimension.
    let points: PointMatrix?
    /// Embeddings of the samples queried last, in the same scale; nil if none is known.
    let known: PointMatrix?

    package init(utilities: [Double], outputs: [Output?], points: PointMatrix?, known: PointMatrix?) {
        self.utilities = utilities
        self.outputs = outputs
        self.points = points
        self.known = known
    }

    package var count: Int { utilities.count }
}

extension BatchRule {
    /// The strategy of a rule.
    package func strategy(_ policy: BatchPolicy) -> any BatchStrategy {
        switch self {
        case .top: TopUtilities()
        case .kmeans: WeightedKMeans()
        case .kCenter: KCenterGreedy()
        case .badge: GradientEmbeddings()
        case .herding: UncertaintyHerding()
        case .power: StochasticSampling(isPower: true, sharpness: policy.sharpness)
        case .softmax: StochasticSampling(isPower: false, sharpness: policy.sharpness)
        case .classBalanced: ClassBalanced()
        case .typical: TypicalClusters()
        }
    }

    /// Whether the rule compares candidates with the embeddings of queried samples.
    package var comparesWithKnown: Bool {
        switch self {
        case .kCenter, .herding, .typical: true
        case .top, .kmeans, .badge, .power, .softmax, .classBalanced: false
        }
    }

    /// The rule for a batch of `count`: the highest utilities if this rule would have to compare too many candidates.
    package func affordable(_ count: Int) -> BatchRule {
        switch self {
        case .kCenter, .herding, .typical, .badge: 2 * count > Self.costLimit ? .top : self
        case .top, .kmeans, .power, .softmax, .classBalanced: self
        }
    }

    /// Candidates that rules of quadratic cost consider.
    package static let windowLimit = 512
    /// Limit on the candidates that are compared for a large batch; a rule that would need more is replaced by
    /// `top`.
    package static let costLimit = 2_048
}

/// The highest utilities.
struct TopUtilities: BatchStrategy {
    func select(_ count: Int, from window: CandidateWindow, using generator: inout SplitMix64) -> [Int] {
        Array(0..<count)
    }
}
