package import DatasetFiles
package import EngineCore
package import Events
package import Flywheel
internal import Foundation
package import Intake
internal import JSON
internal import Learner
package import Loop
internal import Materializer
package import S3
internal import Statistics
package import Storage
package import StreamRuntime
package import StreamTesting
internal import Trainer
internal import Vocabulary

/// All processors over one in-memory cluster, a product service and a label tool, run manually.
package final class Pipeline {
    package let clock: SimulatedClock
    package let cluster: InMemoryCluster
    package let topics = TopicNames(prefix: "t.")
    package let configuration: ProjectConfiguration
    package let store: DatasetStore
    package let artifacts: any ObjectStore
    /// Client of the processors that request versions and models, if these are stored in an S3 bucket.
    package let buckets: S3Client?
    package var scenario: Scenario
    /// Folders in which Intake searches for artifacts; nil for none.
    package var artifactFolders: ArtifactFolders?
    /// Whether the product service runs the challenger beside the champion.
    package var runsChallenger = true
    /// Whether Intake reads which samples the loop has queried.
    package var readsState = true
    private let tokens: TokenKeys
    private let folder: URL
    var models: [String: SoftmaxRegression] = [:]
    var votes: [String: Int] = [:]
    var feedbacks = 0
    private lazy var intake = try? makeIntake(readsState: readsState)
    private lazy var loop = try? makeLoop()
    private lazy var materializer = try? makeMaterializer()
    private lazy var trainer = try? makeTrainer()

    package init(
        seed: UInt64 = 1,
        clusterID: String = "memory",
        configuration: ProjectConfiguration = Scenario.configuration(),
        isApplied: Bool = true,
        deadLetterLimit: Int? = nil,
        tokens: TokenKeys? = nil,
        transactionTimeout: Int64 = 10_000,
        buckets: S3Client? = nil,
        compression: StoreCompression = .none
    ) throws {
        self.buckets = buckets
        clock = SimulatedClock()
        cluster = InMemoryCluster(clock: clock, clusterID: clusterID, transactionTimeout: transactionTimeout)
        self.configuration = configuration
        self.tokens = tokens ?? .pipeline
        scenario = Scenario(seed: seed)
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("plant-\(UUID().uuidString)")
        if let buckets {
            let objects = S3Store(.pipeline("datasets"), client: buckets)
            store = DatasetStore(objects: objects, compression: compression)
            artifacts = S3Store(.pipeline("artifacts"), client: buckets)
        } else {
            let objects = try FolderStore(root: folder.path + "/datasets")
            store = DatasetStore(objects: objects, compression: compression)
            artifacts = try FolderStore(root: folder.path + "/artifacts")
        }
        if let deadLetterLimit {
            cluster.createTopic(topics[.deadLetters], partitions: 2, maximumBytes: deadLetterLimit)
        }
        for topic in Topic.allCases {
            let partitions = topic.partitioning == .single ? 1 : 2
            let isLarge = topic.partitioning == .traffic
            cluster.createTopic(topics[topic], partitions: partitions, maximumBytes: isLarge ? 8_388_608 : 1_048_588)
        }
        guard isApplied else { return }
        try cluster.append(
            OutputRecord(
                topic: topics[.projects],
                partition: 0,
                key: Array(Scenario.project.rawValue.utf8),
                value: configuration.jsonBytes
            )
        )
    }

    /// The folder that contains the files of this pipeline.
    package var root: String { folder.path }

    deinit { try? FileManager.default.removeItem(at: folder) }

    // MARK: - Workers

    package func makeIntake(
        _ plan: FaultPlan = FaultPlan(),
        instance: String = "w1",
        policy: CommitPolicy = CommitPolicy(interval: 0),
        lethal: LethalRecord? = nil,
        other: LethalRecord? = nil,
        deadLettersPerSecond: Int = 1_000,
        entryLimits: EntryLimits = .usual,
        readsState: Bool = true,
        tokens: TokenKeys? = nil,
        now: (() -> Int64)? = nil,
        wallClock: (() -> Int64)? = nil
    ) throws -> ProcessorRunner {
        try runner(
            .intake,
            plan,
            instance: instance,
            policy: policy,
            inputs: IntakeProcessor.inputs,
            wallClock: wallClock
        ) {
            [topics, clock, artifactFolders, defaultTokens = self.tokens] transport in
            let processor = IntakeProcessor(
                topics: topics,
                directory: try ProjectDirectory(transport: transport, topics: topics, now: { clock.now }),
                state: readsState ? try StateDirectory(transport: transport, topics: topics, salt: [1, 2, 3]) : nil,
                artifactFolders: artifactFolders,
                salt: [1, 2, 3],
                tokens: tokens ?? defaultTokens,
                worker: instance,
                partitionCount: 2,
                deadLettersPerSecond: deadLettersPerSecond,
                entryLimits: entryLimits,
                now: now ?? { clock.now },
                hasHistory: { try IntakeProcessor.hasJournal(transport, topics) }
            )
            let crashing = lethal.map { CrashingProcessor(processor, $0) as any Processor } ?? processor
            return other.map { CrashingProcessor(crashing, $0) } ?? crashing
        }
    }

    /// Creates a loop whose timers follow `now`; if it is nil, `wallClock`, or if that is nil, the pipeline's clock.
    package func makeLoop(
        _ plan: FaultPlan = FaultPlan(),
        instance: String = "w1",
        policy: CommitPolicy = CommitPolicy(interval: 0),
        lethal: LethalRecord? = nil,
        snapshots: LoopSnapshots? = nil,
        tokens: TokenKeys? = nil,
        now: (() -> Int64)? = nil,
        wallClock: (() -> Int64)? = nil
    ) throws -> ProcessorRunner {
        let now = now ?? wallClock
        return try runner(
            .loop,
            plan,
            instance: instance,
            policy: policy,
            inputs: LoopProcessor.inputs,
            wallClock: wallClock
        ) {
            [topics, clock, defaultTokens = self.tokens] transport in
            let transport = lethal.map { LethalTransport(transport, $0) as any StreamTransport } ?? transport
            let processor = try LoopProcessor(
                topics: topics,
                transport: transport,
                worker: instance,
                tokens: tokens ?? defaultTokens,
                snapshots: snapshots,
                now: now ?? { clock.now }
            )
            return lethal.map { CrashingProcessor(processor, $0) } ?? processor
        }
    }

    package func makeMaterializer(
        _ plan: FaultPlan = FaultPlan(),
        instance: String = "w1",
        store: DatasetStore? = nil,
        keepEvery: Int64 = 20_000
    ) throws -> ProcessorRunner {
        try runner(
            .materializer,
            plan,
            instance: instance,
            policy: CommitPolicy(interval: 0),
            inputs: MaterializerProcessor.inputs
        ) {
            [topics, defaultStore = self.store] transport in
            MaterializerProcessor(
                topics: topics,
                transport: transport,
                store: store ?? defaultStore,
                keepEvery: keepEvery,
                jitter: { 0 }
            )
        }
    }

    /// Creates a trainer that reports after the given milliseconds of work; the clock does not advance meanwhile.
    package func makeTrainer(
        _ plan: FaultPlan = FaultPlan(),
        instance: String = "w1",
        artifacts: (any ObjectStore)? = nil,
        budget: Int64 = 1_000
    ) throws -> ProcessorRunner {
        try runner(
            .trainer,
            plan,
            instance: instance,
            policy: CommitPolicy(interval: 0),
            inputs: TrainerProcessor.inputs
        ) {
            [topics, defaultArtifacts = self.artifacts, clock, buckets] transport in
            TrainerProcessor(
                topics: topics,
                transport: transport,
                artifacts: artifacts ?? defaultArtifacts,
                buckets: buckets,
                budget: budget,
                now: { clock.now },
                jitter: { 0 }
            )
        }
    }

    private func runner(
        _ role: Role,
        _ plan: FaultPlan,
        instance: String,
        policy: CommitPolicy,
        inputs: [Topic],
        wallClock: (() -> Int64)? = nil,
        _ makeProcessor: (any StreamTransport) throws -> any Processor
    ) throws -> ProcessorRunner {
        try ProcessorRunner(
            cluster: cluster,
            plan: plan,
            group: role.rawValue,
            instance: instance,
            topics: inputs.map { topics[$0] },
            policy: policy,
            now: wallClock,
            makeProcessor: makeProcessor
        )
    }

    package var intakeProcessor: IntakeProcessor? { intake?.processor as? IntakeProcessor }
    package var loopProcessor: LoopProcessor? { loop?.processor as? LoopProcessor }

    // MARK: - Rounds

    /// Serves samples, lets every processor settle, answers tasks, and advances the time.
    package func round(serving count: Int = 8, time: Int64 = 1_500) throws {
        try serve(count)
        try settle()
        try annotate()
        try settle()
        clock.advance(by: time)
        try settle()
    }

    package func settle() throws {
        for runner in [intake, loop, materializer, trainer, intake, loop] { try runner?.settle() }
    }

    /// Creates a pipeline with the content of another one's topics, which no worker has processed yet.
    package static func prepared(_ topics: [Topic], from source: Pipeline, buckets: S3Client? = nil) throws -> Pipeline
    {
        let pipeline = try Pipeline(buckets: buckets)
        for topic in topics {
            for record in source.cluster.committed(source.topics[topic], Scenario.partition) {
                let copy = OutputRecord(
                    topic: pipeline.topics[topic],
                    partition: Scenario.partition,
                    key: record.key,
                    value: record.value,
                    headers: record.headers
                )
                try pipeline.cluster.append(copy)
            }
        }
        return pipeline
    }

    package func send(_ topic: Topic, _ value: [UInt8]?, headers: [RecordHeader] = [], partition: Int32 = 0) throws {
        try cluster.append(
            OutputRecord(topic: topics[topic], partition: partition, key: [0x6B], value: value, headers: headers)
        )
    }

    // MARK: - The journal

    package func journal() -> [StoredRecord] { cluster.committed(topics[.journal], Scenario.partition) }

    /// Topic, id and value of every decision, in the order of the topics.
    package func decisions() -> [WrittenDecision] {
        let decided: [Topic] = [
            .labelingTasks, .datasetLog, .trainingRequests, .modelReleases, .releaseLog, .notices, .deadLetters,
        ]
        return decided.flatMap { topic in
            cluster.committed(topics[topic]).map {
                let id = topic == .deadLetters ? $0.header("flywheel.reason.code") : $0.header("ce_id")
                return WrittenDecision(topic: topic, id: id ?? "", value: $0.value ?? [])
            }
        }
    }
}

extension TokenKeys {
    /// Token keys of a pipeline's workers.
    package static let pipeline = TokenKeys(salt: [1, 2, 3])
}

/// A decision as it was written to a topic.
package struct WrittenDecision: Hashable {
    package let topic: Topic
    package let id: String
    package let value: [UInt8]

    /// Number of the entry from which the decision follows: ids consist of project, entry and index.
    package var entryNumber: Int { id.split(separator: "-").dropLast().last.flatMap { Int($0) } ?? 0 }
}

/// Returns how often each element occurs.
package func counted<T: Hashable>(_ elements: some Sequence<T>) -> [T: Int] {
    var counts: [T: Int] = [:]
    for element in elements { counts[element, default: 0] += 1 }
    return counts
}
