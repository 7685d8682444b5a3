import EngineCore
import Events
import Flywheel
import Foundation
import Hashing
import Loop
import Operations
import PipelineTesting
import Statistics
import Storage
import StreamRuntime
import StreamTesting
import Testing
import Vocabulary

@Suite("Snapshots of the loop's tables")
struct SnapshotTests {
    private static let policy = CommitPolicy(interval: 0, maximumRecords: 8, batchSize: 8)

    /// A worker's disk.
    private final class Disk {
        let store: FolderStore
        let folder: String
        private(set) var used: [Int] = []
        private(set) var reasons: [String] = []

        init() throws {
            folder = FileManager.default.temporaryDirectory.appendingPathComponent("state-\(UUID().uuidString)").path
            store = try FolderStore(root: folder)
        }

        deinit { try? FileManager.default.removeItem(atPath: folder) }

        /// Makes snapshots that are written at once, at least `interval` milliseconds apart.
        func snapshots(every interval: Int64 = 1_000_000_000) -> LoopSnapshots {
            LoopSnapshots(store: store, interval: interval, write: { [store] in _ = try? $0.write(to: store) }) {
                [self] event in
                switch event {
                case .used(_, let rows, _): used.append(rows)
                case .unusable(_, let reason): reasons.append(reason)
                }
            }
        }
    }

    private func loop(_ pipeline: Pipeline, _ disk: Disk?, every interval: Int64 = 1_000_000_000) throws
        -> ProcessorRunner
    {
        try pipeline.makeLoop(
            policy: Self.policy,
            snapshots: disk?.snapshots(every: interval),
            now: { pipeline.clock.now }
        )
    }

    private func chain(_ pipeline: Pipeline) throws -> String? {
        let view = try StatusView(transport: pipeline.cluster, topics: pipeline.topics)
        defer { view.close() }
        return try view.summaries().first?.chain
    }

    private func chain(_ runner: ProcessorRunner) -> String? {
        var chain: String?
        (runner.processor as? LoopProcessor)?.forEachProject { chain = $0.chain.digest.hex }
        return chain
    }

    /// A pipeline whose loop has decided a journal and stopped in an orderly way, with a snapshot on `disk`.
    private func stopped(_ disk: Disk, rounds: Int = 5) throws -> Pipeline {
        let pipeline = try Recording(seed: 1, rounds: rounds).pipeline()
        let runner = try loop(pipeline, disk)
        try runner.settle()
        runner.task.close()
        #expect(try disk.store.list().contains("t.state-1.snapshot"))
        return pipeline
    }

    private func restored(_ pipeline: Pipeline, _ disk: Disk) throws -> (runner: ProcessorRunner, read: Int) {
        let runner = try loop(pipeline, disk)
        var read = 0
        (runner.processor as? LoopProcessor)?.restored = { _, records, _ in read += records }
        try runner.settle()
        return (runner, read)
    }

    @Test("After an orderly stop only the snapshot and the rows after it are read")
    func ordinary() throws {
        let disk = try Disk()
        let pipeline = try stopped(disk)
        let before = try chain(pipeline)
        let changelog = pipeline.cluster.committed(pipeline.topics[.state], Scenario.partition).count
        let (runner, read) = try restored(pipeline, disk)
        #expect(disk.used.count == 1 && disk.reasons.isEmpty)
        let rows = try #require(disk.used.first)
        // The last transaction's rows are read again: they may or may not have been visible when the end was requested.
        #expect(rows > 60 && read - rows < 20, "\(read) records, \(rows) of them rows; the changelog has \(changelog)")
        #expect(read < changelog / 2)
        #expect(chain(runner) == before)
    }

    @Test(
        "With snapshots at any time, decisions are unchanged, wherever Loop fails",
        arguments: [FaultPlan.Fault.crash, .fatal]
    )
    func everyEffect(fault: FaultPlan.Fault) throws {
        let recording = try Recording(seed: 2, rounds: 5)
        func run(_ step: FaultPlan.Step?) throws -> (pipeline: Pipeline, plan: FaultPlan, used: Int) {
            let (pipeline, disk) = (try recording.pipeline(), try Disk())
            // About every second transaction is followed by another snapshot.
            let plan = try settle(pipeline, group: "loop", step) { plan, instance in
                try pipeline.makeLoop(
                    plan,
                    instance: instance,
                    policy: Self.policy,
                    snapshots: disk.snapshots(every: 0),
                    now: { 0 }
                )
            }
            return (pipeline, plan, disk.used.count)
        }
        let (undisturbed, baselinePlan, _) = try run(nil)
        let expected = undisturbed.decisions()
        var (used, chains) = (0, 0)
        for step in FaultPlan.steps(baselinePlan.effects, [fault]) {
            let (pipeline, plan, count) = try run(step)
            used += count
            #expect(plan.hasStruck, "\(step)")
            let isSame = pipeline.decisions() == expected
            #expect(isSame, "\(step) (\(baselinePlan.effects[step.number]))")
            // An additional run of the worker may write an additional tick, which is an entry of the chain.
            guard pipeline.journal().count == undisturbed.journal().count else { continue }
            #expect(try chain(pipeline) == chain(undisturbed), "\(step)")
            chains += 1
        }
        // After a fatal error a worker continues with its state in memory.
        #expect(fault == .fatal || used > 10, "\(used)")
        #expect(chains > 10, "\(chains)")
    }

    @Test("A snapshot that is damaged anywhere is reported and not used", arguments: 0..<40 as Range<UInt64>)
    func damaged(seed: UInt64) throws {
        let disk = try Disk()
        let pipeline = try stopped(disk, rounds: 2)
        let before = try chain(pipeline)
        var generator = SplitMix64(seed: seed)
        var bytes = try disk.store.read("t.state-1.snapshot")
        switch seed % 4 {
        case 0: bytes.removeLast(1 + generator.next(below: bytes.count - 1))
        case 1: bytes.append(0)
        case 2: bytes = []
        default: bytes[generator.next(below: bytes.count)] ^= UInt8(1 << generator.next(below: 8))
        }
        try disk.store.write(bytes, to: "t.state-1.snapshot")
        let (runner, _) = try restored(pipeline, disk)
        #expect(disk.used.isEmpty && disk.reasons.count == 1, "seed \(seed)")
        #expect(chain(runner) == before, "seed \(seed)")
    }

    @Test("A snapshot with a correct checksum and a wrong row is not used")
    func wrongRow() throws {
        let disk = try Disk()
        let pipeline = try stopped(disk, rounds: 2)
        let before = try chain(pipeline)
        var bytes = Array(try disk.store.read("t.state-1.snapshot").dropLast(32))
        let table = Array("/acquisition.asked/".utf8)
        let index = try #require(
            (0..<bytes.count - table.count).first { bytes[$0..<$0 + table.count].elementsEqual(table) }
        )
        bytes[index + 1] = 0x78
        bytes += SHA256Digest(of: bytes).bytes
        try disk.store.write(bytes, to: "t.state-1.snapshot")
        let (runner, _) = try restored(pipeline, disk)
        #expect(disk.reasons.first?.contains("unknown table") ?? false, "\(disk.reasons)")
        #expect(chain(runner) == before)
    }

    @Test("A snapshot older than a day, or from the future, is not used: it may have missed tombstones")
    func age() throws {
        for (span, isUsed) in [(86_400_000 as Int64, true), (86_400_001, false), (-1, false)] {
            let disk = try Disk()
            let pipeline = try stopped(disk, rounds: 2)
            pipeline.clock.advance(by: span)
            _ = try restored(pipeline, disk)
            #expect(disk.used.isEmpty != isUsed, "\(span) ms: \(disk.reasons)")
        }
    }

    @Test("A snapshot of another cluster, of a deleted beginning, or beyond the end is reported and not used")
    func foreign() throws {
        let disk = try Disk()
        let pipeline = try stopped(disk, rounds: 2)
        let other = try Pipeline(clusterID: "elsewhere")
        _ = try restored(other, disk)
        #expect(disk.reasons.first?.contains("of cluster memory, and this is elsewhere") ?? false)

        pipeline.cluster.delete(TopicPartition(pipeline.topics[.state], Scenario.partition), before: 2)
        #expect(throws: EngineError.self) { try restored(pipeline, disk) }
        #expect(disk.reasons.last?.contains("were deleted") ?? false)

        pipeline.cluster.recreateTopic(pipeline.topics[.state])
        #expect(throws: EngineError.self) { try restored(pipeline, disk) }
        #expect(disk.reasons.last?.contains("the changelog ends at 0") ?? false)
        #expect(disk.used.isEmpty)
    }

    @Test("A recreated state topic that has grown past the snapshot is recognized by its history")
    func recreatedTopic() throws {
        let disk = try Disk()
        let pipeline = try stopped(disk, rounds: 2)
        pipeline.cluster.recreateTopic(pipeline.topics[.state])
        for topicPartition in pipeline.cluster.offsets(of: "loop").keys {
            pipeline.cluster.setOffset(0, of: topicPartition, group: "loop")
        }
        // A worker without snapshots decides again, one record at a time: the changelog is longer and has other
        // offsets.
        pipeline.clock.advance(by: 1_000)
        let tiny = CommitPolicy(interval: 0, maximumRecords: 1, batchSize: 1)
        let runner = try pipeline.makeLoop(policy: tiny)
        try runner.settle()
        runner.task.close()
        let before = try chain(pipeline)
        let (again, _) = try restored(pipeline, disk)
        #expect(disk.reasons.contains { $0.contains("made anew") }, "\(disk.reasons)")
        #expect(chain(again) == before)
    }

    @Test("The memory of a fenced worker becomes no snapshot, and its old snapshot does no harm")
    func zombie() throws {
        let recording = try Recording(seed: 1, rounds: 6)
        var used = 0
        for cycles in 1...6 {
            let (pipeline, disk) = (try recording.pipeline(), try Disk())
            let patient = CommitPolicy(interval: 60_000, maximumRecords: 16, batchSize: 8)
            let zombie = try pipeline.makeLoop(policy: patient, snapshots: disk.snapshots(every: 0), now: { 0 })
            for _ in 0..<cycles { try zombie.task.cycle() }
            let snapshot = try? disk.store.read("t.state-1.snapshot")
            let successor = try pipeline.makeLoop(policy: Self.policy, now: { 0 })
            try successor.settle()
            successor.task.close()
            pipeline.clock.advance(by: 60_000)
            for _ in 0..<20 { try? zombie.task.cycle() }
            zombie.task.abandon()
            #expect((try? disk.store.read("t.state-1.snapshot")) == snapshot, "after \(cycles) cycles")
            let again = try pipeline.makeLoop(policy: Self.policy, snapshots: disk.snapshots(), now: { 0 })
            try again.settle()
            #expect(disk.reasons.isEmpty, "\(disk.reasons)")
            let report = try Replay(transport: pipeline.cluster, topics: pipeline.topics)
                .verify(project: Scenario.project.rawValue, partition: Scenario.partition)
            #expect(
                report.isEqual && report.chain == chain(again),
                "after \(cycles) cycles: \(report.firstDifference ?? "")"
            )
            used += disk.used.count
        }
        #expect(used > 1)
    }

    @Test("A disk that refuses all writes costs only the snapshot")
    func fullDisk() throws {
        let pipeline = try Recording(seed: 1, rounds: 2).pipeline()
        let undisturbed = try Recording(seed: 1, rounds: 2).pipeline()
        try loop(undisturbed, nil).settle()
        let disk = try Disk()
        try FileManager.default.removeItem(atPath: disk.folder)
        try Data("in the way".utf8).write(to: URL(fileURLWithPath: disk.folder))
        let runner = try loop(pipeline, disk, every: 0)
        try runner.settle()
        runner.task.close()
        #expect(pipeline.decisions() == undisturbed.decisions())
        _ = try restored(pipeline, disk)
    }
}
