internal import EngineCore
public import Events
public import KafkaClient

/// Creates and checks the topics of the catalogue.
public struct TopicAdministration {
    /// Numbers of partitions and replicas of the topics that are created; existing topics stay unchanged.
    public struct Plan: Hashable, Sendable {
        /// Partitions of topics whose keys do not matter.
        public var trafficPartitions: Int
        /// Partitions of the topics that belong to projects.
        public var projectPartitions: Int
        /// Replication factor; nil for the broker's default.
        public var replication: Int?

        public init(trafficPartitions: Int = 4, projectPartitions: Int = 4, replication: Int? = nil) {
            self.trafficPartitions = trafficPartitions
            self.projectPartitions = projectPartitions
            self.replication = replication
        }
    }

    private let admin: KafkaAdmin
    private let topics: TopicNames

    public init(properties: KafkaProperties, topics: TopicNames) throws(KafkaError) {
        admin = try KafkaAdmin(properties: properties)
        self.topics = topics
    }

    public func close() { admin.close() }

    /// Creates the missing topics and returns their names; existing topics stay unchanged.
    public func create(_ plan: Plan) throws(KafkaError) -> [String] {
        var missing: [Topic] = []
        for topic in Topic.allCases where try partitionCount(topic) == nil { missing.append(topic) }
        guard !missing.isEmpty else { return [] }
        var specifications: [KafkaTopicSpecification] = []
        for topic in missing {
            var configuration: [String: String] = [:]
            for (name, value) in topic.configuration { configuration[name] = value }
            specifications.append(
                KafkaTopicSpecification(
                    name: topics[topic],
                    partitions: partitions(topic, plan),
                    replication: plan.replication,
                    configuration: configuration
                )
            )
        }
        return try admin.createTopics(specifications)
    }

    private func partitions(_ topic: Topic, _ plan: Plan) -> Int {
        switch topic.partitioning {
        case .traffic: plan.trafficPartitions
        case .project: plan.projectPartitions
        case .single: 1
        }
    }

    /// Number of partitions of a topic; nil if the topic is missing.
    ///
    /// - Throws: `KafkaError`, also if this principal may not describe the topic.
    private func partitionCount(_ topic: Topic) throws(KafkaError) -> Int? {
        do throws(KafkaError) {
            let count = try admin.partitions(of: topics[topic]).count
            return count > 0 ? count : nil
        } catch {
            guard ["UNKNOWN_TOPIC_OR_PART", "_UNKNOWN_TOPIC", "_UNKNOWN_PARTITION"].contains(error.code) else {
                throw error
            }
            return nil
        }
    }

    /// Returns the differences from the catalogue: topics that are missing or may not be read, unequal partition
    /// counts, and settings that change the retained data.
    public func check() throws(KafkaError) -> [String] {
        var problems: [String] = []
        var present: [Topic] = []
        for topic in Topic.allCases {
            do throws(KafkaError) {
                if try partitionCount(topic) != nil {
                    present.append(topic)
                } else {
                    problems.append("topic \(topics[topic]) is missing: run flywheel topics create")
                }
            } catch {
                guard error.isForbidden else { throw error }
                problems.append("topic \(topics[topic]) cannot be described: \(error.reason) (\(error.code))")
            }
        }
        guard !present.isEmpty else { return problems }
        var projectCounts: [Int: [String]] = [:]
        for description in try describe(present, &problems) {
            guard let topic = present.first(where: { topics[$0] == description.name }) else { continue }
            if topic.partitioning == .project {
                projectCounts[description.partitions, default: []].append(description.name)
            }
            if topic.partitioning == .single, description.partitions != 1 {
                problems.append("topic \(description.name) has \(description.partitions) partitions, expected 1")
            }
            for (name, expected) in topic.configuration {
                guard ["cleanup.policy", "message.timestamp.type", "compression.type"].contains(name),
                    let found = description.configuration[name], found != expected
                else { continue }
                problems.append(
                    "topic \(description.name): \(name) is \(found), expected \(expected): set it with kafka-configs.sh --alter --entity-type topics --entity-name \(description.name) --add-config \(name)=\(expected)"
                )
            }
        }
        if projectCounts.count > 1 {
            let counts = projectCounts.keys.sorted().map(String.init).joined(separator: ", ")
            problems.append("the topics of projects have unequal partition counts (\(counts)); they must be equal")
        }
        return problems
    }

    /// Current descriptions of the topics; empty if this principal may not read their settings, which is added to the
    /// problems.
    private func describe(_ present: [Topic], _ problems: inout [String]) throws(KafkaError) -> [KafkaTopicDescription]
    {
        do throws(KafkaError) {
            return try admin.describeTopics(present.map { topics[$0] })
        } catch {
            guard error.isForbidden else { throw error }
            problems.append("settings cannot be read: \(error.reason) (\(error.code))")
            return []
        }
    }

    /// The number of partitions of the topics of projects.
    public func projectPartitions() throws -> Int {
        guard let count = try partitionCount(.journal) else {
            throw EngineError(
                "count partitions",
                "topic \(topics[.journal]) is missing",
                remedy: "run flywheel topics create"
            )
        }
        return count
    }
}
