import KafkaClient
import StreamRuntime

/// A transactional producer over `KafkaProducer`.
final class KafkaTransactionalProducer: TransactionalProducer {
    private let producer: KafkaProducer
    /// How long a call tries by itself before it says so, in milliseconds: whoever waits learns of it, and calls again.
    private static let patience = 10_000

    init(_ producer: KafkaProducer) { self.producer = producer }

    func initializeTransactions() throws(StreamError) {
        try streamed { () throws(KafkaError) in
            try producer.initializeTransactions(timeoutMilliseconds: Self.patience)
        }
    }

    func begin() throws(StreamError) { try streamed { () throws(KafkaError) in try producer.begin() } }

    func send(_ records: [OutputRecord]) throws(StreamError) {
        try streamed { () throws(KafkaError) in
            try producer.send(
                records.lazy.map { record in
                    KafkaOutputRecord(
                        topic: record.topic,
                        partition: record.partition,
                        key: record.key,
                        value: record.value,
                        headers: record.headers.map { KafkaHeader($0.name, $0.value) }
                    )
                }
            )
        }
    }

    func sendOffsets(_ offsets: [TopicPartition: GroupOffset], of consumer: any GroupConsumer) throws(StreamError) {
        let operation = "put offsets into the transaction"
        guard let consumer = consumer as? KafkaGroupConsumer else {
            throw StreamError(
                .fatal,
                operation: operation,
                code: "_INVALID_ARG",
                reason: "the consumer is of another transport"
            )
        }
        try streamed { () throws(KafkaError) in
            try producer.sendOffsets(
                Dictionary(
                    offsets.map {
                        (KafkaTopicPartition($0.key), KafkaGroupOffset(next: $0.value.next, metadata: $0.value.note))
                    },
                    uniquingKeysWith: { first, _ in first }
                ),
                of: consumer.consumer
            )
        }
    }

    func commit() throws(StreamError) {
        try streamed { () throws(KafkaError) in try producer.commit(timeoutMilliseconds: Self.patience) }
    }
    func abort() throws(StreamError) {
        try streamed { () throws(KafkaError) in try producer.abort(timeoutMilliseconds: Self.patience) }
    }
    func close() { producer.close() }
}
