public import Events
public import KafkaClient
public import StreamRuntime

/// The topics that a role cannot work without.
public enum RoleTopics {
    /// What a role reads and writes.
    public static func all(of role: Role) -> [Topic] {
        Topic.all(of: role.party)
    }

    /// Looks at all of them before a role begins: a topic that is missing would be made by the first record, with whatever
    /// the broker holds for usual, and a project's records go to its partition by number.
    ///
    /// - Parameters:
    ///   - role: Whose topics.
    ///   - transport: To the cluster.
    ///   - topics: The names in use.
    ///   - properties: Name the principal, for what to do about a right that is lacking.
    /// - Throws: `EngineError` with every topic that is missing, may not be used as the role must, or has the wrong number of partitions; `StreamError` when no
    ///   broker answers.
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
        var problems: [String] = []
        var remedies: [String] = []
        var counts: [Int: [String]] = [:]
        for topic in needed {
            let name = topics[topic]
            do throws(StreamError) {
                let count = try reader.partitions(of: name).count
                if count == 0 { problems.append("\(name) is missing") }
                if topic.partitioning == .project { counts[count, default: []].append(name) }
                if topic.partitioning == .single, count != 1 {
                    problems.append("\(name) has \(count) partitions and must have 1")
                }
            } catch {
                switch error.code {
                case "UNKNOWN_TOPIC_OR_PART", "_UNKNOWN_TOPIC", "_UNKNOWN_PARTITION":
                    problems.append("\(name) is missing")
                case "TOPIC_AUTHORIZATION_FAILED":
                    // Whoever may read or write a topic may see it: so none of these is given.
                    let lacking = AccessRights(role.party, topics: topics).rights.filter {
                        $0.kind == .topic && $0.name == name
                    }
                    let words = lacking.map(\.description).joined(separator: " or ")
                    problems.append("this principal has no right to \(words) (\(error.code))")
                    remedies = [AccessRights.help(role.party, properties)]
                default: throw error
                }
            }
        }
        if counts.count > 1 {
            let found = counts.sorted { $0.key < $1.key }.map { "\($0.value.joined(separator: ", ")): \($0.key)" }
            problems.append("partition counts must be equal and are not (\(found.joined(separator: "; ")))")
        }
        guard !problems.isEmpty else { return }
        if problems.contains(where: { !$0.hasPrefix("this principal") }) {
            remedies.append("run flywheel topics create, and flywheel topics check")
        }
        throw EngineError(
            "begin the role \(role.rawValue)",
            problems.joined(separator: "; "),
            remedy: remedies.joined(separator: "; ")
        )
    }
}
