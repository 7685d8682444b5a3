internal import Statistics

/// Spreads a batch over the space of embeddings: weighted k-means, then the sample nearest to each centre.
///
/// - SeeAlso: Zhdanov (2019), *Diverse mini-batch Active Learning*, arXiv:1901.05954, algorithm 1.
enum DiverseBatch {
    /// Chooses points far apart, each the nearest to the centre of its cluster.
    ///
    /// - Parameters:
    ///   - count: Points wanted; none if not positive.
    ///   - points: `n` rows of equal length.
    ///   - weights: `n` weights, not negative.
    ///   - seed: Decides the first centres only.
    /// - Returns: Indices into `points` of at most `count` distinct points, in ascending order of cluster.
    /// - Complexity: O(*n* · *count* · *d*) for each of at most 20 rounds.
    static func select(_ count: Int, from points: [[Float]], weights: [Double], seed: UInt64) -> [Int] {
        guard count > 0, !points.isEmpty else { return [] }
        guard points.count > count else { return Array(points.indices) }
        var generator = SplitMix64(seed: seed)
        var centres = firstCentres(count, points, weights, &generator)
        var nearest = [Int](repeating: -1, count: points.count)
        for _ in 0..<20 {
            var isSettled = true
            for index in points.indices {
                let cluster = closest(points[index], centres)
                if cluster != nearest[index] {
                    nearest[index] = cluster
                    isSettled = false
                }
            }
            if isSettled { break }
            recentre(&centres, points, weights, nearest)
        }
        return representatives(points, centres)
    }

    /// k-means++ with weights (Arthur, Vassilvitskii 2007): each next centre is drawn by weight × squared distance.
    private static func firstCentres(
        _ count: Int,
        _ points: [[Float]],
        _ weights: [Double],
        _ generator: inout SplitMix64
    ) -> [[Double]] {
        var distance = [Double](repeating: 1, count: points.count)
        var centres: [[Double]] = []
        while centres.count < count {
            var total = 0.0
            for index in points.indices { total += weights[index] * distance[index] }
            var chosen = centres.count
            if total > 0 {
                var left = generator.nextUnit() * total
                for index in points.indices {
                    left -= weights[index] * distance[index]
                    if left <= 0, weights[index] * distance[index] > 0 {
                        chosen = index
                        break
                    }
                }
            }
            let centre = points[chosen].map { Double($0) }
            for index in points.indices {
                let d = squaredDistance(points[index], centre)
                if centres.isEmpty || d < distance[index] { distance[index] = d }
            }
            centres.append(centre)
        }
        return centres
    }

    private static func closest(_ point: [Float], _ centres: [[Double]]) -> Int {
        var best = 0
        var least = Double.infinity
        for (cluster, centre) in centres.enumerated() {
            let d = squaredDistance(point, centre)
            if d < least {
                least = d
                best = cluster
            }
        }
        return best
    }

    private static func recentre(
        _ centres: inout [[Double]],
        _ points: [[Float]],
        _ weights: [Double],
        _ nearest: [Int]
    ) {
        for cluster in centres.indices {
            var sum = [Double](repeating: 0, count: centres[cluster].count)
            var mass = 0.0
            for index in points.indices where nearest[index] == cluster {
                mass += weights[index]
                for axis in sum.indices { sum[axis] += weights[index] * Double(points[index][axis]) }
            }
            guard mass > 0 else { continue }
            for axis in sum.indices { centres[cluster][axis] = sum[axis] / mass }
        }
    }

    /// The nearest point to each centre that no earlier centre took.
    private static func representatives(_ points: [[Float]], _ centres: [[Double]]) -> [Int] {
        var taken = [Bool](repeating: false, count: points.count)
        var chosen: [Int] = []
        for centre in centres {
            var best = -1
            var least = Double.infinity
            for index in points.indices where !taken[index] {
                let d = squaredDistance(points[index], centre)
                if d < least {
                    least = d
                    best = index
                }
            }
            guard best >= 0 else { break }
            taken[best] = true
            chosen.append(best)
        }
        return chosen
    }

    private static func squaredDistance(_ point: [Float], _ centre: [Double]) -> Double {
        var sum = 0.0
        for axis in point.indices {
            let difference = Double(point[axis]) - centre[axis]
            sum += difference * difference
        }
        return sum
    }
}
