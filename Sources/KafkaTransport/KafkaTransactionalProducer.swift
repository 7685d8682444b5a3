import KafkaClient
import StreamRuntime

/// A transactional producer over `KafkaProducer`.
final class KafkaTransactionalProducer: TransactionalProducer {
    private let producer: KafkaProducer
    /// Maximum time, in milliseconds, for which a call retries before it reports failure: the caller then learns of the
    /// failure, and calls again.
    private static let maximumWait = 10_000

    init(_ producer: KafkaProducer) { self.producer = producer }

    func initializeTransactions() throws(StreamError) {
        try convertingErrors { () throws(KafkaError) in
            try producer.initializeTransactions(timeoutMilliseconds: Self.maximumWait)
        }
    }

    func begin() throws(StreamError) { try convertingErrors { () throws(KafkaError) in try producer.begin() } }

    func send(_ records: [OutputRecord]) throws(StreamError) {
        try convertingErrors { () throws(KafkaError) in
            try producer.send(records.lazy.map { KafkaOutputRecord($0) })
        }
    }

    func sendOffsets(_ offsets: [TopicPartition: GroupOffset], of consumer: any GroupConsumer) throws(StreamError) {
        let operation = "add offsets to the transaction"
        guard let consumer = consumer as? KafkaGroupConsumer else {
            throw StreamError(
                .fatal,
                operation: operation,
                code: "_INVALID_ARG",
                reason: "the consumer is of another transport"
            )
        }
        try convertingErrors { () throws(KafkaError) in
            try producer.sendOffsets(
                kafka(offsets),
                of: consumer.consumer
            )
        }
    }

    func commit() throws(StreamError) {
        try convertingErrors { () throws(KafkaError) in try producer.commit(timeoutMilliseconds: Self.maximumWait) }
    }
    func abort() throws(StreamError) {
        try convertingErrors { () throws(KafkaError) in try producer.abort(timeoutMilliseconds: Self.maximumWait) }
    }
    func close() { producer.close() }
}
