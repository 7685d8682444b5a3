/// Monitors a stream of yes/no events for a rise of their rate above an acceptable rate, at an unknown time.
///
/// For each of three rates to be detected, *p* = *p₀* + (1 − *p₀*)·{0.15, 0.35, 0.65}, the evidence is 0 at first and
/// becomes (*M* + 1/(*n*(*n* + 1)))·*L* with the *n*-th event, *L* being the likelihood of that event at *p* over that
/// at *p₀*. So it is the likelihood ratio of "the rate rose to *p* with event *k*", weighted by 1/(*k*(*k* + 1)), over
/// all *k*. These weights sum to 1, and while the rate is at most *p₀* no *L* is more than 1 on average: each of the
/// three is less than a martingale that begins at 1, and so is their mean. By Ville's inequality the probability that
/// the mean ever reaches 1/α is at most α, however many events there are and however often the mean is evaluated.
///
/// An event of weight *w* in `0...1` is counted with *L* to the power of *w*, which is no more than 1 on average either
/// (Jensen).
///
/// - SeeAlso: Ville (1939), *Étude critique de la notion de collectif*; Shiryaev (1963), *On optimum methods in
///   quickest detection problems*, doi:10.1137/1108002; Shin, Ramdas, Rinaldo (2022), *E-detectors*, arXiv:2203.03532,
///   for mixtures over the time of the change.
public struct RisingRate: Hashable, Sendable {
    /// Evidence for each of the three rates: an e-value, at least 0.
    public struct Evidence: Hashable, Sendable {
        /// Evidence for the rate nearest to the acceptable one.
        public var slight: Double
        public var clear: Double
        public var gross: Double

        public init(slight: Double = 0, clear: Double = 0, gross: Double = 0) {
            self.slight = slight
            self.clear = clear
            self.gross = gross
        }

        /// Mean of the three: the e-value that decides.
        public var mean: Double { (slight + clear + gross) / 3 }
    }

    /// Rates to be detected, each as a fraction of the distance from the acceptable rate to 1.
    public static let rises = (slight: 0.15, clear: 0.35, gross: 0.65)
    /// Upper limit of the evidence. A value below an e-value is an e-value too, and no product of a value below the
    /// limit and the greatest ratio overflows.
    public static let maximumEvidence = 0x1p900

    /// The rate that is still acceptable, in `rates`.
    public let normalRate: Double
    /// Range of the acceptable rate: below it a single event would be proof, above it no rise would be possible.
    public static let rates = 0.001...0.999

    /// - Parameter normalRate: The rate that is still acceptable; a value outside `rates` is replaced by the nearest
    ///   limit.
    public init(normalRate: Double) {
        self.normalRate = min(max(normalRate, Self.rates.lowerBound), Self.rates.upperBound)
    }

    /// Adds an event.
    ///
    /// - Parameters:
    ///   - isEvent: Whether the outcome is an event of the kind whose rate is monitored.
    ///   - number: Its number, 1 for the first.
    ///   - weight: The weight of the event, in `0...1`.
    ///   - evidence: The evidence so far; evidence of a rise from this event on is added to it.
    /// - Complexity: O(1).
    public func observe(_ isEvent: Bool, number: Int, weight: Double = 1, into evidence: inout Evidence) {
        let count = Double(max(1, number))
        let start = 1 / (count * (count + 1))
        func update(_ value: inout Double, _ rise: Double) {
            // (1 − p) / (1 − p₀) is 1 − the rise.
            let ratio = isEvent ? (normalRate + (1 - normalRate) * rise) / normalRate : 1 - rise
            let factor = weight == 1 ? ratio : Reproducible.exp(weight * Reproducible.log(ratio))
            value = min((value + start) * factor, Self.maximumEvidence)
        }
        update(&evidence.slight, Self.rises.slight)
        update(&evidence.clear, Self.rises.clear)
        update(&evidence.gross, Self.rises.gross)
    }
}
