import Statistics
import Testing

@Suite("A rising rate, and limits and quantiles of probabilities")
struct RisingRateTests {
    /// The mean evidence over all runs of `events` events at `rate`, weighted by their probability, and the probability
    /// that the evidence ever reaches `threshold`.
    private static func expectation(
        events: Int,
        normal: Double,
        rate: Double,
        weight: Double = 1,
        reaching threshold: Double = .infinity
    ) -> (mean: Double, reached: Double) {
        let process = RisingRate(normalRate: normal)
        var (mean, reached) = (0.0, 0.0)
        for run in 0..<1 << events {
            var evidence = RisingRate.Evidence()
            var (chance, isReached) = (1.0, false)
            for number in 1...events {
                let isEvent = run >> (number - 1) & 1 == 1
                chance *= isEvent ? rate : 1 - rate
                process.observe(isEvent, number: number, weight: weight, into: &evidence)
                if evidence.mean >= threshold { isReached = true }
            }
            mean += chance * evidence.mean
            if isReached { reached += chance }
        }
        return (mean, reached)
    }

    @Test(
        "At the tolerated rate the mean evidence is the sum of the weights of the times so far, and below 1",
        arguments: [0.05, 0.2, 0.6]
    )
    func martingale(rate: Double) {
        for events in [1, 5, 12] {
            let mean = Self.expectation(events: events, normal: rate, rate: rate).mean
            #expect(abs(mean - Double(events) / Double(events + 1)) < 1e-12)
            #expect(Self.expectation(events: events, normal: rate, rate: rate * 0.8).mean < mean)
            #expect(Self.expectation(events: events, normal: rate, rate: min(1, rate * 1.5)).mean > mean)
            #expect(Self.expectation(events: events, normal: rate, rate: rate, weight: 0.4).mean < mean)
        }
    }

    @Test(
        "Evidence reaches 1/α with a probability of at most α, and the bound is not too loose",
        arguments: [0.2, 0.1]
    )
    func ville(alpha: Double) {
        let found = Self.expectation(events: 14, normal: 0.3, rate: 0.3, reaching: 1 / alpha).reached
        #expect(found <= alpha && found > alpha / 20, "\(found)")
    }

    @Test("A weight is an exponent: 1 counts an event in full, and 0 not at all")
    func weights() {
        let process = RisingRate(normalRate: 0.2)
        func evidence(_ weight: Double) -> RisingRate.Evidence {
            var evidence = RisingRate.Evidence(slight: 1, clear: 1, gross: 1)
            process.observe(true, number: 1_000_000, weight: weight, into: &evidence)
            return evidence
        }
        #expect(abs(evidence(1).gross - 0.72 / 0.2) < 1e-9)
        #expect(abs(evidence(0.5).gross - (0.72 / 0.2).squareRoot()) < 1e-9)
        #expect(abs(evidence(0).gross - 1) < 1e-9)
    }

    @Test("No number overflows in an endless run, and evidence that has declined grows again")
    func bounds() {
        for rate in [0.0, 0.001, 0.5, 1] {
            let process = RisingRate(normalRate: rate)
            var evidence = RisingRate.Evidence()
            for number in 1...3_000 { process.observe(true, number: number, into: &evidence) }
            #expect(evidence.mean.isFinite && evidence.gross <= RisingRate.maximumEvidence)
            #expect(rate > 0.5 || evidence.mean > 1e100)
            for number in 3_001...20_000 { process.observe(false, number: number, into: &evidence) }
            #expect(evidence.mean >= 0 && evidence.gross > 0 && evidence.gross < 1e-6)
        }
    }

    @Test("Limits are SciPy's beta.ppf(.995, x + 1, n − x) and beta.ppf(.005, x, n − x + 1)")
    func limits() {
        let vectors: [(x: Double, n: Double, upper: Double, lower: Double)] = [
            (10, 100, 0.20195352078134415, 0.038195653205081545), (0, 10, 0.4112959813475253, 0),
            (5, 50, 0.25804972881640875, 0.022217814807550425), (3, 4, 0.9987476493904754, 0.11088498546781028),
            (1_200, 6_000, 0.2136215587546748, 0.1868580424997082),
        ]
        for vector in vectors {
            #expect(abs(BinomialLimits.upper(vector.x, of: vector.n, level: 0.995) - vector.upper) < 1e-10)
            #expect(abs(BinomialLimits.lower(vector.x, of: vector.n, level: 0.995) - vector.lower) < 1e-10)
        }
        #expect(BinomialLimits.upper(0, of: 0, level: 0.995) == 1)
        #expect(BinomialLimits.upper(4, of: 4, level: 0.995) == 1)
        #expect(BinomialLimits.lower(0, of: 0, level: 0.995) == 0)
    }

    @Test("Quantiles are SciPy's binom.ppf")
    func quantiles() {
        let vectors: [(share: Double, trials: Int, p: Double, quantile: Int)] = [
            (0.01, 20, 0.86, 13), (0.01, 20, 0.5, 5), (0.0025, 20, 0.9, 14), (0.01, 40, 0.95, 34), (0.01, 20, 0, 0),
            (0.01, 20, 1, 20),
        ]
        for vector in vectors {
            #expect(BinomialLimits.quantile(vector.share, of: vector.trials, vector.p) == vector.quantile, "\(vector)")
        }
    }
}
