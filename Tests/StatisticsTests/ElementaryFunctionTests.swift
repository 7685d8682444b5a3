import CBoostMath
import Statistics
import Testing

@Suite struct ElementaryFunctionTests {
    @Test("exp is within one unit in the last place", arguments: 0..<4 as Range<UInt64>)
    func exponential(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        var worst = LargestError()
        for _ in 0..<20_000 {
            for range in [-708.0...709.7, -1.0...1.0, -1e-8...1e-8] {
                let x = generator.next(in: range)
                worst.add(unitsInTheLastPlace(Reproducible.exp(x), flywheel_reference_exp(x)), "\(x)")
            }
        }
        #expect(worst.error < 1, "at \(worst.location)")
    }

    @Test("exp reaches into the subnormal numbers and saturates")
    func exponentialEdges() {
        for x in stride(from: -745.1, to: -708, by: 0.1) {
            #expect(unitsInTheLastPlace(Reproducible.exp(x), flywheel_reference_exp(x)) < 1.5, "at \(x)")
        }
        #expect(Reproducible.exp(0) == 1)
        #expect(Reproducible.exp(-746) == 0)
        #expect(Reproducible.exp(-.infinity) == 0)
        #expect(Reproducible.exp(709.782712893384).isFinite)
        #expect(Reproducible.exp(709.7828) == .infinity)
        #expect(Reproducible.exp(.infinity) == .infinity)
        #expect(Reproducible.exp(.nan).isNaN)
    }

    @Test("expm1 is within three units in the last place", arguments: 0..<4 as Range<UInt64>)
    func exponentialLessOne(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        var worst = LargestError()
        for _ in 0..<20_000 {
            for range in [-40.0...700.0, -1.0...1.0, -0.01...0.01, -1e-15...1e-15] {
                let x = generator.next(in: range)
                worst.add(unitsInTheLastPlace(Reproducible.expm1(x), flywheel_reference_expm1(x)), "\(x)")
            }
        }
        #expect(worst.error < 3, "at \(worst.location)")
    }

    @Test("log is within two units in the last place", arguments: 0..<4 as Range<UInt64>)
    func logarithm(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        var worst = LargestError()
        for _ in 0..<20_000 {
            let anywhere = Double(bitPattern: generator.next() >> 1)
            let numbers = [anywhere, generator.next(in: 0.5...2), generator.next(in: 0.99...1.01)]
            for x in numbers where x.isFinite {
                worst.add(unitsInTheLastPlace(Reproducible.log(x), flywheel_reference_log(x)), "\(x)")
            }
        }
        #expect(worst.error < 2, "at \(worst.location)")
    }

    @Test("log handles its edge cases")
    func logarithmEdges() {
        #expect(Reproducible.log(1) == 0)
        #expect(Reproducible.log(0) == -.infinity)
        #expect(Reproducible.log(-1).isNaN)
        #expect(Reproducible.log(.nan).isNaN)
        #expect(Reproducible.log(.infinity) == .infinity)
        for x in [
            Double.leastNonzeroMagnitude, .leastNormalMagnitude, .greatestFiniteMagnitude, 1.0.nextUp, 1.0.nextDown,
        ] {
            #expect(unitsInTheLastPlace(Reproducible.log(x), flywheel_reference_log(x)) < 2, "at \(x)")
        }
    }

    @Test("log1p is within three units in the last place", arguments: 0..<4 as Range<UInt64>)
    func logarithmOfOnePlus(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        var worst = LargestError()
        for _ in 0..<20_000 {
            for range in [-0.999...10.0, -0.02...0.02, -1e-12...1e-12, 1e10...1e300] {
                let x = generator.next(in: range)
                worst.add(unitsInTheLastPlace(Reproducible.log1p(x), flywheel_reference_log1p(x)), "\(x)")
            }
        }
        #expect(worst.error < 3, "at \(worst.location)")
        #expect(Reproducible.log1p(-1) == -.infinity)
        #expect(Reproducible.log1p(-2).isNaN)
        #expect(Reproducible.log1p(.infinity) == .infinity)
    }

    @Test("pow is within its bound", arguments: 0..<4 as Range<UInt64>)
    func power(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        var worst = LargestError()
        for _ in 0..<20_000 {
            let x = generator.nextLogarithmic(in: 1e-100...1e100)
            for y in [generator.next(in: -3...3), Double(generator.next(below: 129) - 64)] {
                let reference = flywheel_reference_pow(x, y)
                if reference.high.isFinite { worst.add(relativeError(Reproducible.pow(x, y), reference), "\(x) \(y)") }
            }
        }
        #expect(worst.error < 4e-13, "at \(worst.location)")
    }

    @Test("pow handles the special cases of IEEE 754")
    func powerEdges() {
        let numbers: [Double] = [0, -0.0, 1, -1, 2, -2, 0.5, -0.5, 3, -3, 1e300, -1e300, .infinity, -.infinity, .nan]
        for x in numbers {
            for y in numbers {
                let reference = flywheel_reference_pow(x, y)
                let found = Reproducible.pow(x, y)
                let hasSign = found.sign == reference.high.sign || found.isNaN
                #expect(
                    relativeError(found, reference) < 4e-13 && hasSign,
                    "\(x) \(y): \(found), not \(reference.high)"
                )
            }
        }
    }
}
