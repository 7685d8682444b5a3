import Acquisition
import Events
import Flywheel
import Foundation
import JSON
import Statistics
import Testing
import Vocabulary

@testable import FlywheelBench

@Suite struct ReplayTests {
    /// Three classes in two dimensions, 40 samples each.
    static func data() throws -> LabelledData {
        var generator = SplitMix64(seed: 5)
        var text = "x,y,kind\n"
        for row in 0..<120 {
            let (x, y) = (generator.nextNormal() + Double(row % 3) * 2, generator.nextNormal() + Double(row % 2))
            text += "\(x),\(y),\(["a", "b", "c"][row % 3])\n"
        }
        let path = NSTemporaryDirectory() + "replay-\(UUID().uuidString).csv"
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try LabelledData(path: path, labelColumn: "kind", scale: .none)
    }

    static func replay(_ policy: AcquisitionPolicy, cold: Bool = false, seed: UInt64 = 1) throws -> AcquisitionReplay {
        var options = AcquisitionReplay.Options(policy: policy)
        options.window = 50
        options.budget = 34
        options.startsCold = cold
        options.keepsJournal = true
        var replay = AcquisitionReplay(data: try data(), options: options, seed: seed)
        _ = try replay.run()
        return replay
    }

    static let policies: [AcquisitionPolicy] = [
        AcquisitionPolicy(batchSize: 6, auditShare: 0),
        AcquisitionPolicy(function: .entropy, isDiverse: false, batchSize: 6, auditShare: 0),
        AcquisitionPolicy(batchSize: 6, explorationShare: 0.4, auditShare: 0),
        AcquisitionPolicy(function: .random, isDiverse: false, batchSize: 6, auditShare: 0),
    ]

    @Test(
        "The worker's reducer queries the same ids from a replay's entries, read back from their journal bytes",
        arguments: policies,
        [false, true]
    )
    func sameIDs(policy: AcquisitionPolicy, cold: Bool) throws {
        let replay = try Self.replay(policy, cold: cold)
        #expect(replay.selections.count == 34)
        #expect(Set(replay.selections).count == 34)
        var state = ProjectState(project: ProjectID("bench-1"))
        var queried: [SampleID] = []
        for record in replay.project.journal {
            let entry = try JSONParser().withDocument(of: record.entry.jsonBytes) { try JournalEntry(json: $0) }
            for decision in state.apply(entry, appendedAt: record.time) {
                if case .task(let task) = decision.body, task.state == .open, task.votes == 0 {
                    queried.append(task.sample.id)
                }
            }
        }
        #expect(queried == replay.selections)
    }

    @Test("A replay is reproducible, and differs with another seed")
    func deterministic() throws {
        let first = try Self.replay(Self.policies[0]).selections
        #expect(try Self.replay(Self.policies[0]).selections == first)
        #expect(try Self.replay(Self.policies[0], seed: 2).selections != first)
    }

    @Test("Each round queries one batch, and the last round the rest of the budget")
    func rounds() throws {
        var options = AcquisitionReplay.Options(policy: Self.policies[0])
        options.window = 20
        options.budget = 20
        var replay = AcquisitionReplay(data: try Self.data(), options: options, seed: 3)
        let points = try replay.run()
        #expect(points.map(\.labels) == [6, 12, 18, 20])
    }

    @Test("An exhausted pool ends the replay with every sample queried")
    func exhausted() throws {
        var options = AcquisitionReplay.Options(policy: Self.policies[0])
        options.window = 30
        options.budget = 1_000
        var replay = AcquisitionReplay(data: try Self.data(), options: options, seed: 3)
        let points = try replay.run()
        #expect(points.last?.labels == 84)
    }
}
