public import Events
public import KafkaClient

/// All rights that a party needs in Kafka, and no others: derived from the catalogue of the topics and the names of
/// groups and transactional ids.
public struct AccessRights: Hashable, Sendable {
    /// Party that needs the rights.
    public let party: Party
    /// Rights to topics first, in the catalogue's order, then those to groups and transactional ids.
    public let rights: [KafkaRight]

    /// Creates the rights of a party for the given topic names.
    ///
    /// - Parameters:
    ///   - party: A role or an outside party.
    ///   - topics: The topic names in use.
    ///   - group: The consumer group of an outside party; nil for a name that begins with the topics' prefix and the
    ///     party.
    public init(_ party: Party, topics: TopicNames, group: String? = nil) {
        self.party = party
        var rights = Topic.allCases.filter { $0.readers.contains(party) }.map { KafkaRight(.read, .topic, topics[$0]) }
        rights += Topic.allCases.filter { $0.writers.contains(party) }.map { KafkaRight(.write, .topic, topics[$0]) }
        switch party {
        case .intake:
            // The number of a thread follows the role: flywheel.intake-2.INSTANCE.
            rights.append(.init(.read, .group, Self.name(topics, "intake")))
            rights.append(.init(.write, .transactionalID, Self.name(topics, "intake"), isPrefix: true))
        case .loop, .materializer, .trainer:
            rights.append(.init(.read, .group, Self.name(topics, party.rawValue)))
            rights.append(.init(.write, .transactionalID, Self.name(topics, "\(party.rawValue)."), isPrefix: true))
        case .console, .analyst: break
        case .productService, .labelTool:
            // These parties read without a group; most clients nevertheless require a group name, and look up its
            // coordinator.
            rights.append(Self.group(.describe, of: party, topics: topics, id: group))
        case .outsideTrainer: rights.append(Self.group(.read, of: party, topics: topics, id: group))
        case .operator:
            for operation: KafkaRight.Operation in [.create, .describe, .describeConfigs] {
                rights += Self.allTopics(operation, topics)
            }
            for role: Party in [.intake, .loop, .materializer] {
                rights.append(.init(.describe, .group, Self.name(topics, role.rawValue)))
            }
            rights.append(.init(.write, .transactionalID, Self.name(topics, "apply."), isPrefix: true))
            rights.append(.init(.write, .transactionalID, Self.name(topics, "command."), isPrefix: true))
            rights.append(.init(.write, .transactionalID, Self.name(topics, "import."), isPrefix: true))
        case .redrive: rights.append(.init(.write, .transactionalID, Self.name(topics, "redrive")))
        }
        self.rights = rights
    }

    private static func name(_ topics: TopicNames, _ suffix: String) -> String { "\(topics.prefix)\(suffix)" }

    private static func group(
        _ operation: KafkaRight.Operation,
        of party: Party,
        topics: TopicNames,
        id group: String?
    ) -> KafkaRight {
        if let group { return KafkaRight(operation, .group, group) }
        return KafkaRight(operation, .group, name(topics, party.rawValue), isPrefix: true)
    }

    /// One right for all topics if a prefix is common to them alone, else one for each topic.
    private static func allTopics(_ operation: KafkaRight.Operation, _ topics: TopicNames) -> [KafkaRight] {
        if !topics.prefix.isEmpty, topics.overrides.isEmpty {
            return [KafkaRight(operation, .topic, topics.prefix, isPrefix: true)]
        }
        return Topic.allCases.map { KafkaRight(operation, .topic, topics[$0]) }
    }

    // MARK: - For Kafka's tools

    /// Command lines of `kafka-acls.sh` that grant the rights to a principal; one for rights that differ only in their
    /// names.
    ///
    /// - Parameters:
    ///   - principal: The principal, as in `User:intake`.
    ///   - bootstrap: The brokers, as passed to the tool.
    ///   - configuration: The file with the tool's own credentials.
    /// - Returns: Lines for a POSIX shell; none for a party that needs no right.
    public func commands(principal: String, bootstrap: String, configuration: String) -> [String] {
        struct Form: Hashable {
            let operation: KafkaRight.Operation
            let kind: KafkaRight.Kind
            let isPrefix: Bool
        }
        var forms: [Form] = []
        var names: [Form: [String]] = [:]
        for right in rights {
            let form = Form(operation: right.operation, kind: right.kind, isPrefix: right.isPrefix)
            if names[form] == nil { forms.append(form) }
            names[form, default: []].append(right.name)
        }
        return forms.map { form in
            var words = [
                "kafka-acls.sh", "--bootstrap-server", Self.quoted(bootstrap), "--command-config",
                Self.quoted(configuration), "--add", "--allow-principal", Self.quoted(principal), "--operation",
                form.operation.rawValue,
            ]
            if form.isPrefix { words += ["--resource-pattern-type", "prefixed"] }
            for name in names[form] ?? [] { words += Self.option(form.kind, name) }
            return words.joined(separator: " ")
        }
    }

    private static func option(_ kind: KafkaRight.Kind, _ name: String) -> [String] {
        switch kind {
        case .topic: ["--topic", quoted(name)]
        case .group: ["--group", quoted(name)]
        case .transactionalID: ["--transactional-id", quoted(name)]
        case .cluster: ["--cluster"]
        }
    }

    /// Returns the word quoted so that a POSIX shell reads it whole.
    private static func quoted(_ word: String) -> String {
        let isPlain = word.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: "._-:/,=@%+".utf8.contains(byte)
            }
        }
        if isPlain, !word.isEmpty { return word }
        return "'" + word.replacing("'", with: "'\\''") + "'"
    }

    // MARK: - For people

    /// Returns the remedy for a missing right: the command that prints all rights that the party needs.
    public static func help(_ party: Party, _ properties: KafkaProperties) -> String {
        let name = properties["sasl.username"].map { "User:\($0)" } ?? "PRINCIPAL"
        return "flywheel topics acls --role \(party.rawValue) --principal \(quoted(name)) prints all that it needs"
    }

    /// A Markdown table of all parties' rights, for the topics' usual names.
    public static var table: String {
        let topics = TopicNames()
        var lines = [
            "| `--role` | Topics: Read | Topics: Write | Groups, transactional ids, and the rest |",
            "|---|---|---|---|",
        ]
        for party in Party.allCases {
            let rights = AccessRights(party, topics: topics).rights
            func names(_ operation: KafkaRight.Operation) -> String {
                let found = rights.filter { $0.kind == .topic && $0.operation == operation }
                return found.map { "`\($0.name.dropFirst(topics.prefix.count))`" }.joined(separator: ", ")
            }
            let otherRights = rights.filter { $0.kind != .topic || ($0.operation != .read && $0.operation != .write) }
            let words = otherRights.map {
                "\($0.operation.rawValue) on \($0.kind.rawValue) `\($0.name)\($0.isPrefix ? "*" : "")`"
            }
            let cells = ["`\(party.rawValue)`", names(.read), names(.write), words.joined(separator: ", ")]
            lines.append("| " + cells.map { $0.isEmpty ? "–" : $0 }.joined(separator: " | ") + " |")
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
