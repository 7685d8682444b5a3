import CBoostMath
import Statistics
import Testing

@Suite struct ComparisonTests {
    @Test("Exchanging the models changes signs, and no p-value")
    func symmetry() throws {
        for (wins, losses) in [(0, 0), (4, 1), (9, 9), (40, 31)] {
            let (there, back) = (McNemar(wins: wins, losses: losses), McNemar(wins: losses, losses: wins))
            #expect(there.exact == back.exact && there.midP == back.midP && there.corrected == back.corrected)
            #expect(there.midP <= there.exact)
        }
        var generator = SplitMix64(seed: 5)
        for size in [3, 12, 20, 33] {
            let first = (0..<size).map { _ in generator.nextNormal() }
            let second = (0..<(size + 2)).map { _ in generator.nextNormal() + 0.3 }
            let (there, back) = (try #require(Welch(first, second)), try #require(Welch(second, first)))
            #expect(there.pValue == back.pValue && there.difference == -back.difference)
            let (u, v) = (try #require(MannWhitney(first, second)), try #require(MannWhitney(second, first)))
            #expect(u.pValue == v.pValue && u.statistic + v.statistic == Double(size * (size + 2)))
            #expect((u.cliffsDelta + v.cliffsDelta).magnitude < 1e-15)
            let differences = zip(first, second).map { $0 - $1 }
            let (p, q) = (PairedPermutation(differences), PairedPermutation(differences.map { -$0 }))
            #expect(size > PairedPermutation.exactLimit || p.less == q.greater && p.pValue == q.pValue)
        }
    }

    @Test("Boost's incomplete beta gives the same tails of Student's distribution", arguments: 0..<4 as Range<UInt64>)
    func student(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        var worst = LargestError()
        for _ in 0..<2_000 {
            let degrees = generator.nextLogarithmic(in: 0.5...1e4)
            let t = generator.nextLogarithmic(in: 1e-6...50)
            // Uses the argument that loses no digits.
            let square = t * t
            let reference =
                square < degrees
                ? flywheel_reference_ibetac(square / (degrees + square), 0.5, degrees / 2)
                : flywheel_reference_ibeta(degrees / (degrees + square), degrees / 2, 0.5)
            guard reference.high > 1e-290, t > 1e-3 else { continue }
            worst.add(relativeError(Reproducible.studentTails(t, degrees: degrees), reference), "\(t), \(degrees)")
            let p = 1 - 0.5 * Reproducible.studentTails(t, degrees: degrees)
            guard p < 1 - 1e-6, p > 0.51 else { continue }
            let back = Reproducible.studentQuantile(p, degrees: degrees)
            #expect((back - t).magnitude < 1e-8 * t, "\(t), \(degrees)")
        }
        #expect(worst.error < 1e-11, "at \(worst.location)")
        #expect(Reproducible.studentTails(0, degrees: 3) == 1)
        #expect(Reproducible.studentTails(.infinity, degrees: 3) == 0)
        #expect(Reproducible.studentTails(1, degrees: 0).isNaN)
        #expect(Reproducible.studentQuantile(0, degrees: 3) == -.infinity)
    }

    @Test("Right and wrong answers for many items are tested exactly, and zeros change nothing")
    func permutationOfSigns() {
        let differences = Array(repeating: 1.0, count: 31) + Array(repeating: -1.0, count: 9)
        let test = PairedPermutation(differences)
        #expect(test.isExact)
        #expect((test.pValue - McNemar(wins: 31, losses: 9).exact).magnitude < 1e-15)
        #expect(PairedPermutation(differences + Array(repeating: 0, count: 500)) == test)
        #expect(PairedPermutation([]).pValue == 1)
        #expect(PairedPermutation([0, 0]).pValue == 1)
    }

    @Test("Sums that differ only by rounding are ties")
    func ties() {
        // In binary, 0.1 + 0.2 − 0.3 is not 0.
        let test = PairedPermutation([0.1, 0.2, -0.3])
        #expect(test.less == 5.0 / 8 && test.greater == 5.0 / 8 && test.pValue == 1)
        // Differences whose sums must compare equal in any order.
        let (there, back) = ([0.169, 0.083, 0.175, -0.067, 0.166, -0.212, 0.114, -0.011], [3, 1, 0, 2, 7, 6, 5, 4])
        #expect(PairedPermutation(there) == PairedPermutation(back.map { there[$0] }))
    }

    @Test("Sampled permutations approximate the exact ones")
    func drawnPermutations() {
        var generator = SplitMix64(seed: 3)
        let small = (0..<20).map { _ in (generator.nextNormal() + 0.4) / 10 }
        let exact = PairedPermutation(small)
        // Tiny differences beyond the limit of the exact test change the result little.
        let drawn = PairedPermutation(small + [1e-9, -2e-9], resamples: 20_000)
        #expect(exact.isExact && !drawn.isExact)
        let error = (exact.pValue * (1 - exact.pValue) / 20_000).squareRoot()
        #expect((exact.pValue - drawn.pValue).magnitude < 5 * error + 1e-4)
        #expect(PairedPermutation(small + [1e-9, -2e-9], resamples: 20_000) == drawn)
    }

    @Test("A permutation test of equal models rejects no more often than its level")
    func permutationLevel() {
        var rejected = 0
        for seed in 0..<300 as Range<UInt64> {
            var generator = SplitMix64(seed: seed)
            let differences = (0..<12).map { _ in Double(generator.next(below: 5) - 2) / 2 }
            if PairedPermutation(differences).pValue <= 0.05 { rejected += 1 }
        }
        #expect(rejected <= 24, "\(rejected) of 300")
    }

    @Test("A bootstrap is reproducible, contains its mean, and has no corrected interval if nothing varies")
    func bootstrap() throws {
        var generator = SplitMix64(seed: 9)
        let differences = (0..<80).map { _ in Double(generator.next(below: 3) - 1) }
        let bootstrap = PairedBootstrap(differences, resamples: 500)
        #expect(bootstrap.distribution == PairedBootstrap(differences, resamples: 500).distribution)
        let (wide, narrow) = (bootstrap.percentile(level: 0.99), bootstrap.percentile(level: 0.5))
        #expect(wide.contains(bootstrap.mean) && wide.lower <= narrow.lower && narrow.upper <= wide.upper)
        #expect(try #require(bootstrap.biasCorrected()).contains(bootstrap.mean))
        let constant = PairedBootstrap([0.25, 0.25, 0.25], resamples: 20)
        #expect(constant.biasCorrected() == nil && constant.percentile() == Interval(0.25, 0.25))
        #expect(PairedBootstrap([1], resamples: 20).biasCorrected() == nil)
    }

    @Test("Degenerate samples give no test")
    func degenerate() {
        #expect(Welch([1], [1, 2]) == nil)
        #expect(Welch([1, 1], [2, 2]) == nil)
        #expect(MannWhitney([], [1]) == nil)
        #expect(MannWhitney([.nan], [1]) == nil)
        #expect(MannWhitney([1, 1], [1, 1])?.pValue == 1)
        #expect(EffectSize.cohensD([1, 1], [1, 1]) == nil)
        #expect(EffectSize.cohensD(paired: [0.5]) == nil)
        #expect(EffectSize.oddsRatio(wins: 3, losses: 0)?.ratio == .infinity)
    }
}
