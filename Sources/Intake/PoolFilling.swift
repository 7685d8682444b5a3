internal import Acquisition
internal import Flywheel
internal import Labeling
internal import Synchronization

/// Samples that a worker forwards to fill a project's pool while the pool has capacity: all that were not queried,
/// whatever their score.
///
/// Samples in transit count as if they were in the pool, until the rows of `state` contain them or they are late: then
/// they may have been lost, or the pool did not accept them.
struct PoolFilling {
    /// Milliseconds for which a sample may be in transit.
    private static let maximumWait: Int64 = 600_000
    /// Milliseconds between two checks for late samples.
    private static let checkInterval: Int64 = 1_000
    /// Predictions of models on samples that are remembered, per slot of the pool.
    private static let forwardedPredictionsPerSlot = 4

    /// Rows of the pool; nil if the pool is not to be filled.
    private let rows: PoolRows?
    private let capacity: Int
    /// Time at which each sample in transit was forwarded, in milliseconds, by the hash of the sample.
    private var inTransit: [UInt64: Int64] = [:]
    /// Combined hashes of model and sample whose prediction was forwarded: the pool needs that of the newest model,
    /// once.
    private var forwardedPredictions: Set<UInt64> = []
    /// Samples forwarded in the pending transaction.
    private var pendingSamples: [(sample: UInt64, predictionHash: UInt64)] = []
    private var checkedAt: Int64 = 0
    /// State of the rows when they were last read, as are `pooled` and `changes`: other threads may accept more
    /// meanwhile.
    private var isKnown = false
    private var pooled = 0
    private var changes = -1
    /// Whether the pool has capacity for a sample that is neither in it nor in transit.
    private(set) var hasRoom = false

    /// Creates the filling of a pool. Nothing is filled for a project in which nothing is queried, or whose rule
    /// requires an unchanged stream.
    init(_ configuration: ProjectConfiguration, _ rows: PoolRows?) {
        let policy = configuration.acquisition
        let votes = configuration.labeling.maximumVotes
        let isOn = policy.stream == nil && policy.budget.mostTasks(votes: votes, cost: policy.voteCost) > 0
        self.rows = isOn ? rows : nil
        capacity = policy.poolCapacity
    }

    /// Carries over the samples that were on their way under an older revision.
    mutating func inherit(_ old: PoolFilling) {
        guard rows != nil else { return }
        (inTransit, forwardedPredictions, pendingSamples) = (
            old.inTransit, old.forwardedPredictions, old.pendingSamples
        )
    }

    /// Whether a prediction is forwarded because of the pool: its sample would fill it, or the pool contains the sample
    /// with a prediction of another model.
    ///
    /// - Parameters:
    ///   - sample: Hash of the sample.
    ///   - status: The loop's status of the sample.
    ///   - version: Hash of the model version, 0 if there is none.
    /// - Returns: True once for each sample and version, as long as they are remembered.
    /// - Complexity: O(1), no allocation; nothing is looked up for a sample that a full pool does not contain.
    @inline(__always)
    func wants(_ sample: UInt64, _ status: SampleTable.Status, _ version: UInt64) -> Bool {
        switch status {
        case .queried: false
        case .pooled: wantsPrediction(sample, version)
        case .unknown: hasRoom && inTransit[sample] == nil
        }
    }

    private func wantsPrediction(_ sample: UInt64, _ version: UInt64) -> Bool {
        isKnown && !forwardedPredictions.contains(Self.predictionHash(sample, version))
    }

    /// Notes that a candidate of the pool was forwarded.
    mutating func note(_ sample: UInt64, _ status: SampleTable.Status, _ version: UInt64, at time: Int64) {
        guard rows != nil else { return }
        let predictionHash = Self.predictionHash(sample, version)
        if status == .unknown, hasRoom, inTransit[sample] == nil {
            inTransit[sample] = time
            updateRoom()
        }
        if forwardedPredictions.count >= Self.forwardedPredictionsPerSlot * capacity {
            forwardedPredictions.removeAll(keepingCapacity: true)
        }
        forwardedPredictions.insert(predictionHash)
        pendingSamples.append((sample, predictionHash))
    }

    private static func predictionHash(_ sample: UInt64, _ version: UInt64) -> UInt64 { sample ^ version }

    /// Reads the rows: which samples have arrived, and which are late.
    ///
    /// - Complexity: O(1) unless rows have changed or a second has passed, then O(*poolCapacity*).
    mutating func refresh(_ samples: SampleTable.View, at time: Int64) {
        guard let rows else { return }
        let changes = rows.changes.load(ordering: .acquiring)
        guard changes != self.changes || time - checkedAt >= Self.checkInterval || time < checkedAt else { return }
        (self.changes, checkedAt, isKnown) = (changes, time, rows.isKnown)
        // The count is read before the samples: a sample that arrives in between leaves capacity for too many rather
        // than for too few.
        pooled = rows.count.load(ordering: .relaxed)
        if !inTransit.isEmpty {
            inTransit = inTransit.filter {
                samples.status(of: $0.key) == .unknown && time - $0.value < Self.maximumWait
            }
        }
        updateRoom()
    }

    mutating func committed() { pendingSamples.removeAll(keepingCapacity: true) }

    /// Discards the samples that the transaction has sent: they were not written, and the records will be read again.
    mutating func aborted() {
        for (sample, predictionHash) in pendingSamples {
            inTransit[sample] = nil
            forwardedPredictions.remove(predictionHash)
        }
        pendingSamples.removeAll(keepingCapacity: true)
        updateRoom()
    }

    private mutating func updateRoom() { hasRoom = isKnown && pooled + inTransit.count < capacity }
}
