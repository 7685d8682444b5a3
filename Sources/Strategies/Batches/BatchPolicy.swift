/// Rule by which a batch is composed from the utilities of the candidates.
public enum BatchRule: String, Hashable, Sendable, CaseIterable {
    /// The highest utilities.
    case top
    /// Weighted k-means over the highest utilities, the sample nearest to each centre (Zhdanov 2019).
    case kmeans
    /// The sample farthest from all queried samples (Sener, Savarese 2018).
    case kCenter = "k_center"
    /// k-means++ over the gradients that a label would cause (Ash et al. 2020).
    case badge
    /// Samples that cover most of the utility around them that no queried sample covers (Bae, Oliveira, Sutherland
    /// 2025).
    case herding
    /// Drawn in proportion to a power of the utility (Kirsch et al. 2023).
    case power
    /// Drawn in proportion to the exponential of the utility (Kirsch et al. 2023).
    case softmax
    /// The highest utilities, as many of each predicted class.
    case classBalanced = "class_balanced"
    /// The most typical sample of each cluster without queried samples (Hacohen, Dekel, Weinshall 2022).
    case typical

    /// Whether the rule draws every sample of a batch at random.
    package var drawsEverySample: Bool { self == .power || self == .softmax }

    /// Whether the rule uses embeddings.
    public var needsEmbeddings: Bool {
        switch self {
        case .kmeans, .kCenter, .badge, .herding, .typical: true
        case .top, .power, .softmax, .classBalanced: false
        }
    }
}

/// Selection rule while the model knows too little for its uncertainty to mean anything.
public enum ColdStart: String, Hashable, Sendable, CaseIterable {
    /// The configured rule from the first batch on.
    case none
    case typical
    case herding

    /// The rule of a cold batch.
    public var rule: BatchRule? {
        switch self {
        case .none: nil
        case .typical: .typical
        case .herding: .herding
        }
    }
}

/// How much each part of a utility counts: the utility is the product of the parts, each to the power of its weight.
public struct UtilityWeights: Hashable, Sendable {
    /// Weight of the acquisition score.
    public var uncertainty: Double
    /// Weight of the worth of the predicted classes.
    public var value: Double
    /// Weight of the recency of the model's prediction.
    public var freshness: Double
    /// Weight of the sample's distance from all queried samples.
    public var novelty: Double
    /// Weight of the density: how many other candidates are near.
    public var density: Double

    public init(
        uncertainty: Double = 1,
        value: Double = 0,
        freshness: Double = 0,
        novelty: Double = 0,
        density: Double = 0
    ) {
        self.uncertainty = uncertainty
        self.value = value
        self.freshness = freshness
        self.novelty = novelty
        self.density = density
    }
}

/// Policy for choosing a batch from the pool.
public struct BatchPolicy: Hashable, Sendable {
    /// Rule by which diverse batches are composed.
    public var rule: BatchRule
    public var coldStart: ColdStart
    /// Labels for each class that the model distinguishes, after which the cold start ends; not negative.
    public var handover: Double
    public var weights: UtilityWeights
    /// Worth of a label of each class, by the position of the class; classes beyond the list are worth 1. Not
    /// negative.
    public var classValues: [Double]
    /// The age, in milliseconds, at which a prediction is half as fresh.
    public var halfLife: Int64
    /// How sharply `power` and `softmax` prefer high utilities, above 0; as it grows, both approach `top`.
    public var sharpness: Double
    /// Samples nearer than this to a queried sample, or to a sample of the batch, are its duplicates and are selected
    /// last; a share of the spread of all candidates, in `0...1`.
    public var duplicateDistance: Double
    /// Sketches kept of the embeddings of the samples queried last; 0 keeps none.
    public var memory: Int

    public init(
        rule: BatchRule = .kmeans,
        coldStart: ColdStart = .herding,
        handover: Double = 8,
        weights: UtilityWeights = UtilityWeights(),
        classValues: [Double] = [],
        halfLife: Int64 = 3_600_000,
        sharpness: Double = 1,
        duplicateDistance: Double = 0.05,
        memory: Int = 1_000
    ) {
        self.rule = rule
        self.coldStart = coldStart
        self.handover = handover
        self.weights = weights
        self.classValues = classValues
        self.halfLife = halfLife
        self.sharpness = sharpness
        self.duplicateDistance = duplicateDistance
        self.memory = memory
    }
}
