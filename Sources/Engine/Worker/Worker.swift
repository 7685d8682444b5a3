internal import Events
internal import KafkaClient
internal import KafkaTransport
internal import Storage
internal import StreamRuntime
public import Telemetry

/// A long-lived worker: one thread a role, until it is told to stop.
public final class Worker: Sendable {
    public let configuration: WorkerConfiguration
    public let health = WorkerHealth()
    public let metrics: EngineMetrics
    private let logger: Logger
    private let stop: StopFlag

    /// The roles that run here; the console belongs to whoever composes it.
    public static let streamRoles: [Role] = [.intake, .loop, .materializer, .trainer]

    public init(configuration: WorkerConfiguration, logger: Logger, registry: MetricsRegistry, stop: StopFlag) {
        self.configuration = configuration
        self.logger = logger
        self.stop = stop
        metrics = EngineMetrics(registry: registry)
    }

    /// Starts every role of the configuration, and returns when all have ended.
    public func run() {
        let threads = Self.streamRoles.filter { configuration.roles.contains($0) }.map { role in
            health.set(role, .starting, at: WallClock.now())
            return RoleThread("flywheel.\(role.rawValue)") { [self] in run(role) }
        }
        for thread in threads { thread.join() }
    }

    /// Keeps a role going: what it cannot cure is logged, shown in health, and tried again from the committed offsets.
    private func run(_ role: Role) {
        let logger = logger.forModule(role.rawValue)
        var failures = 0
        while !stop.isRaised {
            let began = WallClock.now()
            do {
                try turn(role, logger)
                break
            } catch {
                // One that has worked for long has not failed in a row.
                if WallClock.now() - began > 60_000 { failures = 0 }
                failures += 1
                health.set(role, .degraded, reason: "\(error)", partitions: 0, at: WallClock.now())
                logger.error(
                    "the role failed and begins anew",
                    ["reason": .string("\(error)"), "failures": .number(failures)]
                )
                let longest = Double(min(10_000, 250 << Int64(min(failures, 6))))
                var left = Int64(longest * Double.random(in: 0.5...1))
                while left > 0, !stop.isRaised {
                    WallClock.pause(100)
                    health.set(role, .degraded, reason: "\(error)", partitions: 0, at: WallClock.now())
                    left -= 100
                }
            }
        }
        health.set(role, .stopped, partitions: 0, at: WallClock.now())
        logger.info("stopped")
    }

    /// One life of a role, from its clients' making to their closing.
    private func turn(_ role: Role, _ logger: Logger) throws {
        let transport = KafkaStreamTransport(properties: properties(role))
        try RoleTopics.check(role, transport: transport, topics: configuration.topics)
        let (stage, inputs, interval, watch) = try makeStage(role, transport, logger)
        let task = try StreamTask(
            transport: transport,
            stage: stage,
            group: configuration.group(role),
            instance: "\(configuration.instance)-\(role.rawValue)",
            transactionalID: configuration.transactionalID(role),
            topics: inputs.map { configuration.topics[$0] },
            policy: CommitPolicy(interval: interval),
            environment: StreamTaskEnvironment(
                now: WallClock.now,
                pause: WallClock.pause,
                jitter: { Double.random(in: 0..<1) },
                observe: { [metrics, health] event in
                    metrics.observe(event, role)
                    // The next turn that comes through says that it is over.
                    if case .retrying(let error, _) = event {
                        health.set(role, .degraded, reason: error.description, at: WallClock.now())
                    }
                    watch(event)
                    Self.log(event, logger)
                }
            )
        )
        do {
            while !stop.isRaised {
                try task.cycle()
                let trouble = (stage as? any HoldingStage)?.holdUp.reason ?? task.trouble?.description
                health.set(
                    role,
                    trouble == nil ? .running : .degraded,
                    reason: trouble ?? "",
                    partitions: task.assignment.count,
                    at: WallClock.now()
                )
            }
        } catch {
            task.abandon()
            throw error
        }
        task.close()
    }

    private func properties(_ role: Role) -> KafkaProperties {
        var properties = configuration.kafka
        // Dead letters are the largest records; every other topic refuses what is too large by its own limit.
        if properties["message.max.bytes"] == nil { properties["message.max.bytes"] = "8388608" }
        // A repeat of a study is computed between two polls, and may take its time.
        if role == .trainer, properties["max.poll.interval.ms"] == nil {
            properties["max.poll.interval.ms"] = "3600000"
        }
        return properties
    }

    private static func log(_ event: StreamTaskEvent, _ logger: Logger) {
        switch event {
        case .assigned(let partitions):
            logger.info(
                "partitions assigned",
                ["partitions": .string(partitions.map(\.description).joined(separator: " "))]
            )
        case .unassigned(let partitions, let lost):
            logger.info("partitions gone", ["count": .number(partitions.count), "lost": .bool(lost)])
        case .committed(let records, let outputs, let milliseconds):
            logger.debug(
                "committed",
                ["records": .number(records), "outputs": .number(outputs), "ms": .number(milliseconds)]
            )
        case .aborted(let error): logger.warning("transaction aborted", ["reason": .string(error.description)])
        case .restarted(let error): logger.warning("producer made anew", ["reason": .string(error.description)])
        case .expired(let partition, let from, let to):
            logger.error(
                "records expired before they were read",
                ["partition": .string(partition.description), "from": .number(from), "to": .number(to)]
            )
        case .unreachable(let error): logger.warning("no broker answers", ["reason": .string(error.description)])
        case .reachable: logger.notice("a broker answers again")
        case .paused(let partitions): logger.debug("fetching paused", ["partitions": .number(partitions.count)])
        case .resumed(let partitions): logger.debug("fetching goes on", ["partitions": .number(partitions.count)])
        case .retrying(let error, let attempt):
            logger.info("trying again", ["reason": .string(error.description), "attempt": .number(attempt)])
        }
    }

    // MARK: - Stages

    private typealias Parts = (
        stage: any StreamStage, inputs: [Topic], interval: Int64, watch: (StreamTaskEvent) -> Void
    )

    private func makeStage(_ role: Role, _ transport: KafkaStreamTransport, _ logger: Logger) throws -> Parts {
        let topics = configuration.topics
        switch role {
        case .intake:
            let directory = try ProjectDirectory(transport: transport, topics: topics)
            let reader = try transport.makeReader(topics: [topics[.predictions]])
            defer { reader.close() }
            let stage = IntakeStage(
                topics: topics,
                directory: directory,
                salt: configuration.salt,
                worker: configuration.instance,
                partitionCount: try reader.partitions(of: topics[.predictions]).count,
                now: WallClock.now
            )
            var last = IntakeCounts()
            return (
                stage, IntakeStage.inputs, configuration.intakeInterval,
                { [metrics, stage] event in
                    guard case .committed = event else { return }
                    metrics.observe(stage.counts, since: last)
                    last = stage.counts
                }
            )
        case .loop:
            let stage = try LoopStage(
                topics: topics,
                transport: transport,
                worker: configuration.instance,
                now: WallClock.now
            )
            stage.restored = { partition, records, milliseconds in
                logger.info(
                    "partition restored",
                    ["partition": .number(partition), "records": .number(records), "ms": .number(milliseconds)]
                )
            }
            var last = LoopCounts()
            var lastSummaryAt: Int64 = 0
            return (
                stage, LoopStage.inputs, configuration.loopInterval,
                { [metrics, stage] event in
                    guard case .committed = event else { return }
                    metrics.observe(stage.counts, since: last)
                    last = stage.counts
                    let now = WallClock.now()
                    guard now - lastSummaryAt >= 1_000 else { return }
                    lastSummaryAt = now
                    stage.forEachProject { metrics.observe(ProjectSummary($0)) }
                }
            )
        case .materializer:
            let objects = try openStore(configuration.storePath, logger)
            let stage = MaterializerStage(topics: topics, store: DatasetStore(objects: objects))
            stage.heldUp = watchHoldUps(role, logger)
            return (stage, MaterializerStage.inputs, configuration.loopInterval, { _ in })
        case .trainer, .console:
            let artifacts = try openStore(configuration.artifactsPath, logger)
            let stage = TrainerStage(topics: topics, transport: transport, artifacts: artifacts, now: WallClock.now)
            stage.heldUp = watchHoldUps(role, logger)
            stage.resumed = { request, count in
                logger.info("study taken up again", ["request": .string("\(request)"), "finished": .number(count)])
            }
            stage.failed = { logger.error("training failed", ["reason": .string($0)]) }
            return (stage, TrainerStage.inputs, configuration.loopInterval, { _ in })
        }
    }
}
