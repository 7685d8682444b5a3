import DatasetFiles
import EngineCore
import Events
import Flywheel
import Foundation
import Fuzzing
import Intake
import Loop
import Materializer
import Storage
import StreamRuntime
import StreamTesting
import Trainer
import Vocabulary

/// All roles of a worker over one in-memory cluster, run step by step, and events that they should not have reported.
final class Pipeline {
    let clock = SimulatedClock()
    let cluster: InMemoryCluster
    let topics = TopicNames(prefix: "t.")
    /// Folder of all files of the workers.
    let root: String
    let store: DatasetStore
    /// False for a cluster with an external trainer.
    let hasTrainer: Bool
    /// Disturbances that no input may cause, oldest first.
    private(set) var disturbances: [String] = []
    /// Counts of the earlier workers.
    private(set) var counts = Counts()
    private let settings: Settings
    private var runners: [Role: ProcessorRunner] = [:]
    private var run = 0

    struct Settings {
        var deadLettersPerSecond = 1_000_000
        var entryLimits = EntryLimits.usual
        var batchSize = 1_000
        var hasTrainer = true
    }

    struct Counts {
        var read: Int64 = 0
        var accepted: Int64 = 0
        var dead: Int64 = 0
        var dropped: Int64 = 0
        /// Accepted feedback from users who were not drawn.
        var undrawn: Int64 = 0
        var applied: Int64 = 0
        var unreadable: Int64 = 0
        var refusals: [String: Int64] = [:]
    }

    static let roles: [Role] = [.intake, .loop, .materializer, .trainer]
    static let partitions: Int32 = 2
    private static let tokens = TokenKeys(salt: [1, 2, 3])
    /// Maximum size of a record on a topic that people and services write to, by the default of brokers.
    static let recordLimit = 1_048_588

    init(folder: String, settings: Settings) throws {
        root = folder + "/data"
        try? FileManager.default.removeItem(atPath: folder)
        cluster = InMemoryCluster(clock: clock)
        self.settings = settings
        hasTrainer = settings.hasTrainer
        store = DatasetStore(objects: try FolderStore(root: root + "/datasets"))
        for topic in Topic.allCases {
            let partitions = topic.partitioning == .single ? 1 : Int(Self.partitions)
            // A dead letter holds the largest record and its reason.
            let limit = topic == .deadLetters || topic.partitioning == .traffic ? 8_388_608 : Self.recordLimit
            cluster.createTopic(topics[topic], partitions: partitions, maximumBytes: limit)
        }
        try start()
    }

    private func start() throws {
        run += 1
        let (topics, clock, settings) = (topics, clock, settings)
        runners[.intake] = try runner(.intake, IntakeProcessor.inputs) { transport in
            IntakeProcessor(
                topics: topics,
                directory: try ProjectDirectory(transport: transport, topics: topics, now: { clock.now }),
                state: try StateDirectory(transport: transport, topics: topics, salt: [1, 2, 3]),
                salt: [1, 2, 3],
                tokens: Self.tokens,
                worker: "w",
                partitionCount: Int(Self.partitions),
                deadLettersPerSecond: settings.deadLettersPerSecond,
                entryLimits: settings.entryLimits,
                now: { clock.now }
            )
        }
        runners[.loop] = try runner(.loop, LoopProcessor.inputs) { [weak self] transport in
            let loop = try LoopProcessor(
                topics: topics,
                transport: transport,
                worker: "w",
                tokens: Self.tokens,
                now: { clock.now }
            )
            loop.pauseChanged = { name, pause in
                self?.disturbances.append("project \(name) paused: \(String(describing: pause))")
            }
            loop.stopped = { self?.disturbances.append("the loop stopped: \($0)") }
            return loop
        }
        runners[.materializer] = try runner(.materializer, MaterializerProcessor.inputs) {
            [weak self, store] transport in
            let processor = MaterializerProcessor(topics: topics, transport: transport, store: store, jitter: { 0 })
            processor.stopped = { self?.disturbances.append("the materializer stopped: \($0)") }
            processor.storagePaused = { self?.disturbances.append("the materializer's disk refuses: \($0)") }
            return processor
        }
        guard hasTrainer else { return }
        let artifacts = try FolderStore(root: root + "/artifacts")
        runners[.trainer] = try runner(.trainer, TrainerProcessor.inputs) { [weak self] transport in
            let processor = TrainerProcessor(
                topics: topics,
                transport: transport,
                artifacts: artifacts,
                now: { clock.now },
                jitter: { 0 }
            )
            processor.storagePaused = { self?.disturbances.append("the trainer's disk refuses: \($0)") }
            return processor
        }
    }

    private func runner(
        _ role: Role,
        _ inputs: [Topic],
        _ makeProcessor: (any StreamTransport) throws -> any Processor
    ) throws -> ProcessorRunner {
        try ProcessorRunner(
            cluster: cluster,
            group: role.rawValue,
            instance: "w",
            topics: inputs.map { topics[$0] },
            policy: CommitPolicy(interval: 0, batchSize: settings.batchSize),
            makeProcessor: makeProcessor
        )
    }

    /// Runs all roles until nothing happens any more.
    func settle() throws {
        for role in Self.roles + [.intake, .loop] { try runners[role]?.settle() }
    }

    /// Stops the workers gracefully, and starts others in their place.
    func restart() throws {
        stop()
        try start()
    }

    /// Stops the workers and records their events and counts.
    func stop() {
        for role in Self.roles {
            guard let runner = runners[role] else { continue }
            runner.task.close()
            collectResults(runner, role)
        }
        runners = [:]
    }

    private func collectResults(_ runner: ProcessorRunner, _ role: Role) {
        for event in runner.events {
            switch event {
            case .aborted, .restarted, .retrying, .refused, .quarantining, .foundUnclean, .unreachable, .expired:
                disturbances.append("\(role) in run \(run): \(event)")
            case .assigned, .unassigned, .committed, .reachable, .paused, .resumed: break
            }
        }
        if let intake = runner.processor as? IntakeProcessor {
            counts.read += intake.counts.read
            counts.accepted += intake.counts.accepted
            counts.dead += intake.counts.deadTotal
            counts.dropped += intake.counts.droppedTotal
            counts.undrawn += intake.counts.feedbackLeftOut
        } else if let loop = runner.processor as? LoopProcessor {
            counts.applied += loop.counts.entries
            counts.unreadable += loop.counts.unreadable
            counts.refusals.merge(loop.counts.refused) { $0 + $1 }
        }
    }

    /// Every project of the running loop, with its rows as the changelog holds them.
    func liveRows() -> [String: [[UInt8]: [UInt8]]] {
        var rows: [String: [[UInt8]: [UInt8]]] = [:]
        (runners[.loop]?.processor as? LoopProcessor)?.forEachProject { project in
            let name = project.state.project.rawValue
            rows[name] = Dictionary(project.changelogRows(as: name).map { ($0.key, $0.value) }) { $1 }
        }
        return rows
    }
}
