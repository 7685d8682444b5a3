import Kinds
import Statistics
import Testing
import Vocabulary

@Suite struct AcquisitionFunctionTests {
    static let uncertaintyFunctions: [AcquisitionFunction] = [.leastConfidence, .margin, .ratio, .entropy]

    static func output(_ probabilities: [Double], remainder: Double = 0) throws -> ClassDistribution {
        let entries = probabilities.enumerated().map {
            ClassDistribution.Entry(label: ClassIndex($0.offset), probability: $0.element)
        }
        return try #require(ClassDistribution(entries, remainder: remainder))
    }

    @Test("Every score is a number in 0...1", arguments: 0..<64 as Range<UInt64>)
    func range(seed: UInt64) throws {
        var generator = SplitMix64(seed: seed)
        var scored = 0
        for _ in 0..<50 {
            let classes = 1 + generator.next(below: 12)
            let named = 1 + generator.next(below: classes)
            // Includes zeros and near certainties; the last weight is the mass of the unnamed classes.
            var weights: [Double] = []
            for _ in 0..<(named < classes ? named + 1 : named) {
                weights.append(generator.next(below: 4) == 0 ? 0 : Reproducible.pow(generator.nextUnit(), 8))
            }
            var total = 0.0
            for weight in weights { total += weight }
            guard total > 0 else { continue }
            var entries: [ClassDistribution.Entry] = []
            for (label, weight) in weights.prefix(named).enumerated() {
                entries.append(.init(label: ClassIndex(label), probability: weight / total))
            }
            let remainder = named < classes ? weights[named] / total : 0
            let output = try #require(ClassDistribution(entries, remainder: remainder))
            for function in AcquisitionFunction.allCases {
                let score = function.score(output, classes: classes)
                #expect(score.isFinite && (0...1).contains(score), "\(function) of \(output) is \(score)")
                scored += 1
            }
        }
        #expect(scored > 100)
    }

    @Test("A uniform output scores 1, with or without a remainder", arguments: uncertaintyFunctions, [2, 3, 10, 1_000])
    func uniform(function: AcquisitionFunction, classes: Int) throws {
        let share = 1 / Double(classes)
        let full = try Self.output([Double](repeating: share, count: classes))
        let short = try Self.output([share], remainder: 1 - share)
        for output in [full, short] {
            let score = function.score(output, classes: classes)
            #expect(abs(score - 1) < 1e-9, "\(function) is \(score)")
        }
    }

    @Test("A certain output, and a single class, score 0", arguments: AcquisitionFunction.allCases)
    func certain(function: AcquisitionFunction) throws {
        #expect(function.score(try Self.output([1, 0, 0]), classes: 3) == 0)
        #expect(function.score(try Self.output([1]), classes: 10) == 0)
        #expect(function.score(try Self.output([1]), classes: 1) == 0)
        #expect(function.score(try Self.output([0.5], remainder: 0.5), classes: 1) == 0)
    }

    @Test("Scores are those worked out by hand")
    func golden() throws {
        let output = try Self.output([0.5, 0.25, 0.25])
        #expect(AcquisitionFunction.leastConfidence.score(output, classes: 3) == (1 - 0.5) / (1 - 1.0 / 3))
        #expect(AcquisitionFunction.margin.score(output, classes: 3) == 0.75)
        #expect(AcquisitionFunction.ratio.score(output, classes: 3) == 0.5)
        // 1.5 bits of log2(3) = 1.584962500721156.
        #expect(abs(AcquisitionFunction.entropy.score(output, classes: 3) - 0.946394630357186) < 1e-14)

        // 0.6 named and 0.4 over four unnamed classes: 0.1 each.
        let top = try Self.output([0.6], remainder: 0.4)
        #expect(abs(AcquisitionFunction.leastConfidence.score(top, classes: 5) - 0.5) < 1e-15)
        #expect(abs(AcquisitionFunction.margin.score(top, classes: 5) - 0.5) < 1e-15)
        #expect(abs(AcquisitionFunction.ratio.score(top, classes: 5) - 1.0 / 6) < 1e-15)
        // Written out: -(0.6 ln 0.6 + 0.4 ln 0.1) / ln 5.
        #expect(abs(AcquisitionFunction.entropy.score(top, classes: 5) - 0.7627069065377661) < 1e-14)
    }

    @Test("Omitting likely classes does not raise confidence: the remainder counts as if spread evenly")
    func remainder() throws {
        // One class of two is named; the other is more likely.
        let hidden = try Self.output([0.2], remainder: 0.8)
        let full = try Self.output([0.2, 0.8])
        for function in Self.uncertaintyFunctions {
            let difference = function.score(hidden, classes: 2) - function.score(full, classes: 2)
            #expect(abs(difference) < 1e-12, "\(function) differs by \(difference)")
        }
        // Two unnamed classes share the remainder, and both are more likely than the named one.
        #expect(AcquisitionFunction.margin.score(try Self.output([0.1], remainder: 0.9), classes: 3) == 1)
    }

    @Test("A tie between the two most likely classes gives the maximum score of margin and ratio")
    func ties() throws {
        let output = try Self.output([0.5, 0.5, 0])
        #expect(AcquisitionFunction.margin.score(output, classes: 3) == 1)
        #expect(AcquisitionFunction.ratio.score(output, classes: 3) == 1)
        #expect(AcquisitionFunction.leastConfidence.score(output, classes: 3) < 1)
        #expect(AcquisitionFunction.entropy.score(output, classes: 3) < 1)
    }

    @Test("Random selection gives every output the score 0")
    func random() throws {
        #expect(AcquisitionFunction.random.score(try Self.output([0.5, 0.5]), classes: 2) == 0)
    }

    @Test("The less certain of two outputs never has the lower score", arguments: uncertaintyFunctions)
    func monotone(function: AcquisitionFunction) throws {
        var last = -1.0
        for step in 0...50 {
            let first = 1 - Double(step) * 0.01
            let score = function.score(try Self.output([first, 1 - first]), classes: 2)
            #expect(score >= last, "\(function) falls at \(first)")
            last = score
        }
    }
}
