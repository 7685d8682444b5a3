public import EngineCore
public import Events
public import KafkaClient
public import StreamRuntime

/// The topics that a role cannot work without.
public enum RoleTopics {
    /// Returns the topics that a role reads and writes.
    public static func all(of role: Role) -> [Topic] {
        Topic.all(of: role.party)
    }

    /// Checks all topics of a role before it starts: the first record would create a missing topic with the broker's
    /// defaults, and a project's records are written to its partition by number.
    ///
    /// - Parameters:
    ///   - role: Role whose topics are checked.
    ///   - transport: Transport to the cluster.
    ///   - topics: The names in use.
    ///   - properties: Client properties, which name the principal for the remedy of a missing permission.
    /// - Throws: `EngineError` with every topic that is missing, for which the role lacks a permission, or that has the
    ///   wrong number of partitions; `StreamError` if no broker answers.
    public static func check(
        _ role: Role,
        transport: any StreamTransport,
        topics: TopicNames,
        properties: KafkaProperties = [:]
    ) throws {
        let needed = all(of: role)
        guard !needed.isEmpty else { return }
        let reader = try transport.makeReader(topics: needed.map { topics[$0] })
        defer { reader.close() }
        var findings = Findings(reader, topics)
        let problems = try findings.problems(of: role)
        guard !problems.isEmpty else { return }
        throw EngineError(
            "start the role \(role.rawValue)",
            problems.joined(separator: "; "),
            remedy: remedy(of: problems, role, properties)
        )
    }

    /// Remedy for problems of a role.
    static func remedy(of problems: [String], _ role: Role, _ properties: KafkaProperties) -> String {
        let forbidden = problems.filter { $0.hasPrefix(Findings.forbidden) }.count
        let open = problems.filter { $0.contains(OpenTransactions.mark) }.count
        var remedies = forbidden > 0 ? [AccessRights.help(role.party, properties)] : []
        if open > 0 { remedies.append(OpenTransactions.remedy) }
        if forbidden + open < problems.count {
            remedies.append("run flywheel topics create, and flywheel topics check")
        }
        return remedies.joined(separator: "; ")
    }

    /// Findings of one check of the cluster, in which each topic is queried once.
    struct Findings {
        private enum Finding {
            case partitions(Int)
            case missing
            /// A permission is missing; with the error code.
            case forbidden(String)
        }

        /// Beginning of the message about a missing permission.
        static let forbidden = "this principal has no right to "

        private let reader: any LogReader
        private let topics: TopicNames
        private var found: [Topic: Finding] = [:]

        init(_ reader: any LogReader, _ topics: TopicNames) {
            self.reader = reader
            self.topics = topics
        }

        /// Faults of the topics of a role, in words.
        ///
        /// - Throws: `StreamError` if no broker answers.
        mutating func problems(of role: Role) throws(StreamError) -> [String] {
            var problems: [String] = []
            var counts: [Int: [String]] = [:]
            for topic in RoleTopics.all(of: role) {
                let name = topics[topic]
                switch try check(topic) {
                case .missing: problems.append("\(name) is missing")
                case .forbidden(let code):
                    // A permission to read or write a topic includes that to see it: so none of these permissions is
                    // granted.
                    let lacking = AccessRights(role.party, topics: topics).rights.filter {
                        $0.kind == .topic && $0.name == name
                    }
                    let words = lacking.map(\.description).joined(separator: " or ")
                    problems.append("\(Self.forbidden)\(words) (\(code))")
                case .partitions(let count):
                    if topic.partitioning == .project { counts[count, default: []].append(name) }
                    if topic.partitioning == .single, count != 1 {
                        problems.append("\(name) has \(count) partitions and must have 1")
                    }
                }
            }
            if counts.count > 1 {
                let found = counts.sorted { $0.key < $1.key }.map { "\($0.value.joined(separator: ", ")): \($0.key)" }
                problems.append("partition counts must be equal and are not (\(found.joined(separator: "; ")))")
            }
            return problems
        }

        /// Partitions of the topics that a role reads, as far as they were found.
        func partitionsRead(by role: Role) -> [String: Int] {
            var counts: [String: Int] = [:]
            for topic in RoleTopics.all(of: role) where topic.readers.contains(role.party) {
                if case .partitions(let count) = found[topic] { counts[topics[topic]] = count }
            }
            return counts
        }

        private mutating func check(_ topic: Topic) throws(StreamError) -> Finding {
            if let known = found[topic] { return known }
            let finding: Finding
            do throws(StreamError) {
                let count = try reader.partitions(of: topics[topic]).count
                finding = count == 0 ? .missing : .partitions(count)
            } catch {
                switch error.code {
                case "UNKNOWN_TOPIC_OR_PART", "_UNKNOWN_TOPIC", "_UNKNOWN_PARTITION": finding = .missing
                case "TOPIC_AUTHORIZATION_FAILED": finding = .forbidden(error.code)
                default: throw error
                }
            }
            found[topic] = finding
            return finding
        }
    }
}
