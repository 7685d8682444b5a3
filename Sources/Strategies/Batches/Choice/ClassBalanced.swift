internal import Statistics
internal import Vocabulary

/// The highest utilities, the same number of each class that the model predicts, as far as possible.
///
/// Each sample is selected from the class of which the batch contains fewest; of equals, from the class whose best
/// candidate has the highest utility. Candidates without an output are a class of their own. The order of the window
/// matters through ties alone.
///
/// - SeeAlso: Bengar, van de Weijer, Fuentes, Raducanu (2022), *Class-Balanced Active Learning for Image
///   Classification*, arXiv:2110.04543; here by predicted class, without its optimiser.
/// - Complexity: O(*n* + *count* · *classes*).
struct ClassBalanced: BatchStrategy {
    func select(_ count: Int, from window: CandidateWindow, using generator: inout SplitMix64) -> [Int] {
        // By class, indices in order of utility; classes in the order in which they first appear.
        var queues: [(label: Int, members: [Int], taken: Int)] = []
        var positions: [Int: Int] = [:]
        for (index, output) in window.outputs.enumerated() {
            let label = output?.distribution?.top.label.rawValue ?? -1
            if let position = positions[label] {
                queues[position].members.append(index)
            } else {
                positions[label] = queues.count
                queues.append((label, [index], 0))
            }
        }
        var chosen: [Int] = []
        while chosen.count < count {
            var best = -1
            for position in queues.indices where queues[position].taken < queues[position].members.count {
                guard best >= 0 else {
                    best = position
                    continue
                }
                let (a, b) = (queues[position], queues[best])
                if (a.taken, a.members[a.taken]) < (b.taken, b.members[b.taken]) { best = position }
            }
            chosen.append(queues[best].members[queues[best].taken])
            queues[best].taken += 1
        }
        return chosen
    }
}
