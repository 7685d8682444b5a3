import Acquisition
import Foundation
import Statistics
import Testing
import Vocabulary

@testable import FlywheelBench

/// A stream with a share of noise, queried by the worker's reducer.
@Suite("Unanswerable samples")
struct UnanswerableTests {
    private static func digits() throws -> LabelledData {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return try LabelledData(
            path: root.appending(path: "Sources/Demo/Resources/digits.csv").path(),
            labelColumn: "65",
            scale: .max
        )
    }

    @Test(
        "With 29 % noise in a stream, at most 10 % of training tasks after the first hundred are noise",
        arguments: AcquisitionReplay.Nuisance.allCases,
        1..<3 as Range<UInt64>
    )
    func noise(nuisance: AcquisitionReplay.Nuisance, seed: UInt64) throws {
        var options = AcquisitionReplay.Options(policy: AcquisitionPolicy(batchSize: 20, auditShare: 0))
        options.window = 150
        options.budget = 160
        options.unanswerable = 0.29
        options.nuisance = nuisance
        var replay = AcquisitionReplay(data: try Self.digits(), options: options, seed: seed)
        _ = try replay.run()
        print("unanswerable \(nuisance), seed \(seed): \(replay.lateNuisance) of \(replay.selections.count) tasks")
        #expect(replay.selections.count > 160)
        #expect(replay.lateNuisance <= 0.1)
    }

    /// Before: once all other samples were queried, those ranked last were queried next; a new user saw 35 % of 1,337
    /// tasks.
    @Test(
        "The bound also holds if annotators answer faster than answerable samples arrive",
        arguments: 1..<3 as Range<UInt64>
    )
    func drained(seed: UInt64) throws {
        var options = AcquisitionReplay.Options(policy: AcquisitionPolicy(batchSize: 20, auditShare: 0))
        options.window = 22
        options.budget = 200
        options.unanswerable = 0.29
        options.nuisance = .blank
        var replay = AcquisitionReplay(data: try Self.digits(), options: options, seed: seed)
        _ = try replay.run()
        print("drained, seed \(seed): \(replay.lateNuisance) of \(replay.selections.count) tasks")
        #expect(replay.selections.count > 160)
        #expect(replay.lateNuisance <= 0.1)
    }
}
