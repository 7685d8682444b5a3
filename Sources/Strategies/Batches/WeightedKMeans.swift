internal import Statistics

/// Spreads a batch over the space of embeddings: weighted k-means, then the sample nearest to each centre.
///
/// Depends on the order of the window only through ties and the draws of the first centres.
///
/// - SeeAlso: Zhdanov (2019), *Diverse mini-batch Active Learning*, arXiv:1901.05954, algorithm 1; Arthur, Vassilvitskii
///   (2007), *k-means++: The Advantages of Careful Seeding*, for the first centres.
/// - Complexity: O(*n* · *count* · *d*) for each of at most 20 rounds.
struct WeightedKMeans: BatchStrategy {
    private static let rounds = 20

    func select(_ count: Int, from window: CandidateWindow, using generator: inout SplitMix64) -> [Int] {
        guard let points = window.points else { return Array(0..<count) }
        let clusters = Clusters(count, of: points, weights: window.utilities, rounds: Self.rounds, using: &generator)
        return clusters.representatives(of: points)
    }
}

/// Clusters of points: their centres, and the nearest centre of each point.
struct Clusters {
    /// `count` rows of the points' stride.
    private(set) var centres: [Float]
    /// The nearest centre of each point, the first of equals.
    private(set) var nearest: [Int]
    let count: Int
    private let stride: Int

    /// Lloyd's algorithm, starting from weighted k-means++.
    ///
    /// - Parameters:
    ///   - count: Clusters, above 0 and not above the points.
    ///   - points: Points to cluster.
    ///   - weights: One for each point, not negative; a centre whose points all have no weight keeps its position.
    ///   - rounds: Maximum number of rounds.
    ///   - generator: Generator for the first centres.
    init(
        _ count: Int,
        of points: PointMatrix,
        weights: [Double],
        rounds: Int,
        using generator: inout SplitMix64
    ) {
        self.count = count
        stride = points.stride
        centres = []
        nearest = [Int](repeating: -1, count: points.count)
        seed(points, weights, &generator)
        for _ in 0..<rounds {
            guard assign(points) else { break }
            recentre(points, weights)
        }
    }

    /// Draws each next centre in proportion to weight × squared distance to the nearest centre so far.
    private mutating func seed(_ points: PointMatrix, _ weights: [Double], _ generator: inout SplitMix64) {
        var distance = [Float](repeating: 1, count: points.count)
        for chosen in 0..<count {
            var total = 0.0
            for index in distance.indices { total += weights[index] * Double(distance[index]) }
            // If all points coincide or have weight 0, any point will do.
            var next = chosen
            if total > 0 {
                var left = generator.nextUnit() * total
                for index in distance.indices {
                    let mass = weights[index] * Double(distance[index])
                    left -= mass
                    if left <= 0, mass > 0 {
                        next = index
                        break
                    }
                }
            }
            centres += points.values[next * stride..<(next + 1) * stride]
            if chosen == 0 { distance = [Float](repeating: .infinity, count: points.count) }
            points.lower(&distance, to: next)
        }
    }

    /// Whether any point has another centre than before.
    private mutating func assign(_ points: PointMatrix) -> Bool {
        let found = nearestCentre(of: points)
        defer { nearest = found }
        return found != nearest
    }

    /// The nearest centre of each point, the first of equals.
    ///
    /// - Parameter points: Points of the same stride as the centres; with another, all belong to the first cluster.
    /// - Returns: The index of a cluster for each point.
    func nearestCentre(of points: PointMatrix) -> [Int] {
        var found = [Int](repeating: 0, count: points.count)
        guard points.stride == stride else { return found }
        points.values.withUnsafeBufferPointer { rows in
            centres.withUnsafeBufferPointer { centres in
                guard let rows = rows.baseAddress, let centres = centres.baseAddress else { return }
                for index in 0..<points.count {
                    var least = Float.infinity
                    for cluster in 0..<count {
                        let distance = Distance.squared(rows + index * stride, centres + cluster * stride, stride)
                        if distance < least {
                            least = distance
                            found[index] = cluster
                        }
                    }
                }
            }
        }
        return found
    }

    private mutating func recentre(_ points: PointMatrix, _ weights: [Double]) {
        var sums = [Double](repeating: 0, count: count * stride)
        var masses = [Double](repeating: 0, count: count)
        for index in 0..<points.count {
            let (cluster, weight) = (nearest[index], weights[index])
            masses[cluster] += weight
            for axis in 0..<points.dimension {
                sums[cluster * stride + axis] += weight * Double(points.values[index * stride + axis])
            }
        }
        for cluster in 0..<count where masses[cluster] > 0 {
            for axis in 0..<points.dimension {
                centres[cluster * stride + axis] = Float(sums[cluster * stride + axis] / masses[cluster])
            }
        }
    }

    /// The nearest point to each centre that was not selected for an earlier centre.
    ///
    /// - Returns: `count` distinct points, in ascending order of cluster.
    func representatives(of points: PointMatrix) -> [Int] {
        var isTaken = [Bool](repeating: false, count: points.count)
        var chosen: [Int] = []
        points.values.withUnsafeBufferPointer { rows in
            centres.withUnsafeBufferPointer { centres in
                guard let rows = rows.baseAddress, let centres = centres.baseAddress else { return }
                for cluster in 0..<count {
                    var best = -1
                    var least = Float.infinity
                    for index in 0..<points.count where !isTaken[index] {
                        let distance = Distance.squared(rows + index * stride, centres + cluster * stride, stride)
                        if distance < least || best < 0 {
                            least = distance
                            best = index
                        }
                    }
                    guard best >= 0 else { return }
                    isTaken[best] = true
                    chosen.append(best)
                }
            }
        }
        return chosen
    }
}
