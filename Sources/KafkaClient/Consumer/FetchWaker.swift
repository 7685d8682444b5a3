import Crdkafka

/// Keeps librdkafka older than 2.2.0 fetching with a small local queue.
///
/// When the local queue is full, those versions check it again only after one second, unless anything happens on that
/// broker's thread; there is no call and no property for that (`fetch.queue.backoff.ms` was added in 2.2.0). Therefore,
/// when the queue has drained below one half, `FetchWaker` sends each broker the smallest request that any principal
/// may send, a list of dead consumer groups, and discards the answer. At most one request is in flight; if a broker
/// does not answer, only the old behaviour remains. The measurements are at `FetchQueue`.
final class FetchWaker {
    private let client: OpaquePointer
    private let answers: OpaquePointer
    private let messageLimit: Int
    private let byteLimit: Int
    private var isArmed = false
    private var isWaiting = false
    private var averageBytes = 0

    /// Approximate bytes that librdkafka adds to a record's key and value in its local queue.
    private static let overhead = 60

    init?(_ handle: ClientHandle, properties: KafkaProperties) {
        guard KafkaLibrary.number < 0x0202_00ff, let answers = rd_kafka_queue_new(handle.client) else { return nil }
        client = handle.client
        self.answers = answers
        messageLimit = Int(properties["queued.min.messages"] ?? "") ?? 100_000
        byteLimit = (Int(properties["queued.max.messages.kbytes"] ?? "") ?? 65_536) * 1024
    }

    deinit { rd_kafka_queue_destroy(answers) }

    /// Call after every batch, with the messages that are left in the local queue.
    func observe(fetched: Int, bytes: Int, left: Int) {
        if fetched > 0 { averageBytes = (averageBytes + bytes / fetched + Self.overhead) / 2 }
        if isHalfFull(left + fetched) { isArmed = true }
        guard isArmed, !isHalfFull(left) else { return }
        if isWaiting, let answer = rd_kafka_queue_poll(answers, 0) {
            rd_kafka_event_destroy(answer)
            isWaiting = false
        }
        guard !isWaiting else { return }
        isArmed = false
        wake()
    }

    private func isHalfFull(_ count: Int) -> Bool {
        count * 2 >= messageLimit || count * averageBytes * 2 >= byteLimit
    }

    private func wake() {
        guard let options = rd_kafka_AdminOptions_new(client, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPS) else { return }
        defer { rd_kafka_AdminOptions_destroy(options) }
        var reason = ErrorText()
        _ = reason.fill { rd_kafka_AdminOptions_set_request_timeout(options, 1000, $0, $1) }
        var states = [RD_KAFKA_CONSUMER_GROUP_STATE_DEAD]
        if let error = rd_kafka_AdminOptions_set_match_consumer_group_states(options, &states, states.count) {
            rd_kafka_error_destroy(error)
        }
        rd_kafka_ListConsumerGroups(client, options, answers)
        isWaiting = true
    }
}
