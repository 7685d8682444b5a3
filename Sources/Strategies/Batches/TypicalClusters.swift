internal import Statistics

/// TypiClust: as many clusters as there are samples known and wanted, and from each of the largest clusters without
/// queried samples the most typical sample, the one with the nearest neighbours.
///
/// Queries samples that are typical of most of the data, from which a first model learns most; a later model learns
/// little from them. Utility does not count.
///
/// - SeeAlso: Hacohen, Dekel, Weinshall (2022), *Active Learning on a Budget: Opposite Strategies Suit High and Low
///   Budgets*, arXiv:2202.02794, algorithm 1.
/// - Complexity: O((*n* + *m*) · *clusters* · *d* + *n*² · *d*) for *m* samples known.
struct TypicalClusters: BatchStrategy {
    /// Clusters smaller than this are selected last, as in the paper.
    private static let smallest = 5
    /// Number of nearest neighbours whose distances determine typicality.
    private static let neighbours = 20
    private static let clusterLimit = 500

    func select(_ count: Int, from window: CandidateWindow, using generator: inout SplitMix64) -> [Int] {
        guard let points = window.points else { return Array(0..<count) }
        let known = window.known.map { $0.stride == points.stride ? $0.count : 0 } ?? 0
        let wanted = min(known + count, Self.clusterLimit, max(count, window.count / Self.smallest))
        let weights = [Double](repeating: 1, count: window.count)
        let clusters = Clusters(wanted, of: points, weights: weights, rounds: 20, using: &generator)
        var members = [[Int]](repeating: [], count: wanted)
        for index in 0..<window.count { members[clusters.nearest[index]].append(index) }
        // Clusters with the fewest queried samples are first, then the largest; a sample selected from a cluster counts
        // as queried.
        var queriedCounts = [Int](repeating: 0, count: wanted)
        if let known = window.known, known.stride == points.stride {
            for cluster in clusters.nearestCentre(of: known) { queriedCounts[cluster] += 1 }
        }
        var chosen: [Int] = []
        while chosen.count < count {
            var best = -1
            for cluster in 0..<wanted where !members[cluster].isEmpty {
                if best < 0 || Self.precedes(cluster, best, queriedCounts: queriedCounts, members: members) {
                    best = cluster
                }
            }
            let index = Self.mostTypical(members[best], points)
            chosen.append(members[best].remove(at: index))
            queriedCounts[best] += 1
        }
        return chosen
    }

    private static func precedes(_ a: Int, _ b: Int, queriedCounts: [Int], members: [[Int]]) -> Bool {
        let small = (members[a].count < smallest, members[b].count < smallest)
        if small.0 != small.1 { return small.1 }
        if queriedCounts[a] != queriedCounts[b] { return queriedCounts[a] < queriedCounts[b] }
        return members[a].count > members[b].count
    }

    /// The index of the member whose nearest neighbours among the members are nearest, the first of equals.
    private static func mostTypical(_ members: [Int], _ points: PointMatrix) -> Int {
        var best = 0
        var least = Double.infinity
        for (index, member) in members.enumerated() {
            var distances: [Double] = []
            for other in members where other != member {
                distances.append(Double(points.squaredDistance(member, other)).squareRoot())
            }
            distances.sort()
            var sum = 0.0
            let nearest = distances.prefix(neighbours)
            for distance in nearest { sum += distance }
            let mean = nearest.isEmpty ? 0 : sum / Double(nearest.count)
            if mean < least {
                least = mean
                best = index
            }
        }
        return best
    }
}
