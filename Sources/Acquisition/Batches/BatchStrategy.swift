internal import Statistics
internal import Vocabulary

/// A way to put a batch together. Each is one file; all choose from the same window and draw from the same generator.
protocol BatchStrategy {
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
struct CandidateWindow {
    /// What each is worth, in `0...1`, from the highest down; of equals the lower id first.
    let utilities: [Double]
    /// What the model said of each; nil where none has seen it.
    let outputs: [ClassDistribution?]
    /// Where each lies; nil where embeddings are missing or do not have one dimension.
    let points: PointMatrix?
    /// Where the samples lie that were asked for last, in the same scale; nil where none is known.
    let known: PointMatrix?

    var count: Int { utilities.count }
}

extension BatchRule {
    /// The strategy of a rule.
    func strategy(_ policy: BatchPolicy) -> any BatchStrategy {
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
    var comparesWithKnown: Bool {
        switch self {
        case .kCenter, .herding, .typical: true
        case .top, .kmeans, .badge, .power, .softmax, .classBalanced: false
        }
    }

    /// How many candidates it looks at for a batch of `count`, the highest utilities first, or spread evenly over four
    /// times as many.
    func width(_ count: Int, preselection: Int) -> (candidates: Int, isSpreadOverAll: Bool) {
        switch self {
        case .top: (count, false)
        case .kmeans: (max(count, count * preselection), false)
        case .kCenter, .herding, .typical: (max(count, Self.windowLimit), true)
        case .badge: (max(count, 2 * Self.windowLimit), false)
        case .power, .softmax, .classBalanced: (max(count, 2 * Self.windowLimit), false)
        }
    }

    /// Candidates that rules of quadratic cost look at.
    static let windowLimit = 512
}

/// The highest utilities.
struct TopUtilities: BatchStrategy {
    func select(_ count: Int, from window: CandidateWindow, using generator: inout SplitMix64) -> [Int] {
        Array(0..<count)
    }
}
