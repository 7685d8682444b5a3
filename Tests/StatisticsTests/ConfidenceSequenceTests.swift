import Statistics
import Testing

@Suite struct ConfidenceSequenceTests {
    @Test("The limits of a proportion are where the mixture of likelihood ratios reaches the bound")
    func closedForm() {
        for (successes, trials) in [(0, 1), (3, 3), (7, 10), (90, 100), (0, 400), (612, 1_000)] {
            let interval = ConfidenceSequence.proportion(successes, of: trials)
            for edge in [interval.lower, interval.upper] where edge > 0 && edge < 1 {
                // Simpson's rule over θ of the likelihood ratio.
                let steps = 4_000
                var sum = 0.0
                for step in 0...steps {
                    let theta = Double(step) / Double(steps)
                    let weight = step == 0 || step == steps ? 1.0 : (step % 2 == 1 ? 4 : 2)
                    let ratio =
                        Reproducible.logBinomialMass(successes, of: trials, theta)
                        - Reproducible.logBinomialMass(successes, of: trials, edge)
                    sum += weight * Reproducible.exp(ratio)
                }
                let mixture = sum / Double(3 * steps)
                #expect((mixture - 20).magnitude < 1e-3 * 20, "\(successes) of \(trials): \(mixture)")
            }
        }
        #expect(ConfidenceSequence.proportion(0, of: 0) == Interval(0, 1))
        #expect(ConfidenceSequence.proportion(0, of: 9).lower == 0)
        #expect(ConfidenceSequence.proportion(9, of: 9).upper == 1)
    }

    @Test(
        "Limits contain the observed mean, and those of a higher level contain those of a lower one",
        arguments: 0..<12 as Range<UInt64>
    )
    func nesting(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        let numbers = (0..<(1 + generator.next(below: 200))).map { _ in Double(generator.next(below: 5)) / 4 }
        let mean = Statistics.mean(numbers)
        let (wide, narrow) = (
            ConfidenceSequence.mean(numbers, level: 0.99), ConfidenceSequence.mean(numbers, level: 0.8)
        )
        #expect(narrow.contains(mean) && wide.lower <= narrow.lower && narrow.upper <= wide.upper)
        #expect(wide.lower >= 0 && wide.upper <= 1)
        let mirrored = ConfidenceSequence.mean(numbers.map { 1 - $0 }, level: 0.8)
        #expect((mirrored.lower - (1 - narrow.upper)).magnitude < 1e-9)
        #expect(ConfidenceSequence.mean(numbers.reversed(), level: 0.8) == narrow)
        let doubled = ConfidenceSequence.mean(numbers + numbers + numbers + numbers, level: 0.8)
        #expect(doubled.width < narrow.width)
    }

    @Test("Without observations the interval is the whole range")
    func nothing() {
        #expect(ConfidenceSequence.mean([]) == Interval(0, 1))
        #expect(ConfidenceSequence.meanDifference([]) == Interval(-1, 1))
        #expect(ConfidenceSequence.mean(of: []) == Interval(0, 0))
        let strata = [
            ConfidenceSequence.Stratum(share: 0.75, numbers: [1, 1, 1, 0, 1]), .init(share: 0.25, numbers: []),
        ]
        #expect(ConfidenceSequence.mean(of: strata).upper > 0.25)
        #expect(ConfidenceSequence.share(of: [.init(share: 1, numbers: [])]) == Interval(0, 1))
    }

    /// Number of runs, of 200, in which an interval excludes the truth at any time.
    private func failures(_ limits: (inout SplitMix64) -> [(truth: Double, interval: Interval)]) -> Int {
        (0..<200 as Range<UInt64>).count { seed in
            var generator = SplitMix64(seed: seed)
            return limits(&generator).contains { !$0.interval.contains($0.truth) }
        }
    }

    @Test("Checked after every label, the interval of a proportion excludes it in at most one run in twenty")
    func coverageOfProportions() {
        for truth in [0.02, 0.5, 0.9] {
            let failed = failures { generator in
                var successes = 0
                return (1...200).map { trials in
                    if generator.nextUnit() < truth { successes += 1 }
                    return (truth, ConfidenceSequence.proportion(successes, of: trials))
                }
            }
            #expect(failed <= 10, "\(failed) of 200 at \(truth)")
        }
    }

    @Test("Checked repeatedly, the interval of a mean difference excludes it in at most one run in twenty")
    func coverageOfDifferences() {
        // Small gains, large losses: the mean is −0.02.
        let failed = failures { generator in
            var differences: [Double] = []
            var seen: [(truth: Double, interval: Interval)] = []
            for _ in 0..<240 {
                let unit = generator.nextUnit()
                differences.append(unit < 0.16 ? 0.5 : unit < 0.26 ? -1 : 0)
                if differences.count % 60 == 0 {
                    seen.append((-0.02, ConfidenceSequence.meanDifference(differences)))
                }
            }
            return seen
        }
        #expect(failed <= 10, "\(failed) of 200")
    }

    @Test("The interval of precision in two unevenly queried strata excludes it in at most one run in twenty")
    func coverageOfShares() {
        // The models disagree on a tenth of all candidates, from which most labels are queried.
        let truth = (0.9 * 0.3 * 0.9 + 0.1 * 0.5 * 0.4) / (0.9 * 0.3 + 0.1 * 0.5)
        var widths = 0.0
        let failed = failures { generator in
            var numbers: [[Double]] = [[], []]
            return (1...240).compactMap { label in
                let stratum = generator.nextUnit() < 0.7 ? 1 : 0
                let isPredicted = generator.nextUnit() < (stratum == 1 ? 0.5 : 0.3)
                let isRight = generator.nextUnit() < (stratum == 1 ? 0.4 : 0.9)
                numbers[stratum].append(isPredicted ? (isRight ? 1 : 0) : 2)
                guard label % 20 == 0 else { return nil }
                let found = ConfidenceSequence.share(of: [
                    .init(share: 0.9, numbers: numbers[0]), .init(share: 0.1, numbers: numbers[1]),
                ])
                if label == 240 { widths += found.width }
                return (truth, found)
            }
        }
        #expect(failed <= 10, "\(failed) of 200")
        // The intervals must not be trivially wide.
        #expect(widths / 200 < 0.6, "\(widths / 200)")
    }

    @Test("If two models agree in a stratum the difference there is known, and does not widen the interval")
    func settled() {
        let disagreeing = (0..<40).map { $0 % 4 == 0 ? -1.0 : 1.0 }
        let agreeing = Array(repeating: 0.0, count: 10)
        func interval(_ isSettled: Bool) -> Interval {
            ConfidenceSequence.mean(
                of: [
                    .init(share: 0.9, numbers: agreeing, isSettled: isSettled),
                    .init(share: 0.1, numbers: disagreeing),
                ],
                in: -1...1
            )
        }
        #expect(interval(true).lower > 0 && interval(true).width < 0.1)
        #expect(interval(false).width > interval(true).width)
    }
}
