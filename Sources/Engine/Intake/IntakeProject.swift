internal import Acquisition
internal import Flywheel
internal import Hashing
internal import Labeling
internal import Vocabulary

/// What Intake knows about a project: its revision, its draws, its thresholds.
struct IntakeProject {
    let configuration: ProjectConfiguration
    let audit: StableHash
    let random: StableHash
    private var thresholds: [String: AdaptiveThreshold] = [:]
    private var explorations: [String: AdaptiveThreshold] = [:]
    /// Versions in the order they came.
    private var order: [String] = []
    private let rate: Double

    /// Model versions whose threshold is kept.
    private static let thresholdCapacity = 16

    init(_ configuration: ProjectConfiguration, salt: [UInt8]) {
        self.configuration = configuration
        let name = configuration.project.rawValue
        audit = StableHash(project: name, purpose: "audit", salt: salt)
        random = StableHash(project: name, purpose: "random", salt: salt)
        let policy = configuration.acquisition
        let tasks = Double(policy.votes) / Double(max(1, configuration.labeling.maximumVotes))
        rate = policy.oversample * tasks / Double(max(1, policy.window)) * 1_000
    }

    /// Takes a score into account and judges it by the threshold of its model's stream.
    ///
    /// - Parameters:
    ///   - score: In `0...1`.
    ///   - version: Of the model; the empty text for none.
    ///   - share: The part of the traffic that this worker sees, in `0...1`.
    ///   - time: Milliseconds; going back counts as standing still.
    /// - Returns: Whether the candidate is forwarded.
    mutating func admits(_ score: Double, version: String, share: Double, at time: Int64) -> Bool {
        if thresholds[version] == nil {
            if order.count >= Self.thresholdCapacity {
                let oldest = order.removeFirst()
                thresholds[oldest] = nil
                explorations[oldest] = nil
            }
            order.append(version)
            thresholds[version] = AdaptiveThreshold(
                perSecond: rate * share,
                burst: Double(configuration.acquisition.batchSize)
            )
        }
        return thresholds[version]?.admits(score, at: time) ?? false
    }

    /// Whether a prediction is let through by chance, whatever its score.
    ///
    /// - Parameters:
    ///   - sample: Its id decides, anew for every model.
    ///   - version: Of the model.
    ///   - share: The part of the traffic that this worker sees, in `0...1`.
    ///   - time: Milliseconds; going back counts as standing still.
    /// - Returns: Whether the candidate is forwarded.
    mutating func explores(_ sample: String, version: String, share: Double, at time: Int64) -> Bool {
        let policy = configuration.acquisition
        guard policy.function != .random, policy.explorationShare > 0, thresholds[version] != nil else { return false }
        if explorations[version] == nil {
            explorations[version] = AdaptiveThreshold(
                perSecond: rate * share * policy.explorationShare,
                burst: Double(policy.batchSize)
            )
        }
        let draw = random.unit(key: "exploration/\(sample)/\(version)")
        return explorations[version]?.admits(draw, at: time) ?? false
    }

    /// The threshold in force for a model version, in `0...1`.
    func threshold(_ version: String) -> Double { thresholds[version]?.value ?? 0 }
}
