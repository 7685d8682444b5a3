import Crdkafka
public import KafkaClient

/// librdkafka's own cluster, inside this process: the protocol, groups and injected faults.
///
/// It does not isolate transactions, and it keeps no offsets that were sent in one: use it for protocol and faults, and
/// a broker for anything about exactly once. Used on one thread only.
public final class MockCluster {
    /// Addresses of the brokers, for `bootstrap.servers`.
    public let bootstrap: String
    private let client: OpaquePointer
    private let cluster: OpaquePointer

    /// Reason for the failure of an operation on a mock cluster.
    public struct Failure: Error, Sendable, CustomStringConvertible {
        /// Reason of the failure, as reported by librdkafka.
        public let description: String
    }

    /// Starts brokers with ids from 1.
    public init(brokers: Int = 1) throws {
        var text = [CChar](repeating: 0, count: 256)
        // Logs nothing: the messages of a mock broker are caused by the test itself.
        let configuration = rd_kafka_conf_new()
        rd_kafka_conf_set(configuration, "log_level", "0", nil, 0)
        guard let client = rd_kafka_new(RD_KAFKA_PRODUCER, configuration, &text, text.count) else {
            rd_kafka_conf_destroy(configuration)
            let reason = text.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
            throw Failure(description: "could not make a client for the mock cluster: \(reason)")
        }
        guard let cluster = rd_kafka_mock_cluster_new(client, Int32(brokers)) else {
            rd_kafka_destroy(client)
            throw Failure(description: "could not make a mock cluster")
        }
        self.client = client
        self.cluster = cluster
        bootstrap = String(cString: rd_kafka_mock_cluster_bootstraps(cluster))
    }

    deinit {
        rd_kafka_mock_cluster_destroy(cluster)
        rd_kafka_destroy(client)
    }

    /// Properties that name this cluster, with short pauses between tries.
    public var properties: KafkaProperties {
        ["bootstrap.servers": bootstrap, "retry.backoff.ms": "20", "reconnect.backoff.ms": "10"]
    }

    /// Creates a topic; the mock cluster does not support administrative requests.
    public func createTopic(_ name: String, partitions: Int = 1, replication: Int = 1) throws {
        try check(rd_kafka_mock_topic_create(cluster, name, Int32(partitions), Int32(replication)))
    }

    /// Makes the next requests of this kind fail with these codes, one each.
    public func pushRequestErrors(_ request: MockRequest, _ faults: [MockFault]) {
        let codes = faults.map { rd_kafka_resp_err_t(rawValue: $0.rawValue) }
        rd_kafka_mock_push_request_errors_array(cluster, request.rawValue, codes.count, codes)
    }

    /// Removes the remaining pushed errors.
    public func clearRequestErrors(_ request: MockRequest) {
        rd_kafka_mock_clear_request_errors(cluster, request.rawValue)
    }

    /// Closes all connections of a broker, and refuses new ones.
    public func takeDown(broker: Int32) throws { try check(rd_kafka_mock_broker_set_down(cluster, broker)) }

    /// Allows a broker to accept connections again.
    public func bringUp(broker: Int32) throws { try check(rd_kafka_mock_broker_set_up(cluster, broker)) }

    /// Delays every answer of a broker.
    public func delay(broker: Int32, milliseconds: Int) throws {
        try check(rd_kafka_mock_broker_set_rtt(cluster, broker, Int32(milliseconds)))
    }

    /// Sets the coordinator of a group.
    public func setCoordinator(group: String, broker: Int32) throws {
        try check(rd_kafka_mock_coordinator_set(cluster, "group", group, broker))
    }

    /// Sets the coordinator of a transactional id.
    public func setCoordinator(transactionalID: String, broker: Int32) throws {
        try check(rd_kafka_mock_coordinator_set(cluster, "transaction", transactionalID, broker))
    }

    private func check(_ error: rd_kafka_resp_err_t) throws {
        guard error != RD_KAFKA_RESP_ERR_NO_ERROR else { return }
        throw Failure(description: "mock cluster: \(String(cString: rd_kafka_err2str(error)))")
    }
}
