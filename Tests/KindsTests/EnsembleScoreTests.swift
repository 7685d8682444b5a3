import Kinds
import Statistics
import Testing
import Vocabulary

@Suite struct EnsembleScoreTests {
    static let ensembleFunctions = AcquisitionFunction.allCases.filter(\.needsMembers)

    static func prediction(_ rows: [[Double]]) throws -> ScoredPrediction {
        let members = try #require(EnsembleOutput(rows))
        return ScoredPrediction(output: try AcquisitionFunctionTests.output(members.consensus), members: members)
    }

    static func rows(_ generator: inout SplitMix64) -> [[Double]] {
        let (classes, count) = (2 + generator.next(below: 9), 2 + generator.next(below: 12))
        return (0..<count).map { _ in
            var row = (0..<classes).map { _ in Reproducible.pow(generator.nextUnit(), 6) + 1e-300 }
            // Zeros are included.
            if generator.next(below: 3) == 0 { row[generator.next(below: classes)] = 0 }
            var sum = 0.0
            for weight in row { sum += weight }
            return row.map { $0 / sum }
        }
    }

    @Test("Every score is in 0...1 and does not depend on the order of members", arguments: 0..<64 as Range<UInt64>)
    func range(seed: UInt64) throws {
        var generator = SplitMix64(seed: seed)
        var rows = Self.rows(&generator)
        let first = try Self.prediction(rows)
        SeededSampling.shuffle(&rows, using: &generator)
        let second = try Self.prediction(rows)
        for function in Self.ensembleFunctions {
            let score = function.score(first, classes: rows[0].count)
            #expect((0...1).contains(score), "\(function) is \(score), seed \(seed)")
            #expect(abs(score - function.score(second, classes: rows[0].count)) < 1e-12, "\(function), seed \(seed)")
        }
    }

    @Test("BALD equals the mean KL divergence of the members from their mean", arguments: 0..<64 as Range<UInt64>)
    func identity(seed: UInt64) throws {
        var generator = SplitMix64(seed: seed)
        let rows = Self.rows(&generator)
        let prediction = try Self.prediction(rows)
        let bald = AcquisitionFunction.bald.score(prediction, classes: rows[0].count)
        let divergence = AcquisitionFunction.klDivergence.score(prediction, classes: rows[0].count)
        #expect(abs(bald - divergence) < 1e-12, "seed \(seed)")
    }

    @Test("Members that agree have no disagreement, however uncertain they are")
    func agreement() throws {
        let same = try Self.prediction([[0.5, 0.3, 0.2], [0.5, 0.3, 0.2], [0.5, 0.3, 0.2]])
        for function in Self.ensembleFunctions where function != .consensusEntropy {
            #expect(function.score(same, classes: 3) < 1e-12, "\(function)")
        }
        #expect(AcquisitionFunction.consensusEntropy.score(same, classes: 3) > 0.9)
    }

    @Test("Members that are each certain of a different class have the maximum disagreement")
    func disagreement() throws {
        let apart = try Self.prediction([[1, 0, 0], [0, 1, 0], [0, 0, 1]])
        for function in Self.ensembleFunctions where function != .variationRatio {
            #expect(abs(function.score(apart, classes: 3) - 1) < 1e-12, "\(function)")
        }
        #expect(abs(AcquisitionFunction.variationRatio.score(apart, classes: 3) - 2.0 / 3) < 1e-12)
    }

    @Test("Without members, or with a single one, the margin of the output is the score", arguments: ensembleFunctions)
    func fallback(function: AcquisitionFunction) throws {
        let output = try AcquisitionFunctionTests.output([0.6, 0.3, 0.1])
        let margin = AcquisitionFunction.margin.score(output, classes: 3)
        #expect(function.score(output, classes: 3) == margin)
        let single = ScoredPrediction(output: output, members: EnsembleOutput([[0.2, 0.4, 0.4]]))
        #expect(function.score(single, classes: 3) == margin)
    }

    @Test("A provided score is used unchanged; without one the margin is computed")
    func provided() throws {
        let output = try AcquisitionFunctionTests.output([0.6, 0.4])
        let prediction = ScoredPrediction(output: output, provided: 0.125)
        #expect(AcquisitionFunction.provided.score(prediction, classes: 2) == 0.125)
        #expect(
            AcquisitionFunction.provided.score(output, classes: 2)
                == AcquisitionFunction.margin.score(output, classes: 2)
        )
    }

    @Test("Members of different lengths, no members, too many, or members that are not distributions make no ensemble")
    func malformed() {
        #expect(EnsembleOutput([]) == nil)
        #expect(EnsembleOutput([[]]) == nil)
        #expect(EnsembleOutput([[0.5, 0.5], [1]]) == nil)
        #expect(EnsembleOutput([[0.5, 0.5], [0.5, 0.25, 0.25]]) == nil)
        #expect(EnsembleOutput([[0.5, 0.4]]) == nil)
        #expect(EnsembleOutput([[.nan, 1]]) == nil)
        #expect(EnsembleOutput([[.infinity, 0]]) == nil)
        #expect(EnsembleOutput([[1.5, -0.5]]) == nil)
        #expect(EnsembleOutput([[Double]](repeating: [1, 0], count: 129)) == nil)
        #expect(EnsembleOutput([[Double]](repeating: [1, 0], count: 128)) != nil)
    }
}

@Suite struct CalibrationTests {
    @Test(
        "A temperature above 1 makes an output less certain, one below 1 more; neither changes the order of classes",
        arguments: 0..<32 as Range<UInt64>
    )
    func monotone(seed: UInt64) throws {
        var generator = SplitMix64(seed: seed)
        let first = 0.34 + generator.nextUnit() * 0.65
        let output = try AcquisitionFunctionTests.output([first, (1 - first) * 0.6], remainder: (1 - first) * 0.4)
        var last = -1.0
        for temperature in [0.01, 0.1, 0.5, 1, 2, 10, 100] {
            let score = AcquisitionFunction.leastConfidence.score(output, classes: 7, temperature: temperature)
            #expect(score >= last - 1e-12, "\(temperature), seed \(seed)")
            last = score
        }
        #expect(last > 0.9)
    }

    @Test("Extreme logits and temperatures give finite numbers", arguments: [0.01, 1, 100])
    func extremes(temperature: Double) throws {
        let output = try AcquisitionFunctionTests.output([1, 0])
        for logits in [[1e308, -1e308], [0, 0], [-745, 745], [1e-300, 0]] {
            let prediction = ScoredPrediction(output: output, logits: logits)
            for function in [AcquisitionFunction.margin, .entropy, .ratio, .leastConfidence] {
                let score = function.score(prediction, classes: 2, temperature: temperature)
                #expect((0...1).contains(score), "\(function) of \(logits) is \(score)")
            }
        }
        #expect(AcquisitionFunction.margin.score(ScoredPrediction(output: output, logits: [3, 3]), classes: 2) == 1)
    }

    @Test("Ten thousand classes are scored like few")
    func manyClasses() throws {
        let share = 1.0 / 10_000
        let output = try AcquisitionFunctionTests.output([Double](repeating: share, count: 10_000))
        for function in AcquisitionFunctionTests.uncertaintyFunctions {
            #expect(abs(function.score(output, classes: 10_000, temperature: 2) - 1) < 1e-9, "\(function)")
        }
    }
}
