import Crdkafka
internal import KafkaClient

extension BrokerProcess {
    /// Adds partitions to a topic, which the engine itself never does.
    ///
    /// - Parameters:
    ///   - topic: An existing topic.
    ///   - count: Its number of partitions afterwards.
    /// - Throws: `Failure` with the broker's message.
    public func addPartitions(_ topic: String, upTo count: Int) throws {
        let configuration = rd_kafka_conf_new()
        for (name, value) in properties.entries { rd_kafka_conf_set(configuration, name, value, nil, 0) }
        guard let client = rd_kafka_new(RD_KAFKA_PRODUCER, configuration, nil, 0) else {
            rd_kafka_conf_destroy(configuration)
            throw Failure(description: "could not make a client")
        }
        defer { rd_kafka_destroy(client) }
        guard let queue = rd_kafka_queue_new(client) else { throw Failure(description: "could not make a queue") }
        defer { rd_kafka_queue_destroy(queue) }
        var request = rd_kafka_NewPartitions_new(topic, count, nil, 0)
        defer { rd_kafka_NewPartitions_destroy(request) }
        rd_kafka_CreatePartitions(client, &request, 1, nil, queue)
        guard let event = rd_kafka_queue_poll(queue, 20_000) else { throw Failure(description: "no answer") }
        defer { rd_kafka_event_destroy(event) }
        var results = 0
        guard rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR_NO_ERROR,
            let result = rd_kafka_event_CreatePartitions_result(event),
            let topics = rd_kafka_CreatePartitions_result_topics(result, &results), results == 1,
            rd_kafka_topic_result_error(topics[0]) == RD_KAFKA_RESP_ERR_NO_ERROR
        else { throw Failure(description: "could not add partitions to \(topic)") }
    }
}
