public import EngineCore
public import Events
internal import KafkaTransport
public import Processes
public import StreamRuntime
internal import Telemetry

/// Looks whether the topics of a worker's roles are still there, and whether they can be read. Used on one thread.
///
/// A client that reads or writes a topic which was deleted goes on waiting for it, and says nothing; nor does one that stands
/// before a transaction which nobody ends.
public final class TopicWatch {
    private let roles: [Role]
    private let topics: TopicNames
    private let makeReader: () throws(StreamError) -> any LogReader
    private let now: () -> Int64
    private var reader: (any LogReader)?
    private var open = OpenTransactions()

    /// Milliseconds from one look to the next.
    static let interval: Int64 = 3_000

    /// A watch over what `roles` read and write; it asks through a reader that it makes at its first look.
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

    /// Looks once.
    ///
    /// - Returns: What is wrong with the topics of each role; no entry of a role whose topics are as they must be. Nil where
    ///   nobody answered: then nothing is known.
    public func look() -> [Role: [String]]? {
        do {
            let reader = try reader ?? makeReader()
            self.reader = reader
            var found = RoleTopics.Findings(reader, topics)
            var problems: [Role: [String]] = [:]
            for role in roles {
                let own = try found.problems(of: role)
                if !own.isEmpty { problems[role] = own }
            }
            let read = Dictionary(uniqueKeysWithValues: roles.map { ($0, found.partitionsRead(by: $0)) })
            // Of a topic that just went nobody knows an end: that it is gone is said above.
            try? open.look(at: read.values.reduce(into: [:]) { $0.merge($1) { $1 } }, reader, time: now())
            for role in roles {
                let held = (read[role] ?? [:]).keys.sorted().flatMap { open.problems(of: $0) }
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
    /// Says in health, log and metrics within seconds when a topic goes, whatever the roles' own threads wait for.
    func watchTopics(_ roles: [Role]) {
        let watch = TopicWatch(roles: roles, topics: configuration.topics) { [configuration] () throws(StreamError) in
            try KafkaStreamTransport(properties: configuration.properties(roles[0])).makeReader(topics: [])
        }
        defer { watch.close() }
        var told: [Role: String] = [:]
        while !stop.isRaised {
            var left = TopicWatch.interval
            while left > 0, !stop.isRaised {
                WallClock.pause(100)
                left -= 100
            }
            guard !stop.isRaised, let found = watch.look() else { continue }
            for role in roles {
                let text = found[role].map { $0.joined(separator: "; ") }
                metrics.observe(topicProblems: found[role]?.count ?? 0, role)
                health.alarm(role, text)
                guard told[role] != text else { continue }
                told[role] = text
                let logger = logger.forModule(role.rawValue)
                guard let text else {
                    logger.notice("the role's topics are as they must be again")
                    continue
                }
                logger.error(
                    "topics that the role cannot work without are not as they must be",
                    [
                        "reason": .string(text),
                        "remedy": .string(RoleTopics.remedy(of: found[role] ?? [], role, configuration.kafka)),
                    ]
                )
            }
        }
    }
}
