import Statistics
import Testing

@Suite("Two rates at the same time")
struct ComparedRatesTests {
    private func ratios(_ tolerance: Double, _ other: Double) -> [(isEvent: Bool, isOther: Bool, factor: [Double])] {
        let rates = ComparedRates(tolerance: tolerance)
        return [(true, true), (true, false), (false, true), (false, false)].map { isEvent, isOther in
            var evidence = RisingRate.Evidence(slight: 1, clear: 1, gross: 1)
            // So late that what begins with the block is nothing.
            rates.observe(isEvent, beside: isOther, otherRate: other, number: 1 << 30, into: &evidence)
            return (isEvent, isOther, [evidence.slight, evidence.clear, evidence.gross])
        }
    }

    @Test(
        "No tolerated pair of rates gives a block a mean above 1, whatever is guessed",
        arguments: [0, 0.05, 0.1, 0.3], [0, 0.02, 0.1, 0.3, 0.6, 0.95]
    )
    func mean(tolerance: Double, guess: Double) {
        let ratios = ratios(tolerance, guess)
        for step in 0...50 {
            for rise in stride(from: 0, through: tolerance, by: max(0.01, tolerance / 5)) {
                let other = Double(step) / 50
                let judged = min(1, other + rise)
                for index in 0..<3 {
                    let mean = ratios.reduce(0) { sum, ratio in
                        sum + (ratio.isEvent ? judged : 1 - judged) * (ratio.isOther ? other : 1 - other)
                            * ratio.factor[index]
                    }
                    #expect(mean <= 1 + 1e-9, "\(judged) beside \(other)")
                }
            }
        }
    }

    @Test("The mean is above 1 at the rates that are to be noticed")
    func power() {
        let ratios = ratios(0.1, 0.1)
        for (index, judged) in [0.2 + 0.8 * 0.15, 0.2 + 0.8 * 0.35, 0.2 + 0.8 * 0.65].enumerated() {
            let growth = ratios.reduce(0) { sum, ratio in
                sum + (ratio.isEvent ? judged : 1 - judged) * (ratio.isOther ? 0.1 : 0.9)
                    * Reproducible.log(ratio.factor[index])
            }
            #expect(growth > 0)
        }
    }

    @Test("Where all is tolerated there is no evidence")
    func nothing() {
        var evidence = RisingRate.Evidence()
        for number in 1...1_000 {
            ComparedRates(tolerance: 0.95).observe(true, beside: false, otherRate: 0.1, number: number, into: &evidence)
        }
        #expect(evidence.mean <= 1)
    }
}
