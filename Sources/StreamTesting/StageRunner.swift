public import StreamRuntime

/// One worker of one stage, turned by hand on the thread of the test.
public final class StageRunner {
    public let stage: any StreamStage
    public let task: StreamTask
    private let cluster: InMemoryCluster
    /// What the task told, oldest first.
    public var events: [StreamTaskEvent] { log.events }
    private let log: EventLog

    /// - Parameters:
    ///   - plan: Where it fails; nowhere unless given.
    ///   - makeStage: Makes the stage with the transport that it is to use.
    public init(
        cluster: InMemoryCluster,
        plan: FaultPlan = FaultPlan(),
        group: String,
        instance: String,
        transactionalID: String? = nil,
        topics: [String],
        policy: CommitPolicy = CommitPolicy(interval: 0),
        makeStage: (any StreamTransport) throws -> any StreamStage
    ) throws {
        let transport = FaultyTransport(cluster, plan)
        self.cluster = cluster
        let log = EventLog()
        self.log = log
        stage = try makeStage(transport)
        let clock = cluster.clock
        task = try StreamTask(
            transport: transport,
            stage: stage,
            group: group,
            instance: instance,
            transactionalID: transactionalID ?? "\(group).\(instance)",
            topics: topics,
            policy: policy,
            environment: StreamTaskEnvironment(
                now: { clock.now },
                pause: { clock.advance(by: $0) },
                jitter: { 0 },
                observe: { log.events.append($0) }
            )
        )
    }

    /// Turns until nothing happens any more.
    ///
    /// - Returns: Turns taken.
    @discardableResult
    public func settle(maximum: Int = 100_000) throws -> Int {
        var (turns, idle) = (0, 0)
        while idle < 3, turns < maximum {
            let before = cluster.activity
            try task.cycle()
            turns += 1
            idle = cluster.activity == before ? idle + 1 : 0
        }
        return turns
    }

    private final class EventLog {
        var events: [StreamTaskEvent] = []
    }
}
