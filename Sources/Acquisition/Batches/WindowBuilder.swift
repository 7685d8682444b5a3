internal import Statistics
internal import Strategies
internal import Tables
internal import Vocabulary

/// Builds the window that a rule considers, candidate by candidate in the order of a ranking.
///
/// Scales are medians and quantiles of the first candidates that are no outliers: a candidate that is excluded changes
/// nothing among the others.
struct WindowBuilder {
    private let rule: BatchRule
    private let width: Int
    private let policy: AcquisitionPolicy
    private let time: StreamTime
    private let limits: WindowScales.Limits
    /// Candidates in the order in which they are considered; those before `next` have been considered.
    private var pending: [ScannedCandidate] = []
    private var next = 0
    /// Number of pending candidates that are no outliers.
    private var inlierCount = 0
    /// Scales on which embeddings are compared; nil until `width` candidates are pending or `settle` is called, if the
    /// policy does not compare embeddings, and if some are missing, not finite or differ in dimension.
    private var scales: WindowScales?
    private var didMakeScales = false
    /// Utilities of pending candidates with their novelty, from the highest down, at most `width`.
    private var best: [Double] = []
    private var novelties: [SampleID: Double] = [:]

    /// Candidates in the window, in order.
    private(set) var accepted: [PooledCandidate] = []
    /// Candidates that are outliers or near to one in the window, in order.
    private(set) var deferred: [PooledCandidate] = []
    private var points: DistinctPoints?

    init(_ rule: BatchRule, _ width: Int, _ policy: AcquisitionPolicy, at time: StreamTime) {
        self.rule = rule
        self.width = width
        self.policy = policy
        self.time = time
        limits = WindowScales.Limits(
            share: policy.batch.duplicateDistance,
            folds: rule.comparesWithKnown,
            isNoveltyWanted: policy.batch.weights.novelty > 0
        )
    }

    var isFull: Bool { accepted.count >= width }

    /// Whether more candidates are needed before `settle`.
    var wantsMore: Bool { pending.count < width || (didMakeScales && inlierCount < width) }

    /// Adds one more candidate, the next of the ranking.
    ///
    /// - Parameters:
    ///   - pooled: The candidate.
    ///   - known: Embeddings of the queried samples.
    mutating func add(_ pooled: PooledCandidate, _ known: PointMatrix?) {
        let scanned = ScannedCandidate(pooled)
        pending.append(scanned)
        if didMakeScales {
            if scales?.isInlier(scanned) ?? true { inlierCount += 1 }
        } else if pending.count == width {
            makeScales(known)
        }
        if let scales, scales.isSettled { judgeNovelty(scanned, scales) }
    }

    private mutating func makeScales(_ known: PointMatrix?) {
        didMakeScales = true
        if policy.isDiverse, policy.function != .random { scales = WindowScales(pending, known, limits) }
        inlierCount = pending.count { scales?.isInlier($0) ?? true }
    }

    /// Settles scales, from the candidates so far.
    mutating func settle(_ known: PointMatrix?) {
        if !didMakeScales { makeScales(known) }
        guard var found = scales else { return }
        found.settle(pending.lazy.filter { found.isInlier($0) }.prefix(width).map { $0 })
        scales = found
        points = DistinctPoints(dimension: found.comparedDimension, scale: found.scale, limit: found.limit)
        if limits.isNoveltyWanted { for scanned in pending { judgeNovelty(scanned, found) } }
    }

    // MARK: - Novelty

    private mutating func judgeNovelty(_ scanned: ScannedCandidate, _ found: WindowScales) {
        let weight = policy.batch.weights.novelty
        guard weight > 0, found.isInlier(scanned) else { return }
        novelties[scanned.id] = found.novelty(of: scanned)
        let total = utility(scanned.pooled).value
        best.insert(total, at: best.firstIndex { $0 < total } ?? best.count)
        if best.count > width { best.removeLast() }
    }

    /// Utility of a candidate, including its novelty if that is known.
    private func utility(_ pooled: PooledCandidate) -> Utility {
        var utility = Utility(pooled.candidate, policy, at: time)
        if !novelties.isEmpty, let novelty = novelties[pooled.candidate.sample.id] {
            utility.include(.novelty, novelty, policy.batch.weights.novelty)
        }
        return utility
    }

    /// Whether a candidate further down the ranking could have a higher utility than one in the window; novelty only
    /// lowers a utility.
    ///
    /// - Parameter bound: Upper bound of the utility of the next candidate in the ranking, and the dataset version
    ///   number of the model that scored it; nil if there is none.
    /// - Returns: False where novelty does not count.
    func isUndecided(_ bound: (utility: Double, versionNumber: Int)?) -> Bool {
        guard let bound, scales != nil, policy.batch.weights.novelty > 0 else { return false }
        guard best.count >= width, let least = best.last else { return true }
        return bound.versionNumber >= pending.last?.pooled.modelVersionNumber ?? 0 && bound.utility > least
    }

    /// Sorts the pending candidates if novelty counts: those of the newest model first, then by descending utility.
    mutating func order() {
        guard !novelties.isEmpty else { return }
        let totals = pending.map { utility($0.pooled).value }
        let order = pending.indices.sorted { a, b in
            let (first, second) = (pending[a].pooled.modelVersionNumber, pending[b].pooled.modelVersionNumber)
            if first != second { return first > second }
            return totals[a] != totals[b] ? totals[a] > totals[b] : a < b
        }
        pending = order.map { pending[$0] }
    }

    // MARK: - The window

    /// Adds candidates to the window until it is full or none is left.
    mutating func accept(_ capacity: inout SliceCapacity?) {
        while next < pending.count, !isFull {
            let scanned = pending[next]
            next += 1
            var point: DistinctPoints.ScaledPoint?
            if let scales {
                guard scales.isInlier(scanned),
                    let found = points?.distinct(scales.comparedCoordinates(of: scanned))
                else {
                    deferred.append(scanned.pooled)
                    continue
                }
                point = found
            }
            guard capacity?.reserve(scanned.pooled.candidate.sample) ?? true else { continue }
            if let point { points?.add(point) }
            accepted.append(scanned.pooled)
        }
    }

    /// Returns the window, with the candidates that follow it.
    ///
    /// - Parameter fallback: Candidates that fill the batch if the window holds too few, in order.
    /// - Returns: The candidates that a batch is chosen from.
    func window(_ fallback: [PooledCandidate]) -> RankedCandidates {
        RankedCandidates(
            accepted.map { ($0, utility($0)) },
            fallback: fallback.map { ($0, Utility($0.candidate, policy, at: time)) },
            points: points?.matrix,
            known: scales.flatMap { $0.isComparable ? $0.known : nil },
            spread: scales?.spread ?? 0,
            isReordered: !novelties.isEmpty,
            rule: rule,
            policy: policy
        )
    }
}
