import Crdkafka

/// Transactions, in the order `initializeTransactions`, then `begin`, `send`, `sendOffsets`, `commit` or `abort`.
///
/// Temporary errors (a coordinator that is loading, a broker that is unavailable) are retried internally until the
/// timeout.
extension KafkaProducer {
    /// Fences older producers of the same id and aborts their open transactions. Call once, first.
    public func initializeTransactions(timeoutMilliseconds: Int = 60_000) throws(KafkaError) {
        do throws(KafkaError) {
            try repeating("initialize transactions", timeoutMilliseconds, slice: 10_000) { client, timeout in
                rd_kafka_init_transactions(client, timeout)
            }
        } catch {
            throw error.lacking(
                .init(.write, .transactionalID, transactionalID),
                .init(.idempotentWrite, .cluster, "kafka-cluster")
            )
        }
    }

    /// Opens a transaction; the first record announces it to the broker.
    public func begin() throws(KafkaError) {
        _ = takeFailures()
        transactionTopics.removeAll(keepingCapacity: true)
        if let error = rd_kafka_begin_transaction(handle.client) {
            throw KafkaError(consuming: error, operation: "begin a transaction")
        }
    }

    /// Queues records in order. Later errors are reported by `commit`.
    ///
    /// - Throws: Never `.retry`: if the local queue stays full, the transaction must be aborted, since a part of the
    ///   records was queued.
    public func send(_ records: some Sequence<KafkaOutputRecord>) throws(KafkaError) {
        for record in records {
            do { try send(record) } catch {
                guard error.disposition == .retry else { throw error }
                throw KafkaError(.abortTransaction, operation: error.operation, code: error.code, reason: error.reason)
            }
        }
    }

    /// Puts next offsets without metadata, with the group's generation as `consumer` knows it, into the open transaction.
    public func sendOffsets(
        _ offsets: [KafkaTopicPartition: Int64],
        of consumer: KafkaConsumer,
        timeoutMilliseconds: Int = 30_000
    ) throws(KafkaError) {
        let offsets = offsets.mapValues { KafkaGroupOffset(next: $0) }
        try sendOffsets(offsets, of: consumer, timeoutMilliseconds: timeoutMilliseconds)
    }

    /// Puts next offsets and their metadata, with the group's generation as `consumer` knows it, into the open transaction.
    public func sendOffsets(
        _ offsets: [KafkaTopicPartition: KafkaGroupOffset],
        of consumer: KafkaConsumer,
        timeoutMilliseconds: Int = 30_000
    ) throws(KafkaError) {
        let operation = "add offsets to the transaction"
        guard let group = rd_kafka_consumer_group_metadata(consumer.handle.client) else {
            throw KafkaError(
                .abortTransaction,
                operation: operation,
                code: "_UNKNOWN_GROUP",
                reason: "the consumer is in no group"
            )
        }
        defer { rd_kafka_consumer_group_metadata_destroy(group) }
        let list = PartitionList(offsets)
        let pointer = list.pointer
        do throws(KafkaError) {
            try repeating(operation, timeoutMilliseconds, slice: 5000) { client, timeout in
                rd_kafka_send_offsets_to_transaction(client, pointer, group, timeout)
            }
        } catch {
            // Committing offsets requires the right to read their topics.
            let topics = Set(offsets.keys.map(\.topic)).filter { error.reason.contains($0) }.sorted()
            guard error.code == "TOPIC_AUTHORIZATION_FAILED", !topics.isEmpty else {
                throw explained(error, consumer.group)
            }
            throw error.lacking(anyOf: topics.map { KafkaRight(.read, .topic, $0) })
        }
    }

    /// Delivers the queued records and commits them together with the offsets.
    ///
    /// - Throws: `.abortTransaction` with topic and reason if a record was not delivered; `.fatal` if a newer producer
    ///   has fenced this one or the transaction was open for too long; `.retry` if the outcome is not known yet, then
    ///   only `commit` may be called again.
    ///
    /// After a record that a broker refused, librdkafka 2.0.2 continues with the wrong sequence number: the transaction
    /// after the abort fails too (`.abortTransaction`), and the one after that succeeds.
    public func commit(timeoutMilliseconds: Int = 30_000) throws(KafkaError) {
        let deadline = Deadline(milliseconds: timeoutMilliseconds)
        while drain(deadline, slice: 50) > 0, failures.isEmpty, !deadline.hasPassed {}
        try throwFailure()
        do throws(KafkaError) {
            try repeating("commit the transaction", max(1, deadline.milliseconds), slice: 1000) { client, timeout in
                rd_kafka_commit_transaction(client, timeout)
            }
        } catch {
            throw explained(error, nil)
        }
    }

    /// Names the right that a transaction lacks.
    ///
    /// A topic is refused when it is added to the transaction, together with all others that are added at the same
    /// time, and librdkafka does not report which topic it was. Without Write, a topic that the principal may not read
    /// either cannot be described, so it is identified; if all topics can be described because they may be read, all of
    /// them are named.
    private func explained(_ error: KafkaError, _ group: String?) -> KafkaError {
        guard error.isForbidden else { return error }
        guard error.code == "TOPIC_AUTHORIZATION_FAILED" else {
            let groups = group.map { [KafkaRight(.read, .group, $0)] } ?? []
            return error.lacking(anyOf: [.init(.write, .transactionalID, transactionalID)] + groups)
        }
        let hidden = transactionTopics.filter { topic in
            do throws(KafkaError) {
                _ = try Metadata.partitions(of: topic, for: .write, client: handle.client, timeout: 2_000)
                return false
            } catch {
                return error.isForbidden
            }
        }
        return error.lacking(
            anyOf: (hidden.isEmpty ? transactionTopics : hidden).sorted().map { KafkaRight(.write, .topic, $0) }
        )
    }

    /// Aborts the open transaction: its records and offsets never become visible to readers of committed records.
    public func abort(timeoutMilliseconds: Int = 30_000) throws(KafkaError) {
        // The first call purges the queued records, and waits for delivery reports that only this client can process:
        // so its timeout is short.
        try repeating("abort the transaction", timeoutMilliseconds, slice: 1000, first: 20) { client, timeout in
            rd_kafka_abort_transaction(client, timeout)
        }
        _ = takeFailures()
    }

    private func throwFailure() throws(KafkaError) {
        guard let first = failures.first else { return }
        if let fatal = handle.fatalError(operation: first.error.operation) { throw fatal }
        throw first.error
    }

    /// Calls librdkafka in slices, so that delivery reports are served in between, until it stops asking for more.
    private func repeating(
        _ operation: String,
        _ timeout: Int,
        slice: Int,
        first: Int? = nil,
        _ body: (OpaquePointer, Int32) -> OpaquePointer?
    ) throws(KafkaError) {
        let deadline = Deadline(milliseconds: timeout)
        var length = first ?? slice
        while true {
            let error = body(handle.client, max(1, deadline.slice(atMost: length)))
            serveEvents()
            guard let error else { return }
            let failure = KafkaError(consuming: error, operation: operation)
            if let fatal = handle.fatalError(operation: operation) { throw fatal }
            guard failure.disposition == .retry, !deadline.hasPassed else { throw handle.explained(failure) }
            if failure.code != "_TIMED_OUT" { Pause.milliseconds(20) }
            length = slice
        }
    }
}
