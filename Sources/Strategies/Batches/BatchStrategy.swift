package import Statistics
package import Vocabulary

/// A way to put a batch together. Each is one file; all choose from the same window and draw from the same generator.
package protocol BatchStrategy {
    /// Chooses samples of a window.
    ///
    /// - Parameters:
    ///   - count: Samples wanted, above 0 and below the window's count.
    ///   - window: Candidates in order of utility, the highest first.
    ///   - generator: What is drawn, is drawn from here: the same seed gives the same choice.
    /// - Returns: Exactly `count` distinct indices into the window.
    func select(_ count: Int, from window: CandidateWindow, using generator: inout SplitMix64) -> [Int]
}

/// The candidates that a batch is chosen from, and where what was asked for before lies.
package struct CandidateWindow {
    /// Utility of each candidate, in `0...1`, in descending order; of equals the lower id first.
    let utilities: [Double]
    /// Model output for each candidate; nil where no model has seen it.
    let outputs: [Output?]
    /// Where each lies; nil where embeddings are missing or do not have one dimension.
    let points: PointMatrix?
    /// Where the samples lie that were asked for last, in the same scale; nil where none is known.
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

    /// Whether it looks at where what was asked for lies.
    package var comparesWithKnown: Bool {
        switch self {
        case .kCenter, .herding, .typical: true
        case .top, .kmeans, .badge, .power, .softmax, .classBalanced: false
        }
    }

    /// The rule for a batch of `count`: the highest utilities where this one would have to look at too many candidates.
    package func affordable(_ count: Int) -> BatchRule {
        switch self {
        case .kCenter, .herding, .typical, .badge: 2 * count > Self.costLimit ? .top : self
        case .top, .kmeans, .power, .softmax, .classBalanced: self
        }
    }

    /// Candidates that rules of quadratic cost look at.
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
