public import StreamRuntime

/// One worker of one processor, run by hand on the thread of the test.
public final class ProcessorRunner {
    /// Processor that the worker runs.
    public let processor: any Processor
    /// The commit cycle of the worker.
    public let task: StreamTask
    private let cluster: InMemoryCluster
    /// Events reported by the task, oldest first.
    public var events: [StreamTaskEvent] { log.events }
    private let log: EventLog

    /// A worker that fails where `plan` specifies, by default nowhere. `makeProcessor` makes the processor with the
    /// transport that it is to use; the transactional id defaults to one made of group and instance, and the worker's
    /// clock is the cluster's unless `now` is given.
    public init(
        cluster: InMemoryCluster,
        plan: FaultPlan = FaultPlan(),
        group: String,
        instance: String,
        transactionalID: String? = nil,
        topics: [String],
        policy: CommitPolicy = CommitPolicy(interval: 0),
        explained: Set<TopicPartition> = [],
        agreement: OffsetAttribute? = nil,
        now: (() -> Int64)? = nil,
        makeProcessor: (any StreamTransport) throws -> any Processor
    ) throws {
        let transport = FaultyTransport(cluster, plan)
        self.cluster = cluster
        let log = EventLog()
        self.log = log
        processor = try makeProcessor(transport)
        let clock = cluster.clock
        task = try StreamTask(
            transport: transport,
            processor: processor,
            group: group,
            instance: instance,
            transactionalID: transactionalID ?? "\(group).\(instance)",
            topics: topics,
            policy: policy,
            explained: explained,
            agreement: agreement,
            environment: StreamTaskEnvironment(
                now: now ?? { clock.now },
                pause: { clock.advance(by: $0) },
                jitter: { 0 },
                observe: { log.events.append($0) }
            )
        )
    }

    /// Runs cycles until nothing happens any more, at most `maximum`; an error of the task is rethrown.
    public func settle(maximum: Int = 100_000) throws {
        var (cycles, idle) = (0, 0)
        while idle < 3, cycles < maximum {
            let before = cluster.activity
            try task.cycle()
            cycles += 1
            idle = cluster.activity == before ? idle + 1 : 0
        }
    }

    private final class EventLog {
        var events: [StreamTaskEvent] = []
    }
}
