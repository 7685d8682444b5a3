import Crdkafka

/// A topic to create.
public struct KafkaTopicSpecification: Hashable, Sendable {
    /// The topic's name.
    public var name: String
    /// Number of partitions, at least 1.
    public var partitions: Int
    /// Copies of each partition; nil means the cluster's default.
    public var replication: Int?
    /// The topic's own settings, such as `cleanup.policy`.
    public var configuration: [String: String]

    /// A topic of the given parts.
    public init(name: String, partitions: Int, replication: Int? = nil, configuration: [String: String] = [:]) {
        self.name = name
        self.partitions = partitions
        self.replication = replication
        self.configuration = configuration
    }
}

/// Description of a topic in the cluster.
public struct KafkaTopicDescription: Hashable, Sendable {
    /// The topic's name.
    public let name: String
    /// Number of its partitions.
    public let partitions: Int
    /// Copies of its first partition.
    public let replication: Int
    /// All settings in force, defaults included; sensitive ones are left out.
    public let configuration: [String: String]
}

extension KafkaAdmin {
    /// The names of all topics that this principal may see, ascending.
    public func listTopics() throws(KafkaError) -> [String] {
        try Metadata.read(handle.client, timeout: timeout, operation: "list topics") { data throws(KafkaError) in
            (0..<Int(data.topic_cnt)).compactMap { data.topics[$0].topic.map { String(cString: $0) } }.sorted()
        }
    }

    /// Creates topics; topics that exist already are not changed. Returns when a broker reports all of them with the
    /// leaders of their partitions, after 20 s at the latest: the controller answers before every broker has received
    /// the change, and until then clients are told that the topic does not exist.
    ///
    /// - Returns: The names of the created topics.
    /// - Throws: The first failure; topics before it may have been created.
    public func createTopics(_ topics: [KafkaTopicSpecification]) throws(KafkaError) -> [String] {
        guard !topics.isEmpty else { return [] }
        let operation = "create topics"
        var requests: [OpaquePointer?] = []
        defer { for request in requests { rd_kafka_NewTopic_destroy(request) } }
        for topic in topics { requests.append(try makeRequest(topic, operation: operation)) }
        let created: [String] = try perform(RD_KAFKA_ADMIN_OP_CREATETOPICS, operation: operation) {
            client,
            options,
            queue in
            rd_kafka_CreateTopics(client, &requests, requests.count, options, queue)
        } reading: { event throws(KafkaError) in
            var count = 0
            guard let result = rd_kafka_event_CreateTopics_result(event),
                let results = rd_kafka_CreateTopics_result_topics(result, &count)
            else { return [] }
            let ignored = RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS
            return try names(results, count, operation: operation, .create, ignoring: ignored)
        }
        awaitLeaders(of: topics.map(\.name))
        return created
    }

    private func awaitLeaders(of topics: [String]) {
        let deadline = Deadline(milliseconds: min(timeout, 20_000))
        while !deadline.hasPassed {
            // The topics exist; an answer that fails changes nothing but the wait.
            if let ready = try? topicsWithLeaders(deadline), ready.isSuperset(of: topics) { return }
            Pause.milliseconds(50)
        }
    }

    /// The topics each of whose partitions has a leader.
    private func topicsWithLeaders(_ deadline: Deadline) throws(KafkaError) -> Set<String> {
        try Metadata.read(
            handle.client,
            timeout: deadline.milliseconds,
            operation: "list topics"
        ) { data throws(KafkaError) in
            var ready: Set<String> = []
            for topic in (0..<Int(data.topic_cnt)).map({ data.topics[$0] }) {
                guard let name = topic.topic, topic.err == RD_KAFKA_RESP_ERR_NO_ERROR, topic.partition_cnt > 0,
                    (0..<Int(topic.partition_cnt)).allSatisfy({ topic.partitions[$0].leader >= 0 })
                else { continue }
                ready.insert(String(cString: name))
            }
            return ready
        }
    }

    /// Deletes topics; topics that do not exist are ignored.
    ///
    /// - Returns: The names of the deleted topics. Brokers may still list them for a short time.
    public func deleteTopics(_ topics: [String]) throws(KafkaError) -> [String] {
        guard !topics.isEmpty else { return [] }
        let operation = "delete topics"
        var requests: [OpaquePointer?] = topics.map { rd_kafka_DeleteTopic_new($0) }
        defer { for request in requests { rd_kafka_DeleteTopic_destroy(request) } }
        return try perform(RD_KAFKA_ADMIN_OP_DELETETOPICS, operation: operation) { client, options, queue in
            rd_kafka_DeleteTopics(client, &requests, requests.count, options, queue)
        } reading: { event throws(KafkaError) in
            var count = 0
            guard let result = rd_kafka_event_DeleteTopics_result(event),
                let results = rd_kafka_DeleteTopics_result_topics(result, &count)
            else { return [] }
            let ignored = RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART
            return try names(results, count, operation: operation, .delete, ignoring: ignored)
        }
    }

    /// Describes topics; topics that do not exist are omitted.
    public func describeTopics(_ topics: [String]) throws(KafkaError) -> [KafkaTopicDescription] {
        let wanted = Set(topics)
        let shapes = try Metadata.read(
            handle.client,
            timeout: timeout,
            operation: "describe topics"
        ) { data throws(KafkaError) in
            var shapes: [(name: String, partitions: Int, replication: Int)] = []
            for index in 0..<Int(data.topic_cnt) {
                let topic = data.topics[index]
                guard let name = topic.topic.map({ String(cString: $0) }), wanted.contains(name),
                    topic.err == RD_KAFKA_RESP_ERR_NO_ERROR
                else { continue }
                let replication = topic.partition_cnt > 0 ? Int(topic.partitions[0].replica_cnt) : 0
                shapes.append((name, Int(topic.partition_cnt), replication))
            }
            return shapes
        }
        let configurations = try configurations(of: shapes.map(\.name))
        return shapes.sorted { $0.name < $1.name }.map {
            KafkaTopicDescription(
                name: $0.name,
                partitions: $0.partitions,
                replication: $0.replication,
                configuration: configurations[$0.name] ?? [:]
            )
        }
    }

    private func configurations(of topics: [String]) throws(KafkaError) -> [String: [String: String]] {
        guard !topics.isEmpty else { return [:] }
        let operation = "describe topics"
        var requests: [OpaquePointer?] = topics.map { rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, $0) }
        defer { for request in requests { rd_kafka_ConfigResource_destroy(request) } }
        return try perform(RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, operation: operation) { client, options, queue in
            rd_kafka_DescribeConfigs(client, &requests, requests.count, options, queue)
        } reading: { event throws(KafkaError) in
            var count = 0
            guard let result = rd_kafka_event_DescribeConfigs_result(event),
                let resources = rd_kafka_DescribeConfigs_result_resources(result, &count)
            else { return [:] }
            var found: [String: [String: String]] = [:]
            for index in 0..<count {
                guard let resource = resources[index] else { continue }
                let name = String(cString: rd_kafka_ConfigResource_name(resource))
                let error = rd_kafka_ConfigResource_error(resource)
                guard error == RD_KAFKA_RESP_ERR_NO_ERROR else {
                    throw KafkaError(error, operation: "describe topic \(name)")
                        .lacking(.init(.describeConfigs, .topic, name))
                }
                found[name] = entries(of: resource)
            }
            return found
        }
    }

    private func entries(of resource: OpaquePointer) -> [String: String] {
        var count = 0
        guard let entries = rd_kafka_ConfigResource_configs(resource, &count) else { return [:] }
        var found: [String: String] = [:]
        for index in 0..<count {
            guard let entry = entries[index], let value = rd_kafka_ConfigEntry_value(entry) else { continue }
            found[String(cString: rd_kafka_ConfigEntry_name(entry))] = String(cString: value)
        }
        return found
    }

    private func makeRequest(_ topic: KafkaTopicSpecification, operation: String) throws(KafkaError) -> OpaquePointer {
        var reason = ErrorText()
        let replication = Int32(topic.replication ?? -1)
        let request = reason.fill {
            rd_kafka_NewTopic_new(topic.name, Int32(topic.partitions), replication, $0, $1)
        }
        guard let request else {
            throw KafkaError(
                .fatal,
                operation: operation,
                code: "_INVALID_ARG",
                reason: "\(topic.name): \(reason.text)"
            )
        }
        for (name, value) in topic.configuration { rd_kafka_NewTopic_set_config(request, name, value) }
        return request
    }

    private func names(
        _ results: UnsafeMutablePointer<OpaquePointer?>,
        _ count: Int,
        operation: String,
        _ right: KafkaRight.Operation,
        ignoring ignored: rd_kafka_resp_err_t
    ) throws(KafkaError) -> [String] {
        var names: [String] = []
        for index in 0..<count {
            guard let result = results[index] else { continue }
            let name = String(cString: rd_kafka_topic_result_name(result))
            let error = rd_kafka_topic_result_error(result)
            if error == ignored { continue }
            guard error == RD_KAFKA_RESP_ERR_NO_ERROR else {
                let text = rd_kafka_topic_result_error_string(result).map { String(cString: $0) } ?? ""
                throw KafkaError(error, operation: operation, reason: "\(name): \(text)")
                    .lacking(.init(right, .topic, name), .init(right, .cluster, "kafka-cluster"))
            }
            names.append(name)
        }
        return names
    }
}
