import CBoostMath
import Statistics
import Testing

@Suite struct SpecialFunctionTests {
    @Test("The relative error of lgamma is at most 1e-13", arguments: 0..<4 as Range<UInt64>)
    func logarithmOfGamma(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        var worst = LargestError()
        for _ in 0..<5_000 {
            let numbers = [
                generator.next(in: 0.001...3), generator.next(in: 0.9...1.1), generator.next(in: 1.9...2.1),
                generator.next(in: 2...20), generator.nextLogarithmic(in: 1e-300...1e300),
            ]
            for x in numbers { worst.add(relativeError(Reproducible.lgamma(x), flywheel_reference_lgamma(x)), "\(x)") }
        }
        #expect(worst.error < 1e-13, "at \(worst.location)")
        #expect(Reproducible.lgamma(1) == 0)
        #expect(Reproducible.lgamma(2) == 0)
        #expect(Reproducible.lgamma(0) == .infinity)
        #expect(Reproducible.lgamma(-1).isNaN)
    }

    @Test("erf and erfc are within their bounds", arguments: 0..<4 as Range<UInt64>)
    func errorFunction(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        var worst = LargestError()
        var worstComplement = LargestError()
        for _ in 0..<10_000 {
            for range in [-6.0...27.0, -2.5...2.5, -1e-6...1e-6] {
                let x = generator.next(in: range)
                worst.add(relativeError(Reproducible.erf(x), flywheel_reference_erf(x)), "\(x)")
                worstComplement.add(relativeError(Reproducible.erfc(x), flywheel_reference_erfc(x)), "\(x)")
            }
        }
        #expect(worst.error < 1e-14, "at \(worst.location)")
        #expect(worstComplement.error < 5e-13, "at \(worstComplement.location)")
        #expect(Reproducible.erf(.infinity) == 1)
        #expect(Reproducible.erfc(.infinity) == 0)
        #expect(Reproducible.erfc(-.infinity) == 2)
        #expect(Reproducible.erf(-0.0).sign == .minus || Reproducible.erf(-0.0) == 0)
    }

    @Test("The normal distribution and its inverse are within 1e-12 relatively", arguments: 0..<4 as Range<UInt64>)
    func normal(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        var worst = LargestError()
        var worstQuantile = LargestError()
        for _ in 0..<5_000 {
            let x = generator.next(in: -37...9)
            worst.add(relativeError(Reproducible.normalCDF(x), flywheel_reference_normal_cdf(x)), "\(x)")
            let tail = generator.nextLogarithmic(in: 1e-300...0.49)
            for p in [generator.nextUnit(), tail, 1 - tail, 0.5 + 1e-6 * tail] where p > 0 && p < 1 && p != 0.5 {
                let reference = flywheel_reference_normal_quantile(p)
                worstQuantile.add(relativeError(Reproducible.normalQuantile(p), reference), "\(p)")
            }
        }
        #expect(worst.error < 1e-12, "at \(worst.location)")
        #expect(worstQuantile.error < 1e-12, "at \(worstQuantile.location)")
        #expect(Reproducible.normalQuantile(0.5) == 0)
        #expect(Reproducible.normalQuantile(0) == -.infinity)
        #expect(Reproducible.normalQuantile(1) == .infinity)
    }

    @Test("The incomplete beta function is within 1e-12 relatively", arguments: 0..<6 as Range<UInt64>)
    func incompleteBeta(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        var worst = LargestError()
        for _ in 0..<2_000 {
            let a = generator.nextLogarithmic(in: 0.1...1e6)
            let b = generator.nextLogarithmic(in: 0.1...1e6)
            let deviation = (a * b / (a + b + 1)).squareRoot() / (a + b)
            for x in [generator.nextUnit(), a / (a + b) + generator.next(in: -8...8) * deviation, 0.5] {
                guard x > 0, x < 1 else { continue }
                let lower = flywheel_reference_ibeta(x, a, b)
                let upper = flywheel_reference_ibetac(x, a, b)
                // Below 1e-290 the reference itself is inaccurate.
                if lower.high > 1e-290 {
                    worst.add(relativeError(Reproducible.incompleteBeta(x, a, b), lower), "\(x), \(a), \(b)")
                }
                if upper.high > 1e-290 {
                    worst.add(
                        relativeError(Reproducible.incompleteBetaComplement(x, a, b), upper),
                        "c \(x), \(a), \(b)"
                    )
                }
            }
        }
        #expect(worst.error < 1e-12, "at \(worst.location)")
    }

    @Test("The incomplete beta function is exact at its edges, and its logarithm is defined beyond its underflow")
    func incompleteBetaEdges() {
        #expect(Reproducible.incompleteBeta(0, 2, 3) == 0)
        #expect(Reproducible.incompleteBeta(1, 2, 3) == 1)
        #expect((Reproducible.incompleteBeta(0.5, 2, 2) - 0.5).magnitude < 1e-15)
        #expect(Reproducible.incompleteBeta(-0.1, 2, 2).isNaN)
        #expect(Reproducible.incompleteBeta(0.5, 0, 2).isNaN)
        #expect(Reproducible.incompleteBeta(0.5, 5_001, 1) == 0)
        let logarithm = Reproducible.logIncompleteBeta(0.5, 5_001, 1)
        #expect((logarithm + 5_001 * 0.6931471805599453).magnitude < 1e-9)
        #expect((Reproducible.logIncompleteBeta(0.9, 2, 3) - Reproducible.log(0.9963)).magnitude < 1e-12)
    }

    @Test("Beta quantiles agree with the reference and invert the distribution", arguments: 0..<4 as Range<UInt64>)
    func betaQuantile(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        for _ in 0..<100 {
            let a = generator.nextLogarithmic(in: 0.5...1e4)
            let b = generator.nextLogarithmic(in: 0.5...1e4)
            let p = generator.next(in: 0.001...0.999)
            let x = Reproducible.betaQuantile(p, a, b)
            let reference = flywheel_reference_beta_quantile(p, a, b)
            #expect(relativeError(x, reference) < 1e-11, "\(p), \(a), \(b)")
        }
        #expect(Reproducible.betaQuantile(0, 2, 3) == 0)
        #expect(Reproducible.betaQuantile(1, 2, 3) == 1)
        #expect(Reproducible.betaQuantile(1.5, 2, 3).isNaN)
    }

    @Test("Binomial probabilities agree with the reference and add up", arguments: 0..<4 as Range<UInt64>)
    func binomial(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        var worst = LargestError()
        for _ in 0..<500 {
            let n = 1 + generator.next(below: 2_000)
            let k = generator.next(below: n + 1)
            let p = generator.next(in: 0.001...0.999)
            let reference = flywheel_reference_binomial_pdf(Double(k), Double(n), p)
            if reference.high > 1e-290 {
                worst.add(relativeError(Reproducible.binomialMass(k, of: n, p), reference), "\(k) \(n) \(p)")
            }
            let below = Reproducible.binomialCDF(k, of: n, p)
            let above = Reproducible.binomialUpperTail(k + 1, of: n, p)
            #expect((below + above - 1).magnitude < 1e-14)
        }
        #expect(worst.error < 1e-12, "at \(worst.location)")
        var sum = 0.0
        for k in 0...20 {
            sum += Reproducible.binomialMass(k, of: 20, 0.3)
            #expect((Reproducible.binomialCDF(k, of: 20, 0.3) - sum).magnitude < 1e-14)
        }
        #expect(Reproducible.binomialCDF(-1, of: 3, 0.5) == 0)
        #expect(Reproducible.binomialUpperTail(0, of: 3, 0.5) == 1)
        #expect(Reproducible.binomialMass(0, of: 0, 0.5) == 1)
    }
}
