import Acquisition
import Foundation
import Statistics
import Strategies
import Testing

@testable import FlywheelBench

@Suite struct StreamReplayTests {
    /// Samples of equally frequent classes, separated along a line, with noise in three more features. The direction of
    /// the line is reversed halfway.
    private func drifting(_ count: Int, seed: UInt64, classes: Int = 2) throws -> LabelledData {
        var generator = SplitMix64(seed: seed)
        var text = ""
        for row in 0..<count {
            let label = generator.next(below: classes)
            let side = row < count / 2 ? Double(label) : Double(classes - 1 - label)
            var cells = [side * 2 + generator.nextNormal(), side + generator.nextNormal()]
            for _ in 0..<3 { cells.append(generator.nextNormal()) }
            text += cells.map { String($0) }.joined(separator: ",") + ",c\(label)\n"
        }
        let path = NSTemporaryDirectory() + "stream-\(UUID().uuidString).csv"
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try LabelledData(path: path, labelColumn: "6", scale: .none)
    }

    private func run(_ data: LabelledData, _ strategy: StreamStrategy?, share: Int64, delay: Int = 0, seed: UInt64 = 1)
        -> StreamReplay.Outcome
    {
        let options = StreamReplay.Options(strategy: strategy, share: LabelShare(millionths: share), delay: delay)
        var replay = StreamReplay(data: data, options: options, seed: seed)
        return replay.run()
    }

    @Test("The queried share exceeds the budget at no event, under any strategy", arguments: StreamStrategy.allCases)
    func shares(strategy: StreamStrategy) throws {
        let data = try drifting(1_200, seed: 3)
        for (share, delay) in [(10_000, 0), (100_000, 0), (100_000, 100), (0, 0)] as [(Int64, Int)] {
            let outcome = run(data, strategy, share: share, delay: delay)
            #expect(outcome.overspent <= 0, "\(strategy) at \(share) millionths")
            #expect(outcome.share <= Double(share) / 1_000_000)
            #expect(outcome.queried.allSatisfy { $0 >= StreamReplay.freeLabelCount })
        }
    }

    @Test("With equal budgets, the default strategy reaches a higher accuracy than random selection")
    func betterThanRandom() throws {
        var gained = 0.0
        for seed in 1...4 as ClosedRange<UInt64> {
            let data = try rareRegion(4_000, seed: seed)
            gained += run(data, StreamPolicy().strategy, share: 20_000, seed: seed).accuracy
            gained -= run(data, .random, share: 20_000, seed: seed).accuracy
        }
        #expect(gained / 4 > 0.01, "by \(gained / 4) only")
    }

    /// A stream in which eight of ten samples are far from the boundary, and thus not informative.
    private func rareRegion(_ count: Int, seed: UInt64) throws -> LabelledData {
        var generator = SplitMix64(seed: seed)
        var text = ""
        for row in 0..<count {
            let slope = row < count / 2 ? 1.0 : -1.0
            let isFar = generator.nextUnit() < 0.8
            let x =
                (generator.nextUnit() - 0.5) * (isFar ? 0.2 : 2) + (isFar ? (generator.nextUnit() < 0.5 ? 4 : -4) : 0)
            let y = (generator.nextUnit() - 0.5) * 2
            text += "\(x),\(y),\(x + 2 * slope * y > 0 ? "up" : "down")\n"
        }
        let path = NSTemporaryDirectory() + "stream-\(UUID().uuidString).csv"
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try LabelledData(path: path, labelColumn: "3", scale: .none)
    }

    @Test("The same seed gives the same run, and another seed another run")
    func deterministic() throws {
        let data = try drifting(800, seed: 5)
        #expect(run(data, .adaptive, share: 100_000) == run(data, .adaptive, share: 100_000))
        #expect(run(data, .random, share: 100_000).queried != run(data, .random, share: 100_000, seed: 2).queried)
    }

    @Test("Under drift, late labels cost accuracy, and all labels give more than few")
    func delays() throws {
        let data = try drifting(2_000, seed: 6)
        let all = run(data, nil, share: 100_000)
        #expect(all.accuracy > run(data, nil, share: 100_000, delay: 400).accuracy)
        #expect(all.accuracy > 0.7 && all.share == 0)
        #expect(all.accuracy > run(data, .random, share: 10_000).accuracy)
    }

    @Test("A stream with five classes and features of pure noise is learnt")
    func manyClasses() throws {
        let data = try drifting(1_500, seed: 7, classes: 5)
        let outcome = run(data, .adaptive, share: 100_000)
        #expect(outcome.accuracy > 0.3 && outcome.overspent <= 0)
    }
}
