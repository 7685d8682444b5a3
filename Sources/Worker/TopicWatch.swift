public import EngineCore
public import Events
internal import KafkaTransport
public import Processes
public import StreamRuntime
internal import Telemetry

/// Checks whether the topics of a worker's roles still exist, and whether they can be read. Used on one thread.
///
/// A client that reads or writes a deleted topic keeps waiting for it and reports nothing, and so does a client that
/// waits for the end of an abandoned transaction.
public final class TopicWatch {
    private let roles: [Role]
    private let topics: TopicNames
    private let makeReader: () throws(StreamError) -> any LogReader
    private let now: () -> Int64
    private var reader: (any LogReader)?
    private var openTransactions = OpenTransactions()

    /// Milliseconds between two checks.
    static let interval: Int64 = 3_000

    /// Creates a watch over the topics that `roles` read and write; it queries through a reader that it creates at its
    /// first check.
    public init(
        roles: [Role],
        topics: TopicNames,
        now: @escaping () -> Int64 = WallClock.now,
        makeReader: @escaping () throws(StreamError) -> any LogReader
    ) {
        self.roles = roles
        self.topics = topics
        self.now = now
        self.makeReader = makeReader
    }

    /// Checks once.
    ///
    /// - Returns: The problems with the topics of each role; no entry for a role without problems. Nil if no broker
    ///   answered: then nothing is known.
    public func update() -> [Role: [String]]? {
        do {
            let reader = try reader ?? makeReader()
            self.reader = reader
            var found = RoleTopics.Findings(reader, topics)
            var problems: [Role: [String]] = [:]
            for role in roles {
                let roleProblems = try found.problems(of: role)
                if !roleProblems.isEmpty { problems[role] = roleProblems }
            }
            let read = Dictionary(uniqueKeysWithValues: roles.map { ($0, found.partitionsRead(by: $0)) })
            // The ends of a topic that was just deleted cannot be read: its deletion is reported above.
            try? openTransactions.update(
                partitionCounts: read.values.reduce(into: [:]) { $0.merge($1) { $1 } },
                reader,
                time: now()
            )
            for role in roles {
                let held = (read[role] ?? [:]).keys.sorted().flatMap { openTransactions.problems(of: $0) }
                if !held.isEmpty { problems[role, default: []] += held }
            }
            return problems
        } catch {
            return nil
        }
    }

    public func close() {
        reader?.close()
        reader = nil
    }
}

extension Worker {
    /// Reports a deleted topic in health, log and metrics within seconds, whatever the roles' own threads wait for.
    func watchTopics(_ roles: [Role]) {
        let watch = TopicWatch(roles: roles, topics: configuration.topics) { [configuration] () throws(StreamError) in
            try KafkaStreamTransport(properties: configuration.properties(roles[0])).makeReader(topics: [])
        }
        defer { watch.close() }
        var reported: [Role: String] = [:]
        while !stop.isRaised {
            var left = TopicWatch.interval
            while left > 0, !stop.isRaised {
                WallClock.pause(100)
                left -= 100
            }
            guard !stop.isRaised, let found = watch.update() else { continue }
            for role in roles {
                let text = found[role].map { $0.joined(separator: "; ") }
                metrics.observe(topicProblems: found[role]?.count ?? 0, role)
                health.alarm(role, text)
                guard reported[role] != text else { continue }
                reported[role] = text
                let logger = logger.forModule(role.rawValue)
                guard let text else {
                    logger.notice("the role's topics are usable again")
                    continue
                }
                logger.error(
                    "topics of the role are unusable",
                    [
                        "reason": .string(text),
                        "remedy": .string(RoleTopics.remedy(of: found[role] ?? [], role, configuration.kafka)),
                    ]
                )
            }
        }
    }
}
