public import KafkaClient
public import StreamRuntime

/// What becomes of a turn whose outcome a fault hides.
public enum Delivery: String, Hashable, Sendable, CaseIterable {
    /// Outputs and offsets stand or fall together, in one transaction.
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

    /// A producer that has not been initialised yet; one without transactions where these are not asked for.
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
}
