import Crdkafka

/// The messages of one poll, in memory that is reused for every poll.
final class RecordBuffer {
    typealias Message = UnsafeMutablePointer<rd_kafka_message_t>

    private var messages: UnsafeMutablePointer<Message?>
    private var capacity: Int
    private(set) var count = 0

    init(capacity: Int = 1024) {
        messages = .allocate(capacity: capacity)
        messages.initialize(repeating: nil, count: capacity)
        self.capacity = capacity
    }

    deinit {
        release()
        messages.deallocate()
    }

    subscript(index: Int) -> Message? { messages[index] }

    /// Reads the messages that `queue` contains now, into the released buffer; waits at most `timeout` milliseconds,
    /// for the first message only.
    ///
    /// librdkafka would wait the whole time for a full batch, so the wait is for one message, and the rest is read
    /// without waiting.
    func read(from queue: OpaquePointer, maximum: Int, timeout: Int32) {
        reserve(maximum)
        count = consumeBatch(from: queue, at: 0, maximum: maximum, timeout: 0)
        guard count == 0, timeout > 0 else { return }
        count = consumeBatch(from: queue, at: 0, maximum: 1, timeout: timeout)
        if count == 1, maximum > 1 { count += consumeBatch(from: queue, at: 1, maximum: maximum - 1, timeout: 0) }
    }

    /// Keeps the messages for which `isKept` is true, in order, and destroys the others at once.
    func compact(keeping isKept: (Message) -> Bool) {
        var kept = 0
        for index in 0..<count {
            guard let message = messages[index] else { continue }
            if isKept(message) {
                messages[kept] = message
                kept += 1
            } else {
                rd_kafka_message_destroy(message)
            }
        }
        count = kept
    }

    /// Destroys all messages; data borrowed from them becomes invalid.
    func release() {
        for index in 0..<count {
            if let message = messages[index] { rd_kafka_message_destroy(message) }
        }
        count = 0
    }

    func headers(at index: Int) -> [KafkaHeader] {
        var list: OpaquePointer?
        guard index >= 0, index < count, let message = messages[index],
            rd_kafka_message_headers(message, &list) == RD_KAFKA_RESP_ERR_NO_ERROR, let list
        else { return [] }
        var headers: [KafkaHeader] = []
        var name: UnsafePointer<CChar>?
        var value: UnsafeRawPointer?
        var size = 0
        while rd_kafka_header_get_all(list, headers.count, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR {
            let bytes = value.map { [UInt8](UnsafeRawBufferPointer(start: $0, count: size)) }
            headers.append(KafkaHeader(name.map { String(cString: $0) } ?? "", bytes))
        }
        return headers
    }

    private func consumeBatch(from queue: OpaquePointer, at start: Int, maximum: Int, timeout: Int32) -> Int {
        max(0, rd_kafka_consume_batch_queue(queue, timeout, messages + start, maximum))
    }

    private func reserve(_ maximum: Int) {
        guard maximum > capacity else { return }
        messages.deallocate()
        messages = .allocate(capacity: maximum)
        messages.initialize(repeating: nil, count: maximum)
        capacity = maximum
    }
}
