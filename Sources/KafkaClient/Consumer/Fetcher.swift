import Crdkafka

/// Converts the messages of a fetch queue into records: drops stale messages, and separates errors and ends of
/// partitions.
///
/// Consumer and reader share it. Nothing is allocated for a record.
final class Fetcher {
    let topics: [String]
    var positions = PositionTable()
    private(set) var records: ContiguousArray<KafkaRecord> = []
    /// Ends of partitions, each with its offset; oldest first.
    private(set) var ends: [(partition: KafkaTopicPartition, offset: Int64)] = []
    private var failure: KafkaError?
    private var failedTopic = ""
    private let buffer = RecordBuffer()
    /// librdkafka's topic objects with their index in `topics`; they live as long as an assignment.
    private var handles: [(handle: OpaquePointer, index: Int)] = []
    private var lastHandle: (handle: OpaquePointer, index: Int)?
    private var waker: FetchWaker?

    init(topics: [String], waker: FetchWaker?) {
        self.topics = topics
        self.waker = waker
    }

    /// Releases the records of the last fetch.
    func release() {
        records.removeAll(keepingCapacity: true)
        buffer.release()
    }

    /// Starts a new assignment. Ends and errors of the old one are no longer reported.
    func restart(_ positions: [KafkaTopicPartition: Int64]) {
        release()
        self.positions = PositionTable(positions, topics: topics)
        handles.removeAll()
        lastHandle = nil
        ends.removeAll()
        failure = nil
    }

    /// Discards ends and errors, which do not apply to partitions that are moved.
    func discardEndsAndErrors() {
        ends.removeAll()
        failure = nil
    }

    /// Frees the resources that belong to the client; must be called before the client is closed.
    func stop() {
        release()
        waker = nil
    }

    /// Returns and clears the first error of a partition since the last call. For a topic that the principal may not
    /// describe, librdkafka reports an unknown partition; a broker is then queried for the reason.
    func takeFailure(asking client: OpaquePointer) -> KafkaError? {
        guard let failure else { return nil }
        defer { self.failure = nil }
        guard !failedTopic.isEmpty else { return failure }
        return Metadata.explained(failure, failedTopic, for: .read, client: client)
    }

    func takeEnd() -> (partition: KafkaTopicPartition, offset: Int64)? { ends.isEmpty ? nil : ends.removeFirst() }

    func headers(at index: Int) -> [KafkaHeader] { buffer.headers(at: index) }

    /// Replaces `records` by those in `queue`, at most `maximum`; waits at most `timeout` milliseconds.
    func fetch(from queue: OpaquePointer, maximum: Int, timeout: Int32) {
        release()
        buffer.read(from: queue, maximum: max(1, maximum), timeout: timeout)
        guard buffer.count > 0 else { return }
        var bytes = 0
        buffer.compact { message in
            let view = message.pointee
            guard view.err == RD_KAFKA_RESP_ERR_NO_ERROR else {
                noteEndOrError(message)
                return false
            }
            // Records fetched before a seek, or of a partition that is not assigned, are dropped.
            guard let handle = view.rkt, let topic = index(of: handle),
                positions.admit(topic: topic, partition: view.partition, offset: view.offset)
            else { return false }
            bytes += view.len
            records.append(
                KafkaRecord(
                    topic: topic,
                    partition: view.partition,
                    offset: view.offset,
                    timestamp: rd_kafka_message_timestamp(message, nil),
                    key: UnsafeRawBufferPointer(start: view.key, count: view.key == nil ? 0 : view.key_len),
                    value: UnsafeRawBufferPointer(start: view.payload, count: view.payload == nil ? 0 : view.len)
                )
            )
            return true
        }
        waker?.observe(fetched: records.count, bytes: bytes, left: rd_kafka_queue_length(queue))
    }

    private func noteEndOrError(_ message: RecordBuffer.Message) {
        let view = message.pointee
        let topic = view.rkt.flatMap { index(of: $0) }.map { topics[$0] }
        if view.err == RD_KAFKA_RESP_ERR__PARTITION_EOF {
            if let topic { ends.append((KafkaTopicPartition(topic, view.partition), view.offset)) }
            return
        }
        let text = rd_kafka_message_errstr(message).map { String(cString: $0) } ?? ""
        let prefix = topic.map { "\(KafkaTopicPartition($0, view.partition)): " } ?? ""
        if failure == nil {
            failure = KafkaError(view.err, operation: "fetch records", reason: prefix + text)
            failedTopic = topic ?? ""
        }
    }

    private func index(of handle: OpaquePointer) -> Int? {
        if let lastHandle, lastHandle.handle == handle { return lastHandle.index }
        if let known = handles.first(where: { $0.handle == handle }) {
            lastHandle = known
            return known.index
        }
        guard let index = topics.firstIndex(of: String(cString: rd_kafka_topic_name(handle))) else { return nil }
        handles.append((handle, index))
        lastHandle = (handle, index)
        return index
    }
}
