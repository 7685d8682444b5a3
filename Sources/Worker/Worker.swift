public import EngineCore
internal import Events
internal import Intake
internal import KafkaClient
internal import KafkaTransport
internal import Loop
public import Processes
internal import Storage
internal import StreamRuntime
internal import Synchronization
public import Telemetry

/// A long-lived worker that runs each role on threads of its own until it is stopped.
public final class Worker: Sendable {
    public let configuration: WorkerConfiguration
    public let health = WorkerHealth()
    public let metrics: EngineMetrics
    let logger: Logger
    let stop: StopFlag
    /// Faults of projects that were logged, by the thread of Intake that found them.
    let reportedFaults = Mutex<[Int: Set<ProjectFault>]>([:])
    private let refused = Mutex<EngineError?>(nil)
    /// Directory of `state` that Intake's threads share; nil until one needs it.
    let sharedStateDirectory = Mutex<StateDirectory?>(nil)

    /// Reason why this worker must not run with its configuration, for which it has stopped; nil if there is none.
    public var refusal: EngineError? { refused.withLock { $0 } }

    /// The roles that run here; the console belongs to the code that composes the worker.
    public static let streamRoles: [Role] = [.intake, .loop, .materializer, .trainer]

    public init(configuration: WorkerConfiguration, logger: Logger, registry: MetricsRegistry, stop: StopFlag) {
        self.configuration = configuration
        self.logger = logger
        self.stop = stop
        metrics = EngineMetrics(registry: registry)
    }

    /// Maximum wait for roles to end in order after a stop request, in milliseconds; below the 30 s that supervisors
    /// allow. Work that is unfinished then is as safe as after a kill.
    private static let stopWait: Int64 = 20_000

    /// Starts every role of the configuration, and returns when all have ended, or when one does not end although it
    /// should: a call to an unavailable broker cannot be cancelled.
    public func run() {
        var threads: [RoleThread] = []
        let roles = Self.streamRoles.filter { configuration.roles.contains($0) }
        metrics.register(roles)
        if !roles.isEmpty { threads.append(RoleThread("flywheel.topics") { [self] in watchTopics(roles) }) }
        for role in Self.streamRoles where configuration.roles.contains(role) {
            for number in 0..<configuration.threads(role) {
                health.set(role, thread: number, .starting, at: WallClock.now())
                threads.append(RoleThread("flywheel.\(role.rawValue)") { [self] in run(role, number) })
            }
        }
        while threads.contains(where: { !$0.hasEnded }), !stop.isRaised { WallClock.pause(100) }
        var left = Self.stopWait
        while threads.contains(where: { !$0.hasEnded }), left > 0 {
            WallClock.pause(20)
            left -= 20
        }
        let late = threads.filter { !$0.hasEnded }.map(\.name).joined(separator: ", ")
        guard !late.isEmpty else { return }
        logger.warning(
            "stopped while roles still waited for a broker; nothing is lost, the next start resumes at the last commit",
            ["threads": .string(late), "after_ms": .number(Int(Self.stopWait))]
        )
    }

    /// Keeps a role running: an error that it cannot handle is logged, shown in health, and the work is retried from
    /// the committed offsets.
    private func run(_ role: Role, _ thread: Int) {
        let logger = logger.forModule(role.rawValue)
        var failures = 0
        var explained: Set<TopicPartition> = []
        let standstill = Standstill()
        while !stop.isRaised {
            let began = WallClock.now()
            do {
                try runOnce(role, thread: thread, logger: logger, explained: &explained, standstill: standstill)
                break
            } catch let fault as SaltFault {
                // A worker with another salt would do harm, and a retry cannot help.
                refused.withLock { $0 = $0 ?? fault.error }
                logger.error("refuses to run", ["reason": .string(fault.error.description)])
                stop.raise()
            } catch {
                // After a long run, a failure is not consecutive to the failures before it.
                if WallClock.now() - began > 60_000 { failures = 0 }
                failures += 1
                let isForbidden = (error as? StreamError)?.isForbidden ?? false
                let help = isForbidden ? "; \(AccessRights.help(role.party, configuration.kafka))" : ""
                let reason = "\(error)\(help)"
                health.set(role, thread: thread, .degraded, reason: reason, partitions: 0, at: WallClock.now())
                logger.error(
                    "the role failed and restarts",
                    ["reason": .string(reason), "failures": .number(failures)]
                )
                let longest = Double(min(10_000, 250 << Int64(min(failures, 6))))
                var left = Int64(longest * Double.random(in: 0.5...1))
                while left > 0, !stop.isRaised {
                    WallClock.pause(100)
                    health.set(role, thread: thread, .degraded, reason: reason, partitions: 0, at: WallClock.now())
                    left -= 100
                }
            }
        }
        health.set(role, thread: thread, .stopped, partitions: 0, at: WallClock.now())
        logger.info("stopped")
    }

    /// Error if another salt was in use than this worker's.
    private struct SaltFault: Error { let error: EngineError }

    /// Throws `SaltFault` if members of the role's group, or of the group of another role of this worker, have recorded
    /// another salt: otherwise a role would start, and delay the others of its group, in a worker that another of its
    /// roles is about to end.
    private func checkSalt(_ role: Role, _ topics: [String], _ transport: KafkaStreamTransport) throws {
        do {
            if let digest = configuration.saltDigest(role) {
                try digest.check(group: configuration.group(role), of: role, topics: topics, transport: transport)
            }
            for (other, inputs) in [(Role.intake, IntakeProcessor.inputs), (.loop, LoopProcessor.inputs)]
            where other != role {
                guard configuration.roles.contains(other), let digest = configuration.saltDigest(other) else {
                    continue
                }
                do {
                    try digest.check(
                        group: configuration.group(other),
                        of: other,
                        topics: inputs.map { configuration.topics[$0] },
                        transport: KafkaStreamTransport(properties: configuration.properties(other))
                    )
                } catch is StreamError {
                    // The other role reports partitions that it may not read.
                }
            }
        } catch let error as EngineError {
            throw SaltFault(error: error)
        }
    }

    /// Work that a role has left undone, over all its runs. Used on the role's thread.
    private final class Standstill {
        var since: Int64?
        /// Whether no broker has answered the check at the beginning of a run.
        var isUnreachable = false
        /// Result of the last attempt.
        var cause = ""

        func observe(_ event: StreamTaskEvent) {
            switch event {
            case .aborted(let error), .restarted(let error), .retrying(let error, _): cause = error.description
            case .refused(let text): cause = text
            case .committed: cause = ""
            default: break
            }
        }
    }

    /// Milliseconds within which a broker must answer before the role reports that none does.
    private static let answerWait = 3_000

    /// Checks whether a broker answers, and reports at once if none does: the following steps wait much longer before
    /// they report anything.
    private func findBroker(
        _ role: Role,
        thread: Int,
        logger: Logger,
        standstill: Standstill
    ) throws {
        let properties = configuration.properties(role)
        let isReachable = try KafkaConnection.check(properties, timeoutMilliseconds: Self.answerWait)
        guard !isReachable else { return }
        let address = properties["bootstrap.servers"] ?? "bootstrap.servers"
        let reason =
            "no broker at \(address) has answered within \(Self.answerWait / 1_000) s; the role keeps trying"
        health.set(role, thread: thread, .degraded, reason: reason, partitions: 0, at: WallClock.now())
        noteReachable(false, role: role, logger: logger, standstill: standstill, reason: reason)
    }

    private func noteReachable(
        _ isReachable: Bool,
        role: Role,
        logger: Logger,
        standstill: Standstill,
        reason: String = ""
    ) {
        metrics.observe(isReachable: isReachable, role)
        guard standstill.isUnreachable == isReachable else { return }
        standstill.isUnreachable = !isReachable
        if isReachable {
            logger.notice("a broker answers again")
        } else {
            logger.warning("no broker answers", ["reason": .string(reason)])
        }
    }

    /// Runs a role once, from the creation of its clients until they are closed. `explained` contains the partitions of
    /// the previous run if that run was ended by its clients and not by a record; after a failure, those of this run.
    private func runOnce(
        _ role: Role,
        thread: Int,
        logger: Logger,
        explained: inout Set<TopicPartition>,
        standstill: Standstill
    ) throws {
        let help = AccessRights.help(role.party, configuration.kafka)
        try findBroker(role, thread: thread, logger: logger, standstill: standstill)
        let transport = KafkaStreamTransport(
            properties: configuration.properties(role),
            delivery: role == .intake ? configuration.intakeDelivery : .exactlyOnce
        )
        try RoleTopics.check(
            role,
            transport: transport,
            topics: configuration.topics,
            properties: configuration.kafka
        )
        // A response shows that a broker is reachable.
        noteReachable(true, role: role, logger: logger, standstill: standstill)
        let components = try makeComponents(role, thread: thread, transport: transport, logger: logger)
        defer { components.finish() }
        let names = components.inputs.map { configuration.topics[$0] }
        try checkSalt(role, names, transport)
        let task = try StreamTask(
            transport: transport,
            processor: components.processor,
            group: configuration.group(role),
            instance: configuration.member(role, thread: thread),
            transactionalID: configuration.transactionalID(role, thread: thread),
            topics: names,
            policy: CommitPolicy(interval: components.interval, maximumRecords: components.maximumRecords),
            explained: explained,
            agreement: configuration.saltDigest(role)?.attribute,
            environment: StreamTaskEnvironment(
                now: WallClock.now,
                pause: WallClock.pause,
                jitter: { Double.random(in: 0..<1) },
                isStopping: { [stop] in stop.isRaised },
                observe: { [metrics, health] event in
                    metrics.observe(event, role)
                    standstill.observe(event)
                    // The next transaction that commits reports the recovery.
                    if case .retrying(let error, _) = event {
                        health.set(role, thread: thread, .degraded, reason: error.description, at: WallClock.now())
                    }
                    components.watch(event)
                    Self.log(event, logger)
                    guard let error = event.error, error.isForbidden else { return }
                    // Only a person can correct this, so it is an error and not one warning among others.
                    logger.error("missing permission", ["reason": .string("\(error); \(help)")])
                }
            )
        )
        task.unsettledSince = standstill.since
        do {
            var lastReadAt: Int64 = 0
            var hasJoined = false
            while !stop.isRaised {
                try task.cycle()
                if task.waitsSince == nil { hasJoined = true }
                if !task.assignment.isEmpty { explained.removeAll() }
                let now = WallClock.now()
                standstill.since = task.unsettledSince
                if now - lastReadAt >= 1_000 || now < lastReadAt {
                    lastReadAt = now
                    health.remark(role, thread: thread, components.remarks())
                }
                let degradation =
                    (components.processor as? any PausingProcessor)?.backoff.reason ?? task.connectivityError?
                    .description
                    ?? components.degradation()
                    ?? WorkerHealth.standstill(since: standstill.since, cause: standstill.cause, at: now)
                    ?? components.lateDegradation()
                let waiting = WorkerHealth.waiting(since: task.waitsSince, hasJoined: hasJoined, at: now)
                let condition: WorkerHealth.Condition =
                    degradation != nil ? .degraded : waiting != nil ? .starting : .running
                health.set(
                    role,
                    thread: thread,
                    condition,
                    reason: degradation ?? waiting ?? "",
                    partitions: task.assignment.count,
                    at: now
                )
            }
        } catch {
            // The process is alive, so no record has killed it. Partitions that an earlier run owned, and that this run
            // was never assigned, count too.
            explained.formUnion(task.assignment)
            standstill.since = task.unsettledSince
            task.abandon()
            if let disagreement = error as? OffsetDisagreement, let digest = configuration.saltDigest(role) {
                throw SaltFault(error: digest.fault(disagreement, role, group: configuration.group(role)))
            }
            throw error
        }
        task.close()
    }
}

extension StreamTaskEvent {
    /// Error from which the task tries to recover; nil for other events.
    fileprivate var error: StreamError? {
        switch self {
        case .retrying(let error, _), .aborted(let error), .restarted(let error): error
        default: nil
        }
    }
}
