import Crdkafka

extension KafkaConsumer {
    /// Commits next offsets and their metadata by themselves, outside of any transaction, and waits for the answer.
    ///
    /// - Throws: `.retry` if there was no answer in time: the offsets may be committed or not, and may be committed
    ///   again. `.abortTransaction` if the group has moved on to a generation without this member.
    public func commit(
        _ offsets: [KafkaTopicPartition: KafkaGroupOffset],
        timeoutMilliseconds: Int = 10_000
    ) throws(KafkaError) {
        guard !offsets.isEmpty else { return }
        let operation = "commit offsets"
        let right = KafkaRight(.read, .group, group)
        guard let answers = rd_kafka_queue_new(handle.client) else {
            throw KafkaError(.fatal, operation: operation, code: "_FAIL", reason: "librdkafka made no queue")
        }
        defer { rd_kafka_queue_destroy(answers) }
        let list = PartitionList(offsets)
        let error = rd_kafka_commit_queue(handle.client, list.pointer, answers, nil, nil)
        guard error == RD_KAFKA_RESP_ERR_NO_ERROR else { throw Self.failure(error, operation) }
        guard let event = rd_kafka_queue_poll(answers, Int32(timeoutMilliseconds)) else {
            throw KafkaError(.retry, operation: operation, code: "_TIMED_OUT", reason: "no answer")
        }
        defer { rd_kafka_event_destroy(event) }
        let answer = rd_kafka_event_error(event)
        guard answer == RD_KAFKA_RESP_ERR_NO_ERROR else { throw Self.failure(answer, operation).lacking(right) }
        for element in PartitionList.elements(rd_kafka_event_topic_partition_list(event))
        where element.err != RD_KAFKA_RESP_ERR_NO_ERROR {
            throw Self.failure(element.err, operation).lacking(right)
        }
    }

    /// Error of a failed commit: if the group has moved on to another generation, the work must be undone, as in a
    /// transaction.
    private static func failure(_ code: rd_kafka_resp_err_t, _ operation: String) -> KafkaError {
        let error = KafkaError(code, operation: operation)
        switch code {
        case RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION, RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID,
            RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS, RD_KAFKA_RESP_ERR__ASSIGNMENT_LOST:
            return KafkaError(.abortTransaction, operation: operation, code: error.code, reason: error.reason)
        default: return error
        }
    }
}
