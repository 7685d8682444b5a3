import StreamRuntime

/// A simulated cluster of one topic that never changes and can only be read.
struct FixedTransport: StreamTransport {
    let topic: String
    let count: Int
    /// Creates the record at an offset; called when the record is read.
    let record: @Sendable (Int) -> (key: [UInt8], value: [UInt8])

    private static let missing = StreamError(
        .fatal,
        operation: "measure",
        code: "_NO_BROKER",
        reason: "there is no broker"
    )

    func makeConsumer(group: String, instance: String, topics: [String]) throws(StreamError) -> any GroupConsumer {
        throw Self.missing
    }

    func makeProducer(transactionalID: String) throws(StreamError) -> any TransactionalProducer { throw Self.missing }

    func makeReader(topics: [String]) throws(StreamError) -> any LogReader { FixedReader(self) }

    func clusterID() throws(StreamError) -> String { "fixed" }

    func groupOffsets(
        _ group: String,
        _ partitions: [TopicPartition]
    ) throws(StreamError) -> [TopicPartition: GroupOffset] { [:] }
}

private final class FixedReader: LogReader {
    private let transport: FixedTransport
    private var next = 0
    private var hasEnded = false
    private var buffers: [UnsafeMutableRawBufferPointer] = []

    init(_ transport: FixedTransport) { self.transport = transport }

    deinit { close() }

    var topics: [String] { [transport.topic] }

    func partitions(of topic: String) throws(StreamError) -> [Int32] { [0] }

    func start(_ positions: [TopicPartition: Int64]) throws(StreamError) { next = Int(positions.values.first ?? 0) }

    func poll(into batch: RecordBatch, maximum: Int, timeoutMilliseconds: Int) throws(StreamError) -> ReadOutcome {
        close()
        batch.records.removeAll()
        guard next < transport.count else {
            if hasEnded { return .idle }
            hasEnded = true
            return .endOfPartition(TopicPartition(transport.topic, 0), Int64(next))
        }
        for offset in next..<min(transport.count, next + maximum) {
            let (key, value) = transport.record(offset)
            batch.records.append(
                RecordView(
                    topic: 0,
                    partition: 0,
                    offset: Int64(next),
                    timestamp: 0,
                    key: lend(key),
                    value: lend(value)
                )
            )
            next += 1
        }
        return .records
    }

    private func lend(_ bytes: [UInt8]) -> UnsafeRawBufferPointer {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
        buffer.copyBytes(from: bytes)
        buffers.append(buffer)
        return UnsafeRawBufferPointer(buffer)
    }

    func watermarks(_ partition: TopicPartition) throws(StreamError) -> (low: Int64, high: Int64) {
        (0, Int64(transport.count))
    }

    func close() {
        for buffer in buffers { buffer.deallocate() }
        buffers.removeAll()
    }
}
