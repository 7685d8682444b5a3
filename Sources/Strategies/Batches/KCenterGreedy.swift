internal import Statistics

/// Covers the space of embeddings: each next sample is the one farthest from all samples selected or queried before.
///
/// Utility decides only the first sample if nothing was queried, and ties; the order of the window decides nothing
/// else. An outlier is selected early, and on some data this strategy alone performs worse than random selection: it is
/// a component, not a default.
///
/// - SeeAlso: Sener, Savarese (2018), *Active Learning for Convolutional Neural Networks: A Core-Set Approach*,
///   arXiv:1708.00489, algorithm 1; Gonzalez (1985), *Clustering to minimize the maximum intercluster distance*.
/// - Complexity: O(*n* · (*count* + *m*) · *d*) for *m* samples known.
struct KCenterGreedy: BatchStrategy {
    func select(_ count: Int, from window: CandidateWindow, using generator: inout SplitMix64) -> [Int] {
        guard let points = window.points else { return Array(0..<count) }
        var distance = points.nearestSquaredDistances(to: window.known)
        var chosen: [Int] = []
        var isTaken = [Bool](repeating: false, count: window.count)
        while chosen.count < count {
            var farthest = -1
            for index in distance.indices where !isTaken[index] {
                if farthest < 0 || distance[index] > distance[farthest] { farthest = index }
            }
            isTaken[farthest] = true
            chosen.append(farthest)
            points.lower(&distance, to: farthest)
        }
        return chosen
    }
}
