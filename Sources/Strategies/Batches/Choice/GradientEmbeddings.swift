internal import Statistics
internal import Vocabulary

/// BADGE: k-means++ over the gradients of the last layer that the likeliest label would cause, `(p - y) ⊗ x`. Long
/// gradients belong to uncertain samples, distant gradients to different samples.
///
/// The gradients are never stored: the inner product of two gradients is the product of the inner products of their
/// factors. Only the 32 likeliest classes of an output count. The first sample is the one with the longest gradient;
/// each next sample is drawn in proportion to the squared distance to the nearest selected sample, so the order of the
/// window matters through the random draws alone.
///
/// - SeeAlso: Ash, Zhang, Krishnamurthy, Langford, Agarwal (2020), *Deep Batch Active Learning by Diverse, Uncertain
///   Gradient Lower Bounds*, arXiv:1906.03671, algorithm 1.
/// - Complexity: O(*n* · *count* · (*d* + 64)).
struct GradientEmbeddings: BatchStrategy {
    /// Classes of an output that count.
    private static let entryLimit = 32

    /// Factor of a gradient that is derived from the output: classes in ascending order, and the error of each.
    private struct Residual {
        var labels: [Int] = []
        var values: [Double] = []
        var square = 0.0
    }

    func select(_ count: Int, from window: CandidateWindow, using generator: inout SplitMix64) -> [Int] {
        guard let points = window.points else { return Array(0..<count) }
        let residuals = window.outputs.map { Self.residual($0?.distribution) }
        var norms: [Double] = []
        for index in 0..<window.count { norms.append(residuals[index].square * Self.product(points, index, index)) }
        var isTaken = [Bool](repeating: false, count: window.count)
        var distance = [Double](repeating: .infinity, count: window.count)
        var chosen: [Int] = []
        var next = 0
        for index in norms.indices where norms[index] > norms[next] { next = index }
        while true {
            isTaken[next] = true
            chosen.append(next)
            guard chosen.count < count else { return chosen }
            for index in distance.indices where !isTaken[index] {
                let common = Self.product(residuals[index], residuals[next]) * Self.product(points, index, next)
                distance[index] = min(distance[index], max(0, norms[index] + norms[next] - 2 * common))
            }
            distance[next] = 0
            next = Self.draw(distance, isTaken, &generator)
        }
    }

    /// Draws an index in proportion to its weight; if all weights are 0, returns the first index that is not taken.
    private static func draw(_ weights: [Double], _ isTaken: [Bool], _ generator: inout SplitMix64) -> Int {
        var total = 0.0
        for index in weights.indices where !isTaken[index] { total += weights[index] }
        var left = generator.nextUnit() * total
        var last = -1
        for index in weights.indices where !isTaken[index] {
            if last < 0 { last = index }
            guard weights[index] > 0 else { continue }
            last = index
            left -= weights[index]
            if left <= 0 { break }
        }
        return last
    }

    /// `p - y`, where `y` is the likeliest class. All candidates without an output have the same residual, of length 1.
    private static func residual(_ output: ClassDistribution?) -> Residual {
        guard let output else { return Residual(labels: [0], values: [1], square: 1) }
        var residual = Residual()
        for entry in output.entries.prefix(entryLimit).sorted(by: { $0.label < $1.label }) {
            let value = entry.label == output.top.label ? entry.probability - 1 : entry.probability
            residual.labels.append(entry.label.rawValue)
            residual.values.append(value)
            residual.square += value * value
        }
        return residual
    }

    private static func product(_ a: Residual, _ b: Residual) -> Double {
        var sum = 0.0
        var (left, right) = (0, 0)
        while left < a.labels.count, right < b.labels.count {
            if a.labels[left] == b.labels[right] {
                sum += a.values[left] * b.values[right]
                left += 1
                right += 1
            } else if a.labels[left] < b.labels[right] {
                left += 1
            } else {
                right += 1
            }
        }
        return sum
    }

    private static func product(_ points: PointMatrix, _ a: Int, _ b: Int) -> Double {
        points.values.withUnsafeBufferPointer { values in
            guard let base = values.baseAddress else { return 0 }
            return Double(Distance.product(base + a * points.stride, base + b * points.stride, points.stride))
        }
    }
}
