import Statistics
import Testing

@Suite struct SequentialTests {
    @Test("The e-value equals its closed form for small counts")
    func closedForm() {
        // Σ C(n + 1, j) for j in 0...w, over (n + 1) C(n, w).
        for pairs in 0...40 {
            var below = 0.0
            var larger = 1.0
            var smaller = 1.0
            for wins in 0...pairs {
                below += larger
                let expected = below / (Double(pairs + 1) * smaller)
                let found = Reproducible.exp(pairedEProcess(wins: wins, losses: pairs - wins))
                #expect((found - expected).magnitude < 1e-12 * expected, "\(wins) of \(pairs)")
                larger *= Double(pairs + 1 - wins) / Double(wins + 1)
                smaller *= Double(pairs - wins) / Double(wins + 1)
            }
        }
    }

    @Test("The e-value is 1 before any pair, and its mean does not change under the null hypothesis")
    func martingale() {
        #expect(pairedEProcess(wins: 0, losses: 0).magnitude < 1e-15)
        for (wins, losses) in [(0, 0), (3, 1), (100, 90), (1_000, 1_100)] {
            let now = pairedEProcess(wins: wins, losses: losses)
            let up = Reproducible.exp(pairedEProcess(wins: wins + 1, losses: losses) - now)
            let down = Reproducible.exp(pairedEProcess(wins: wins, losses: losses + 1) - now)
            #expect((0.5 * up + 0.5 * down - 1).magnitude < 1e-10)
        }
    }

    @Test("For fractional differences the e-value is the mean of (1 + λ)^gain (1 − λ)^loss over λ")
    func differences() {
        for (gain, loss) in [(0.25, 0), (0, 0.5), (0.75, 0.125), (3.5, 1.25), (12.625, 10.5), (40.5, 7)] {
            // Simpson's rule; the bet is smooth.
            let steps = 20_000
            var sum = 0.0
            for step in 0...steps {
                let lambda = Double(step) / Double(steps)
                let weight = step == 0 || step == steps ? 1.0 : (step % 2 == 1 ? 4 : 2)
                sum +=
                    weight * Reproducible.pow(1 + lambda, gain) * (loss == 0 ? 1 : Reproducible.pow(1 - lambda, loss))
            }
            let expected = sum / Double(3 * steps)
            let found = Reproducible.exp(pairedEProcess(gain: gain, loss: loss))
            #expect((found - expected).magnitude < 1e-4 * expected, "\(gain) against \(loss)")
        }
    }

    @Test("Whole differences give exactly the value of the counts")
    func wholeDifferences() {
        for wins in 0...40 {
            for losses in 0...40 {
                // The formula from when pairs were counted, which existing journals depend on.
                let likelihood = Reproducible.logBinomialMass(wins, of: wins + losses, 0.5)
                let upper = Reproducible.logIncompleteBeta(0.5, Double(losses + 1), Double(wins + 1))
                let counted = 0x1.62e42fefa39efp-1 - Reproducible.log(Double(wins + losses + 1)) - likelihood + upper
                #expect(pairedEProcess(gain: Double(wins), loss: Double(losses)).bitPattern == counted.bitPattern)
                #expect(pairedEProcess(wins: wins, losses: losses).bitPattern == counted.bitPattern)
            }
        }
    }

    @Test("The e-value rarely exceeds 20 for differences of any size with mean 0")
    func validityOfDifferences() {
        var rejected = 0
        for seed in 0..<400 as Range<UInt64> {
            var generator = SplitMix64(seed: seed)
            var (gain, loss, highest) = (0.0, 0.0, 0.0)
            for _ in 0..<200 {
                // Many small gains and few large losses: gains are more frequent than losses, and the mean is 0.
                if generator.nextUnit() < 0.8 { gain += 0.25 } else { loss += 1 }
                highest = max(highest, pairedEProcess(gain: gain, loss: loss))
            }
            if highest >= Reproducible.log(20) { rejected += 1 }
        }
        #expect(rejected <= 20, "\(rejected) of 400")
    }

    @Test("Large counts neither overflow nor lose digits")
    func largeCounts() {
        let pairs = 100_000
        let allWon = pairedEProcess(wins: pairs, losses: 0)
        #expect((allWon - (100_001 * 0.6931471805599453 - Reproducible.log(100_001))).magnitude < 1e-6)
        #expect((pairedEProcess(wins: 0, losses: pairs) + Reproducible.log(100_001)).magnitude < 1e-6)
        #expect(pairedEProcess(wins: 500_000, losses: 500_000).isFinite)
    }

    @Test("The e-value rarely exceeds 20 if neither model is better")
    func validity() {
        var rejected = 0
        for seed in 0..<400 as Range<UInt64> {
            var generator = SplitMix64(seed: seed)
            var wins = 0
            var highest = 0.0
            for pairs in 1...200 {
                wins += generator.next(below: 2)
                highest = max(highest, pairedEProcess(wins: wins, losses: pairs - wins))
            }
            if highest >= Reproducible.log(20) { rejected += 1 }
        }
        #expect(rejected <= 20, "\(rejected) of 400")
    }

    @Test("McNemar's p-value is exact and symmetric")
    func mcNemar() {
        #expect(mcNemarPValue(wins: 0, losses: 0) == 1)
        #expect((mcNemarPValue(wins: 1, losses: 9) - 22.0 / 1024).magnitude < 1e-15)
        #expect(mcNemarPValue(wins: 9, losses: 1) == mcNemarPValue(wins: 1, losses: 9))
        #expect(mcNemarPValue(wins: 5, losses: 5) == 1)
    }

    @Test("CUSUM gives no alarm at the normal rate, and soon gives one at the alarm rate")
    func cusum() throws {
        let fresh = try #require(BernoulliCUSUM(normalRate: 0.05, alarmRate: 0.2, averageRunLength: 1_000))
        func runLength(rate: Double, seed: UInt64) -> Int {
            var detector = fresh
            var generator = SplitMix64(seed: seed)
            for step in 1...20_000 where detector.observe(generator.nextUnit() < rate) { return step }
            return 20_000
        }
        var normal = 0
        var alarming = 0
        for seed in 0..<100 as Range<UInt64> {
            normal += runLength(rate: 0.05, seed: seed)
            alarming += runLength(rate: 0.2, seed: seed)
        }
        #expect(normal / 100 > 1_000)
        #expect(alarming / 100 < 80)
    }

    @Test("CUSUM follows its recursion and refuses invalid rates")
    func cusumRecursion() throws {
        var detector = try #require(BernoulliCUSUM(normalRate: 0.1, alarmRate: 0.2, averageRunLength: 8))
        detector.observe(false)
        #expect(detector.statistic < 0)
        detector.observe(true)
        #expect((detector.statistic - 0.6931471805599453).magnitude < 1e-15)
        let alarms = [detector.observe(true), detector.observe(true)]
        #expect(alarms == [false, true])
        detector.reset()
        #expect(detector.statistic == 0)
        #expect(!detector.isAlarming)
        #expect(BernoulliCUSUM(normalRate: 0.2, alarmRate: 0.1, averageRunLength: 10) == nil)
        #expect(BernoulliCUSUM(normalRate: 0, alarmRate: 0.1, averageRunLength: 10) == nil)
        #expect(BernoulliCUSUM(normalRate: 0.1, alarmRate: 1, averageRunLength: 10) == nil)
        #expect(BernoulliCUSUM(normalRate: 0.1, alarmRate: 0.2, averageRunLength: 1) == nil)
    }
}
