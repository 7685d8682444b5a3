public import KafkaClient
public import StreamRuntime

/// Delivery guarantee of a producer when a fault hides the outcome of a commit.
public enum Delivery: String, Hashable, Sendable, CaseIterable {
    /// Outputs and offsets are committed or aborted together, in one transaction.
    case exactlyOnce = "exactly_once"
    /// Offsets are committed after the outputs: inputs may be read again, and their outputs written twice.
    case atLeastOnce = "at_least_once"
}

/// Creates clients of one Kafka cluster.
public struct KafkaStreamTransport: StreamTransport {
    /// Properties that every client passes to librdkafka.
    public let properties: KafkaProperties
    /// Delivery guarantee of the producers.
    public let delivery: Delivery

    /// Creates a transport to the cluster named by `bootstrap.servers`, without opening a connection.
    public init(properties: KafkaProperties, delivery: Delivery = .exactlyOnce) {
        self.properties = properties
        self.delivery = delivery
    }

    /// Creates a member of `group` that has no partitions assigned yet.
    public func makeConsumer(
        group: String,
        instance: String,
        topics: [String]
    ) throws(StreamError) -> any GroupConsumer {
        try convertingErrors { () throws(KafkaError) in
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

    /// Creates a producer that has not been initialised yet; without transactions if `delivery` is `atLeastOnce`.
    public func makeProducer(transactionalID: String) throws(StreamError) -> any TransactionalProducer {
        try convertingErrors { () throws(KafkaError) in
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

    /// Creates a reader that has not been started yet.
    public func makeReader(topics: [String]) throws(StreamError) -> any LogReader {
        try convertingErrors { () throws(KafkaError) in
            KafkaLogReader(try KafkaReader(properties: properties, topics: topics))
        }
    }

    /// The id that the cluster received when it was created.
    public func clusterID() throws(StreamError) -> String {
        try convertingErrors { () throws(KafkaError) in
            let admin = try KafkaAdmin(properties: properties, timeoutMilliseconds: 10_000)
            defer { admin.close() }
            return try admin.clusterID()
        }
    }

    /// Reads committed offsets by several short calls instead of one long call: while a cluster creates the topic of
    /// its groups' offsets, librdkafka 2.0.2 does not query the coordinator again within a call.
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
        let found = try convertingErrors { () throws(KafkaError) in
            try committed(group, partitions.map { KafkaTopicPartition($0) })
        }
        var offsets: [TopicPartition: GroupOffset] = [:]
        for (partition, offset) in found {
            offsets[TopicPartition(partition)] = GroupOffset(offset.next, metadata: offset.metadata)
        }
        return offsets
    }
}
