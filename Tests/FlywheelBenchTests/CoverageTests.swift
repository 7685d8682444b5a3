import Statistics
import Testing

@testable import FlywheelBench

@Suite("Estimates from the labels of a judged life")
struct CoverageTests {
    private static var options: JudgementOptions {
        var options = JudgementOptions()
        (options.measuresCoverage, options.difference) = (true, 0.15)
        (options.challengers, options.labelsEach) = (8, 20)
        return options
    }

    @Test("The estimate from the labels of a life is reproducible and near the truth")
    func estimate() throws {
        var values: [Double] = []
        for seed in 1...6 as ClosedRange<UInt64> {
            var (life, again) = (JudgedLife(Self.options, seed: seed), JudgedLife(Self.options, seed: seed))
            let accuracy = try #require(life.run().accuracy)
            #expect(again.run().accuracy == accuracy)
            #expect(accuracy.interval.contains(accuracy.value) && accuracy.interval.width < 0.25)
            values.append(accuracy.value)
        }
        // The plain share of right answers is far below, because most labels are of samples on which two models
        // disagree.
        #expect((mean(values) - 0.9).magnitude < 0.03, "\(values)")
        let summary = CoverageSummary(JudgementBenchmark.lives(Self.options.with(lives: 4)), accuracy: 0.9)
        #expect(summary.json.hasPrefix("{\"lives\":4,\"covered\":"))
    }

    @Test("Without the option there is no estimate")
    func silent() {
        var options = Self.options
        options.measuresCoverage = false
        var life = JudgedLife(options, seed: 1)
        #expect(life.run().accuracy == nil)
    }
}

extension JudgementOptions {
    fileprivate func with(lives: Int) -> JudgementOptions {
        var options = self
        options.lives = lives
        return options
    }
}
