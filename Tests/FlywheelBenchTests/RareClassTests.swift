import Acquisition
import Testing

@testable import FlywheelBench

/// A rare class that the model confidently predicts to be another, in a project run by the worker's reducer.
@Suite("A class on which the model is confident and wrong")
struct RareClassTests {
    private func runs(rare: Int, edition: Int = 2, most: Double) throws -> [RareBenchmark.Run] {
        var policy = AcquisitionPolicy(batchSize: 10)
        policy.edition = edition
        policy.explorationMost = most
        let bench = RareBenchmark(rare: rare, seeds: 20)
        return try (1...UInt64(bench.seeds)).map { try bench.measure(policy, seed: $0) }
    }

    private func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }

    @Test(
        "On average over 20 scenarios, exploration finds at least 4 of 9 rare samples in 102 training tasks"
    )
    func rare() throws {
        let before = mean(try runs(rare: 9, most: 0).map { Double($0.found) })
        let after = mean(try runs(rare: 9, most: AcquisitionPolicy().explorationMost).map { Double($0.found) })
        print("rare samples found of 9: \(before) before, \(after) after")
        #expect(before < 2.5)
        #expect(after >= 4)
    }

    @Test("Without a rare class, exploration costs at most a tenth more labels to 95 % accuracy")
    func common() throws {
        let before = try runs(rare: 0, most: 0)
        let after = try runs(rare: 0, most: AcquisitionPolicy().explorationMost)
        let labels = (mean(before.map { Double($0.labels) }), mean(after.map { Double($0.labels) }))
        print("labels to 95 %: \(labels.0) before, \(labels.1) after; by chance \(mean(after.map(\.explored)))")
        #expect(labels.1 <= labels.0 * 1.1)
    }
}
