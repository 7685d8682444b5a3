import Crdkafka

/// Failed operation of the client, and what the caller must do next.
public struct KafkaError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Action required of the caller.
    public enum Disposition: Hashable, Sendable {
        /// Make the same call again, after a pause.
        case retry
        /// Abort the open transaction, rewind to the committed offsets, go on.
        case abortTransaction
        /// The client is no longer usable: close it and create a new one.
        case fatal
    }

    /// Attempted operation, as in "commit the transaction".
    public let operation: String
    /// The name that librdkafka gives the code, as in `_FENCED` (its own codes begin with an underscore).
    public let code: String
    /// Reason reported by the broker or the client.
    public let reason: String
    /// Action required of the caller.
    public let disposition: Disposition

    /// An error found by this module itself, under the name of the librdkafka code that fits.
    public init(_ disposition: Disposition, operation: String, code: String, reason: String) {
        self.operation = operation
        self.code = code
        self.reason = reason
        self.disposition = disposition
    }

    /// The error in one line: the operation, the reason, the code, and the remedy if there is one.
    public var description: String {
        let line = "could not \(operation): \(reason) (\(code))"
        return remedy.map { "\(line); \($0)" } ?? line
    }

    /// Remedy available to an operator; nil if the reason is sufficient.
    public var remedy: String? {
        switch code {
        case "_FENCED", "PRODUCER_FENCED", "INVALID_PRODUCER_EPOCH":
            "another producer took over the transactional id, or the transaction was open longer than "
                + "transaction.timeout.ms: make a new producer and rewind"
        case "FENCED_INSTANCE_ID": "another consumer joined with the same group.instance.id: give each its own"
        case "TOPIC_AUTHORIZATION_FAILED", "GROUP_AUTHORIZATION_FAILED", "TRANSACTIONAL_ID_AUTHORIZATION_FAILED",
            "CLUSTER_AUTHORIZATION_FAILED":
            "grant it"
        case "MSG_SIZE_TOO_LARGE": "raise max.message.bytes of the topic, or write a smaller record"
        case "UNKNOWN_TOPIC_OR_PART", "_UNKNOWN_TOPIC", "_UNKNOWN_PARTITION": "create the topic first"
        case "_ALL_BROKERS_DOWN", "_TRANSPORT", "_RESOLVE": "check bootstrap.servers and that the brokers run"
        case "_AUTO_OFFSET_RESET", "OFFSET_OUT_OF_RANGE":
            "the offset is no longer in the log: reset the group's offset on purpose, knowing what was skipped"
        case "SASL_AUTHENTICATION_FAILED":
            "check the sasl.* properties (SCRAM needs librdkafka 2.6.1 or newer against Kafka 4)"
        default: nil
        }
    }
}

extension KafkaError {
    /// Creates an error from a code; the disposition is that of the code for a consumer or an administrator.
    init(_ error: rd_kafka_resp_err_t, operation: String, reason: String? = nil) {
        self.init(
            Self.disposition(of: error),
            operation: operation,
            code: String(cString: rd_kafka_err2name(error)),
            reason: reason ?? String(cString: rd_kafka_err2str(error))
        )
    }

    /// Acquires ownership of `error` and destroys it.
    init(consuming error: OpaquePointer, operation: String) {
        defer { rd_kafka_error_destroy(error) }
        // A fatal error may have the abortable flag still set, so the fatal flag is checked first.
        let disposition: Disposition =
            if rd_kafka_error_is_fatal(error) != 0 {
                .fatal
            } else if rd_kafka_error_txn_requires_abort(error) != 0 {
                .abortTransaction
            } else if rd_kafka_error_is_retriable(error) != 0 {
                .retry
            } else {
                .fatal
            }
        self.init(
            disposition,
            operation: operation,
            code: String(cString: rd_kafka_error_name(error)),
            reason: String(cString: rd_kafka_error_string(error))
        )
    }

    private static func disposition(of error: rd_kafka_resp_err_t) -> Disposition {
        switch error {
        case RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR__TIMED_OUT, RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE,
            RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, RD_KAFKA_RESP_ERR__WAIT_COORD, RD_KAFKA_RESP_ERR__IN_PROGRESS,
            RD_KAFKA_RESP_ERR__PREV_IN_PROGRESS, RD_KAFKA_RESP_ERR__QUEUE_FULL,
            RD_KAFKA_RESP_ERR__RESOLVE, RD_KAFKA_RESP_ERR__WAIT_CACHE, RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS,
            RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_NOT_COORDINATOR,
            RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
            RD_KAFKA_RESP_ERR_INVALID_MSG, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION,
            RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS, RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT,
            RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
            RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND, RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH,
            RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH, RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS,
            RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR, RD_KAFKA_RESP_ERR_NOT_CONTROLLER,
            RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_THROTTLING_QUOTA_EXCEEDED:
            .retry
        case RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION, RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID,
            RD_KAFKA_RESP_ERR__ASSIGNMENT_LOST:
            .abortTransaction
        default: .fatal
        }
    }
}
