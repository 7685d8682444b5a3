public import KafkaClient
public import StreamRuntime

/// Makes clients of one Kafka cluster.
public struct KafkaStreamTransport: StreamTransport {
    /// Passed to librdkafka by every client that is made here.
    public let properties: KafkaProperties

    /// A transport to the cluster named by `bootstrap.servers`; nothing is opened yet.
    public init(properties: KafkaProperties) { self.properties = properties }

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

    /// A producer that has not been initialised yet.
    public func makeProducer(transactionalID: String) throws(StreamError) -> any TransactionalProducer {
        try streamed { () throws(KafkaError) in
            KafkaTransactionalProducer(try KafkaProducer(properties: properties, transactionalID: transactionalID))
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
