/// Monitors two streams of yes/no events for a rise of one stream's rate above the other's by more than a tolerance.
///
/// Events arrive in blocks; the number of events of each stream in a block is fixed before the block. For each of three
/// differences to be detected there is an e-value: that of a block is its likelihood at the rates (*a*, *b*) over that
/// at the nearest rates that are tolerated, (*a°*, *a°* + δ), nearest by the Kullback–Leibler divergence of the block.
/// Rates (θₐ, θ_b) with θ_b ≤ θₐ + δ are a convex set, so no tolerated rates give the ratio a mean above 1, whatever
/// they are and however they change from block to block: a rise in both streams is no evidence. *a* is a guess from
/// earlier blocks, *b* = *a* + δ + (1 − *a* − δ)·{0.15, 0.35, 0.65}. Evidence is mixed over the block in which the
/// rates diverged, as in `RisingRate`, with the same bound: the probability that the mean of the three ever reaches 1/α
/// is at most α.
///
/// - SeeAlso: Turner, Ly, Grünwald (2024), *Generic E-variables for exact sequential k-sample tests that allow for
///   optional stopping*, doi:10.1016/j.jspi.2023.106116; Turner, Grünwald (2023), *Exact anytime-valid confidence
///   intervals for contingency tables and beyond*, doi:10.1016/j.spl.2023.109835, for convex null hypotheses.
public struct ComparedRates: Hashable, Sendable {
    /// Tolerated excess of the judged rate over the other, in `0...1`.
    public let tolerance: Double

    /// - Parameter tolerance: The tolerated excess; a value outside `0...1` is replaced by the nearest limit.
    public init(tolerance: Double) { self.tolerance = min(max(tolerance, 0), 1) }

    /// Events of one stream within a block.
    public struct Events: Hashable, Sendable {
        /// Number of events of the kind whose rate is watched.
        public let events: Int
        /// Number of all events; at least `events`.
        public let total: Int

        public init(_ events: Int, of total: Int) {
            self.events = events
            self.total = total
        }
    }

    /// Adds a block.
    ///
    /// - Parameters:
    ///   - judged: Events of the judged stream.
    ///   - other: Events of the other stream.
    ///   - otherRate: A guess of the other stream's rate, known before the block.
    ///   - number: The block's number, 1 for the first.
    ///   - weight: The exponent of the block's e-values, in `0...1`, known before the block. The mean of the resulting
    ///     values is no more than 1 (Jensen).
    ///   - evidence: The evidence so far; evidence of a rise from this block on is added to it.
    /// - Complexity: O(`judged.total` + `other.total`).
    public func observe(
        _ judged: Events,
        beside other: Events,
        otherRate: Double,
        number: Int,
        weight: Double = 1,
        into evidence: inout RisingRate.Evidence
    ) {
        let count = Double(max(1, number))
        let start = 1 / (count * (count + 1))
        func update(_ value: inout Double, _ rise: Double) {
            let ratio = ratio(of: judged, to: other, guess: otherRate, rise: rise)
            let factor = weight == 1 ? ratio : Reproducible.exp(weight * Reproducible.log(ratio))
            value = min((value + start) * factor, RisingRate.maximumEvidence)
        }
        update(&evidence.slight, RisingRate.rises.slight)
        update(&evidence.clear, RisingRate.rises.clear)
        update(&evidence.gross, RisingRate.rises.gross)
    }

    /// The likelihood ratio of one block.
    private func ratio(of judged: Events, to other: Events, guess: Double, rise: Double) -> Double {
        let otherRate = min(max(guess, RisingRate.rates.lowerBound), RisingRate.rates.upperBound)
        let tolerated = otherRate + tolerance
        // If the tolerated rate reaches the upper end of the range, no rise can be detected.
        guard tolerated < RisingRate.rates.upperBound else { return 1 }
        let rate = tolerated + (1 - tolerated) * rise
        let nearest = nearest(otherRate, rate, weights: (Double(other.total), Double(judged.total)))
        let tolerable = nearest + tolerance
        return Self.power(rate / tolerable, judged.events)
            * Self.power((1 - rate) / (1 - tolerable), judged.total - judged.events)
            * Self.power(otherRate / nearest, other.events)
            * Self.power((1 - otherRate) / (1 - nearest), other.total - other.events)
    }

    /// The other stream's rate *a* in the tolerated pair (*a*, *a* + δ) that is nearest to a given pair. It is the zero
    /// of the derivative of the divergence, which rises from below 0 at one end to above 0 at the other.
    private func nearest(_ other: Double, _ judged: Double, weights: (other: Double, judged: Double)) -> Double {
        var (low, high) = (other, judged - tolerance)
        for _ in 0..<48 {
            let middle = (low + high) / 2
            let tolerable = middle + tolerance
            let slope =
                weights.other * (middle - other) / (middle * (1 - middle))
                + weights.judged * (tolerable - judged) / (tolerable * (1 - tolerable))
            if slope < 0 { low = middle } else { high = middle }
        }
        return (low + high) / 2
    }

    private static func power(_ value: Double, _ exponent: Int) -> Double {
        var result = 1.0
        for _ in 0..<exponent { result *= value }
        return result
    }
}
