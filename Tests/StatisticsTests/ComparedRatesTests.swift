import Statistics
import Testing

@Suite("Comparison of two rates at the same time")
struct ComparedRatesTests {
    /// Outcome of a block of observations, with the number of events of each rate, and the three factors of the
    /// evidence.
    private struct Outcome {
        let judged: ComparedRates.Events
        let other: ComparedRates.Events
        let factors: [Double]

        func probability(_ judgedRate: Double, _ otherRate: Double) -> Double {
            func binomial(_ events: ComparedRates.Events, _ rate: Double) -> Double {
                var mass = 1.0
                for event in 0..<events.events { mass = mass * Double(events.total - event) / Double(event + 1) }
                for _ in 0..<events.events { mass *= rate }
                for _ in 0..<events.total - events.events { mass *= 1 - rate }
                return mass
            }
            return binomial(judged, judgedRate) * binomial(other, otherRate)
        }
    }

    private func outcomes(_ tolerance: Double, _ guess: Double, _ size: (Int, Int)) -> [Outcome] {
        var outcomes: [Outcome] = []
        for judged in 0...size.0 {
            for other in 0...size.1 {
                var evidence = RisingRate.Evidence(slight: 1, clear: 1, gross: 1)
                let (judged, other) = (
                    ComparedRates.Events(judged, of: size.0), ComparedRates.Events(other, of: size.1)
                )
                // The number is so high that the weight of a rise at this block is negligible.
                ComparedRates(tolerance: tolerance)
                    .observe(judged, beside: other, otherRate: guess, number: 1 << 30, into: &evidence)
                outcomes.append(
                    Outcome(judged: judged, other: other, factors: [evidence.slight, evidence.clear, evidence.gross])
                )
            }
        }
        return outcomes
    }

    @Test(
        "For no tolerated pair of rates a block has a mean factor above 1, whatever the guess and the block sizes",
        arguments: [0, 0.05, 0.1, 0.3],
        [(1, 1), (8, 1), (1, 8), (3, 2)]
    )
    func mean(tolerance: Double, size: (Int, Int)) {
        for guess in [0, 0.02, 0.1, 0.3, 0.6, 0.95] {
            let outcomes = outcomes(tolerance, guess, size)
            for step in 0...20 {
                for rise in [0, tolerance / 2, tolerance] {
                    let other = Double(step) / 20
                    let judged = min(1, other + rise)
                    for index in 0..<3 {
                        let mean = outcomes.reduce(0) { $0 + $1.probability(judged, other) * $1.factors[index] }
                        #expect(mean <= 1 + 1e-9, "\(judged) beside \(other), guess \(guess)")
                    }
                }
            }
        }
    }

    @Test("Evidence grows at the rates that are to be detected, and faster with more voices about one of them")
    func power() {
        for (index, judged) in [0.2 + 0.8 * 0.15, 0.2 + 0.8 * 0.35, 0.2 + 0.8 * 0.65].enumerated() {
            let growths = [(1, 1), (8, 1)].map { size in
                outcomes(0.1, 0.1, size).reduce(0) {
                    $0 + $1.probability(judged, 0.1) * Reproducible.log($1.factors[index])
                }
            }
            #expect(growths[0] > 0 && growths[1] > growths[0])
        }
    }

    @Test("If every rate is tolerated there is no evidence")
    func nothing() {
        var evidence = RisingRate.Evidence()
        for number in 1...1_000 {
            ComparedRates(tolerance: 0.95)
                .observe(.init(1, of: 1), beside: .init(0, of: 1), otherRate: 0.1, number: number, into: &evidence)
        }
        #expect(evidence.mean <= 1)
    }
}
