import Acquisition
import Foundation
import Statistics
import Strategies
import Testing

@testable import FlywheelBench

@Suite struct StreamReplayTests {
    /// Two classes separated along a line, one of them rare, with noise in three more features; the direction of the
    /// line is reversed halfway.
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

    @Test("The share never exceeds the budget, at no event, under any strategy", arguments: StreamStrategy.allCases)
    func shares(strategy: StreamStrategy) throws {
        let data = try drifting(1_200, seed: 3)
        for (share, delay) in [(10_000, 0), (100_000, 0), (100_000, 100), (0, 0)] as [(Int64, Int)] {
            let outcome = run(data, strategy, share: share, delay: delay)
            #expect(outcome.overspent <= 0, "\(strategy) at \(share) millionths")
            #expect(outcome.share <= Double(share) / 1_000_000)
            #expect(outcome.queried.allSatisfy { $0 >= StreamReplay.free })
        }
    }

    @Test("The default learns more from its labels than random selection does from as many")
    func betterThanRandom() throws {
        var gained = 0.0
        for seed in 1...4 as ClosedRange<UInt64> {
            let data = try rareRegion(4_000, seed: seed)
            gained += run(data, StreamPolicy().strategy, share: 20_000, seed: seed).accuracy
            gained -= run(data, .random, share: 20_000, seed: seed).accuracy
        }
        #expect(gained / 4 > 0.01, "by \(gained / 4) only")
    }

    /// Samples far from the boundary are not informative; nine of ten events are there.
    private func rareRegion(_ count: Int, seed: UInt64) throws -> LabelledData {
        var generator = SplitMix64(seed: seed)
        var text = ""
        for row in 0..<count {
            let angle = row < count / 2 ? 1.0 : -1.0
            let isFar = generator.nextUnit() < 0.8
            let x =
                (generator.nextUnit() - 0.5) * (isFar ? 0.2 : 2) + (isFar ? (generator.nextUnit() < 0.5 ? 4 : -4) : 0)
            let y = (generator.nextUnit() - 0.5) * 2
            text += "\(x),\(y),\(x + 2 * angle * y > 0 ? "up" : "down")\n"
        }
        let path = NSTemporaryDirectory() + "stream-\(UUID().uuidString).csv"
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try LabelledData(path: path, labelColumn: "3", scale: .none)
    }

    @Test("The same seed gives the same run, and another seed another one")
    func deterministic() throws {
        let data = try drifting(800, seed: 5)
        #expect(run(data, .adaptive, share: 100_000) == run(data, .adaptive, share: 100_000))
        #expect(run(data, .random, share: 100_000).queried != run(data, .random, share: 100_000, seed: 2).queried)
    }

    @Test("Late labels cost accuracy where the world changes; all labels are the most there is to have")
    func delays() throws {
        let data = try drifting(2_000, seed: 6)
        let all = run(data, nil, share: 100_000)
        #expect(all.accuracy > run(data, nil, share: 100_000, delay: 400).accuracy)
        #expect(all.accuracy > 0.7 && all.share == 0)
        #expect(all.accuracy > run(data, .random, share: 10_000).accuracy)
    }

    @Test("Classes of any number and name, and constant columns, are learnt")
    func manyClasses() throws {
        let data = try drifting(1_500, seed: 7, classes: 5)
        let outcome = run(data, .adaptive, share: 100_000)
        #expect(outcome.accuracy > 0.3 && outcome.overspent <= 0)
    }
}
