internal import Statistics

/// Draws a batch without replacement, in proportion to a power of the utility, or to its exponential.
///
/// The samples with the highest utilities are often all similar; samples drawn at random are not, at no cost and
/// without embeddings. The implementation adds Gumbel noise to the logarithm of the weight, and selects the highest
/// sums. The noise of the samples is drawn in the order of the window, which is the order of utility and id, not of
/// arrival.
///
/// - SeeAlso: Kirsch, Farquhar, Atighehchian, Jesson, Branchaud-Charron, Gal (2023), *Stochastic Batch Acquisition: A
///   Simple Baseline for Deep Active Learning*, arXiv:2106.12059, table 1 (power and softmax).
/// - Complexity: O(*n* log *n*).
struct StochasticSampling: BatchStrategy {
    /// Whether a weight is `utility ^ sharpness`, else `exp(sharpness · utility)`.
    let isPower: Bool
    /// Exponent of the utility, or its factor in the exponential; above 0.
    let sharpness: Double

    func select(_ count: Int, from window: CandidateWindow, using generator: inout SplitMix64) -> [Int] {
        var keys: [(key: Double, index: Int)] = []
        for (index, utility) in window.utilities.enumerated() {
            let noise = -Reproducible.log(-Reproducible.log(0.5 * 0x1p-53 + generator.nextUnit()))
            // Weighted by its power, a utility of 0 is never drawn while another candidate remains.
            let weight = isPower ? Reproducible.log(utility) : utility
            keys.append((sharpness * weight + noise, index))
        }
        keys.sort { $0.key != $1.key ? $0.key > $1.key : $0.index < $1.index }
        return keys.prefix(count).map(\.index)
    }
}
