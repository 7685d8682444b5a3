public import KafkaClient
public import StreamRuntime

/// Delivery guarantee where a fault hides the outcome of a commit.
public enum Delivery: String, Hashable, Sendable, CaseIterable {
    /// Outputs and offsets are committed or aborted together, in one transaction.
    case exactlyOnce = "exactly_once"
    /// Offsets follow the outputs: what was read may be read again, and its outputs be there twice.
    case atLeastOnce = "at_least_once"
}

/// Makes clients of one Kafka cluster.
public struct KafkaStreamTransport: StreamTransport {
    /// Passed to librdkafka by every client that is made here.
    public let properties: KafkaProperties
    /// How producers that are made here write.
    public let delivery: Delivery

    /// A transport to the cluster named by `bootstrap.servers`; nothing is opened yet.
    public init(properties: KafkaProperties, delivery: Delivery = .exactlyOnce) {
        self.properties = properties
        self.delivery = delivery
    }

    /// A member of `group` that has not been given any partitions yet.
    public func makeConsumer(
        group: String,
        instance: String,
        topics: [String]
    ) throws(StreamError) -> any GroupConsumer {
        try streamed { () throws(KafkaError) in
            KafkaGroupConsumer(
                try KafkaConsumer(
                    properties: properties,
                    group: group,
                    instance: instance.isEmpty ? nil : instance,
                    topics: topics
                )
            )
        }
    }

    /// A producer that has not been initialised yet; without transactions if these are not configured.
    public func makeProducer(transactionalID: String) throws(StreamError) -> any TransactionalProducer {
        try streamed { () throws(KafkaError) in
            guard delivery == .exactlyOnce else {
                return try KafkaAtLeastOnceProducer { [properties] () throws(KafkaError) in
                    try KafkaProducer(properties: properties)
                }
            }
            return KafkaTransactionalProducer(
                try KafkaProducer(properties: properties, transactionalID: transactionalID)
            )
        }
    }

    /// A reader that has not been started yet.
    public func makeReader(topics: [String]) throws(StreamError) -> any LogReader {
        try streamed { () throws(KafkaError) in
            KafkaLogReader(try KafkaReader(properties: properties, topics: topics))
        }
    }

    /// The id that the cluster gave itself when it was made.
    public func clusterID() throws(StreamError) -> String {
        try streamed { () throws(KafkaError) in
            let admin = try KafkaAdmin(properties: properties, timeoutMilliseconds: 10_000)
            defer { admin.close() }
            return try admin.clusterID()
        }
    }

    /// While a cluster is creating the topic of its groups' offsets, librdkafka 2.0.2 does not query the coordinator
    /// again within the time of a call: several short calls replace a long one.
    private func committed(
        _ group: String,
        _ partitions: [KafkaTopicPartition]
    ) throws(KafkaError) -> [KafkaTopicPartition: KafkaGroupOffset] {
        var left = 6
        while true {
            do throws(KafkaError) {
                let admin = try KafkaAdmin(properties: properties, timeoutMilliseconds: 2_500)
                defer { admin.close() }
                return try admin.committed(group: group, partitions)
            } catch {
                left -= 1
                guard error.disposition == .retry, left > 0 else { throw error }
            }
        }
    }

    /// Offsets that a group has committed, read without joining it.
    public func groupOffsets(
        _ group: String,
        _ partitions: [TopicPartition]
    ) throws(StreamError) -> [TopicPartition: GroupOffset] {
        let found = try streamed { () throws(KafkaError) in
            try committed(group, partitions.map { KafkaTopicPartition($0) })
        }
        var offsets: [TopicPartition: GroupOffset] = [:]
        for (partition, offset) in found {
            offsets[TopicPartition(partition)] = GroupOffset(offset.next, note: offset.metadata)
        }
        return offsets
    }
}
