internal import EngineCore
internal import StreamRuntime

/// Sends records and their marks in transactions.
final class RedriveSender {
    private let producer: any TransactionalProducer
    private let pause: (Int64) -> Void

    /// Number of transactions after which a record that no broker accepts is abandoned: in librdkafka 2.0.2, a refused
    /// transaction may make the next one fail as well.
    private static let tries = 3
    /// Maximum number of pauses before a call that may be retried fails.
    private static let maximumAttempts = 30

    init(_ transport: any StreamTransport, _ transactionalID: String, _ pause: @escaping (Int64) -> Void)
        throws(StreamError)
    {
        self.pause = pause
        producer = try transport.makeProducer(transactionalID: transactionalID)
        do throws(StreamError) {
            try retrying { () throws(StreamError) in try producer.initializeTransactions() }
        } catch {
            producer.close()
            throw error
        }
    }

    func close() { producer.close() }

    /// Sends a batch in one transaction, or, if a record in it is refused, in as many as are needed to find that
    /// record.
    ///
    /// - Returns: The records that no broker accepts, and the reasons.
    func send(_ batch: [Redriven]) throws(StreamError) -> [(position: DeadLetterPosition, reason: String)] {
        var refusal: StreamError?
        for _ in 0..<Self.tries {
            do throws(StreamError) {
                try transact(batch)
                return []
            } catch {
                guard error.disposition == .abortTransaction else { throw explained(error) }
                // A lacking right is not the fault of a record: every record would be refused.
                guard !error.isForbidden else {
                    try? producer.abort()
                    throw error
                }
                refusal = error
                do throws(StreamError) {
                    try retrying { () throws(StreamError) in try producer.abort() }
                } catch {
                    throw explained(error)
                }
            }
        }
        guard let refusal else { return [] }
        guard batch.count > 1 else { return batch.map { ($0.position, refusal.description) } }
        let middle = batch.count / 2
        return try send(Array(batch[..<middle])) + send(Array(batch[middle...]))
    }

    private func transact(_ batch: [Redriven]) throws(StreamError) {
        let records = batch.map(\.record) + batch.map(\.mark)
        try retrying { () throws(StreamError) in try producer.begin() }
        try producer.send(records)
        try retrying { () throws(StreamError) in try producer.commit() }
    }

    private func explained(_ error: StreamError) -> StreamError {
        guard error.disposition == .fatal else { return error }
        return StreamError(
            .fatal,
            operation: error.operation,
            code: error.code,
            reason:
                "\(error.reason). If another redrive has begun, leave the rest to it; else run this one again: what was "
                + "sent is marked and is left out"
        )
    }

    private func retrying(_ body: () throws(StreamError) -> Void) throws(StreamError) {
        var attempt = 0
        while true {
            do throws(StreamError) {
                return try body()
            } catch {
                attempt += 1
                guard error.disposition == .retry, attempt < Self.maximumAttempts else { throw error }
                pause(Int64(min(2_000, 20 << min(attempt, 7))))
            }
        }
    }
}
