internal import Statistics

/// Covers uncertain samples: each next sample is the one whose surroundings contain the most utility that no selected
/// sample, and no sample queried before, covers yet.
///
/// A sample covers its surroundings by a Gaussian kernel. The width of the kernel is the median distance of the
/// candidates to the nearest queried sample: it shrinks as labels arrive, so that coverage counts at first, and
/// nearness to the boundary later. If nothing was queried, it is the median distance of candidates to their nearest
/// neighbour, times 2. If all utilities are equal, this is MaxHerding. Nothing is drawn at random: the order of the
/// window matters through ties alone.
///
/// - SeeAlso: Bae, Oliveira, Sutherland (2025), *Uncertainty Herding: One Active Learning Method for All Label
///   Budgets*, arXiv:2412.20644; Bae, Noh, Sutherland (2024), *Generalized Coverage for More Robust Low-Budget Active
///   Learning*, arXiv:2407.12212.
/// - Complexity: O(*n*² · *d* + *n* · *m* · *d* + *count* · *n*²) at worst for *m* samples known.
struct UncertaintyHerding: BatchStrategy {
    func select(_ count: Int, from window: CandidateWindow, using generator: inout SplitMix64) -> [Int] {
        guard let points = window.points else { return Array(0..<count) }
        let n = window.count
        let knownDistances = points.nearestSquaredDistances(to: window.known)
        let distances = Self.distances(points)
        let squaredWidth = Self.squaredWidth(knownDistances, distances, n)
        var kernel = [Float](repeating: 1, count: n * n)
        var covered = [Float](repeating: 0, count: n)
        if squaredWidth > 0 {
            for index in 0..<n {
                covered[index] = Self.gaussian(knownDistances[index] / squaredWidth)
                for other in 0..<index {
                    let value = Self.gaussian(distances[index * n + other] / squaredWidth)
                    kernel[index * n + other] = value
                    kernel[other * n + index] = value
                }
            }
        }
        let weights = window.utilities.map { Float($0) }
        // Gains never increase, so an earlier gain is an upper bound, and most gains are never recomputed.
        var gains = (0..<n).map { Self.gain(of: $0, kernel: kernel, covered: covered, weights: weights) }
        var computedRound = [Int](repeating: 0, count: n)
        var chosen: [Int] = []
        while chosen.count < count {
            var best = 0
            for candidate in 1..<n where gains[candidate] > gains[best] { best = candidate }
            guard computedRound[best] == chosen.count else {
                gains[best] = Self.gain(of: best, kernel: kernel, covered: covered, weights: weights)
                computedRound[best] = chosen.count
                continue
            }
            chosen.append(best)
            gains[best] = -1
            for index in 0..<n { covered[index] = max(covered[index], kernel[best * n + index]) }
        }
        return chosen
    }

    /// Utility that a candidate would cover in addition to the utility covered already.
    private static func gain(of candidate: Int, kernel: [Float], covered: [Float], weights: [Float]) -> Float {
        let n = covered.count
        return kernel.withUnsafeBufferPointer { kernel in
            covered.withUnsafeBufferPointer { covered in
                weights.withUnsafeBufferPointer { weights in
                    // Eight sums side by side, in one fixed order.
                    var lanes = SIMD8<Float>(repeating: 0)
                    var index = 0
                    let row = candidate * n
                    guard let k = kernel.baseAddress, let c = covered.baseAddress, let w = weights.baseAddress else {
                        return 0
                    }
                    while index + 8 <= n {
                        let more = load(k + row + index) - load(c + index)
                        lanes += load(w + index) * more.replacing(with: 0, where: more .< 0)
                        index += 8
                    }
                    var sum = Distance.total(lanes)
                    while index < n {
                        let more = kernel[row + index] - covered[index]
                        if more > 0 { sum += weights[index] * more }
                        index += 1
                    }
                    return sum
                }
            }
        }
    }

    @inline(__always)
    private static func load(_ pointer: UnsafePointer<Float>) -> SIMD8<Float> {
        UnsafeRawPointer(pointer).loadUnaligned(as: SIMD8<Float>.self)
    }

    /// Squared distances of all pairs, one row for each point; only those to earlier points are filled in.
    private static func distances(_ points: PointMatrix) -> [Float] {
        let n = points.count
        var distances = [Float](repeating: 0, count: n * n)
        points.values.withUnsafeBufferPointer { values in
            guard let base = values.baseAddress else { return }
            for index in 0..<n {
                for other in 0..<index {
                    distances[index * n + other] = Distance.squared(
                        base + index * points.stride,
                        base + other * points.stride,
                        points.stride
                    )
                }
            }
        }
        return distances
    }

    /// The squared width of the kernel; 0 if the median distance is 0.
    private static func squaredWidth(_ knownDistances: [Float], _ distances: [Float], _ n: Int) -> Float {
        if let first = knownDistances.first, first.isFinite { return median(knownDistances) }
        var nearest = [Float](repeating: .infinity, count: n)
        for index in 0..<n {
            for other in 0..<index {
                let distance = distances[index * n + other]
                nearest[index] = min(nearest[index], distance)
                nearest[other] = min(nearest[other], distance)
            }
        }
        return 4 * median(nearest)
    }

    private static func median(_ values: [Float]) -> Float { values.sorted()[values.count / 2] }

    /// `exp(-x)` to the precision of a `Float`.
    private static func gaussian(_ x: Float) -> Float {
        x < 30 ? Float(Reproducible.exp(-Double(x))) : 0
    }
}
