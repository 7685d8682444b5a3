import KafkaClient
import StreamRuntime

/// Writes without transactions: written records cannot be withdrawn, and offsets are committed once the records are
/// delivered.
///
/// A transaction that fails after its records were sent is repeated, so its records may be written twice; no record is
/// lost.
final class KafkaAtLeastOnceProducer: TransactionalProducer {
    private var producer: KafkaProducer
    private let make: () throws(KafkaError) -> KafkaProducer
    private var offsets: [KafkaTopicPartition: KafkaGroupOffset] = [:]
    private var consumer: KafkaConsumer?
    /// Maximum time, in milliseconds, for which a call retries before it reports failure.
    private static let maximumWait = 10_000

    init(_ make: @escaping () throws(KafkaError) -> KafkaProducer) throws(KafkaError) {
        self.make = make
        producer = try make()
    }

    func initializeTransactions() throws(StreamError) {}

    func begin() throws(StreamError) { forget() }

    func send(_ records: [OutputRecord]) throws(StreamError) {
        try convertingErrors { () throws(KafkaError) in try producer.send(records.lazy.map { KafkaOutputRecord($0) }) }
    }

    func sendOffsets(_ offsets: [TopicPartition: GroupOffset], of consumer: any GroupConsumer) throws(StreamError) {
        guard let consumer = consumer as? KafkaGroupConsumer else {
            throw StreamError(
                .fatal,
                operation: "commit offsets",
                code: "_INVALID_ARG",
                reason: "the consumer is of another transport"
            )
        }
        self.offsets = kafka(offsets)
        self.consumer = consumer.consumer
    }

    func commit() throws(StreamError) {
        try convertingErrors { () throws(KafkaError) in
            if let failure = try producer.flush(timeoutMilliseconds: Self.maximumWait).first {
                throw KafkaError(
                    .abortTransaction,
                    operation: failure.error.operation,
                    code: failure.error.code,
                    reason: failure.error.reason
                )
            }
            try consumer?.commit(offsets, timeoutMilliseconds: Self.maximumWait)
        }
        forget()
    }

    /// Drops undelivered records together with the client. Delivered records cannot be withdrawn; the offsets do not
    /// change.
    func abort() throws(StreamError) {
        forget()
        producer.close()
        try convertingErrors { () throws(KafkaError) in producer = try make() }
    }

    func close() { producer.close() }

    private func forget() {
        offsets.removeAll()
        consumer = nil
    }
}
