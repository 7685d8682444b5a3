package import StreamRuntime
package import StreamTesting
internal import Synchronization

/// The record that crashes a worker, and how it fails; for tests, around a processor.
package struct LethalRecord: Sendable {
    package enum Manner: Hashable, Sendable {
        /// The process has ended.
        case death
        /// The processor throws.
        case error
        /// The output for the record cannot be written.
        case refusal
        /// The record cannot be read for a while.
        case outage
    }

    /// Reads of the record by the processor's own reader.
    package final class Readings: Sendable {
        private let count = Mutex(0)
        private let seen = Mutex(false)

        /// Whether the record has been read since the last call.
        package func wasReadSinceLastCall() -> Bool {
            seen.withLock { seen in
                defer { seen = false }
                return seen
            }
        }

        /// Notes a read of the record.
        ///
        /// - Returns: Number of reads so far.
        package func recordRead() -> Int {
            seen.withLock { $0 = true }
            return count.withLock { count in
                count += 1
                return count
            }
        }
    }

    package let topic: String
    package let partition: Int32
    package let offset: Int64
    package var manner = Manner.death
    package let readings = Readings()

    package init(topic: String, partition: Int32, offset: Int64, manner: Manner = .death) {
        self.topic = topic
        self.partition = partition
        self.offset = offset
        self.manner = manner
    }

    package func matches(_ topic: String, _ record: RecordView) -> Bool {
        record.offset == offset && record.partition == partition && topic == self.topic
    }
}

/// Error of a process that has ended.
package struct Death: Error {}

/// Error of the processor, thrown for the record.
package struct Fault: Error {}

/// A processor that one record crashes.
package final class CrashingProcessor: Processor {
    package let processor: any Processor
    private let lethal: LethalRecord

    package init(_ processor: any Processor, _ lethal: LethalRecord) {
        self.processor = processor
        self.lethal = lethal
    }

    package func assigned(_ partitions: [TopicPartition], committed: [TopicPartition: Int64]) throws -> [TopicPartition:
        Int64]
    {
        try processor.assigned(partitions, committed: committed)
    }
    package func toleratesExpiry(of partition: TopicPartition) -> Bool { processor.toleratesExpiry(of: partition) }
    package func unassigned(_ partitions: [TopicPartition]) { processor.unassigned(partitions) }

    package func process(_ batch: RecordBatch, topics: [String], into transaction: inout PendingTransaction) throws {
        if batch.records.contains(where: { lethal.matches(topics[$0.topic], $0) }) {
            try strike(&transaction)
        }
        try processor.process(batch, topics: topics, into: &transaction)
    }

    private func strike(_ transaction: inout PendingTransaction) throws {
        switch lethal.manner {
        case .death: throw Death()
        case .error: throw Fault()
        case .refusal:
            transaction.write(
                OutputRecord(topic: lethal.topic, partition: 0, value: [UInt8](repeating: 0, count: 9_000_000))
            )
        case .outage: break
        }
    }

    package func punctuate(now: Int64, into transaction: inout PendingTransaction) throws {
        try processor.punctuate(now: now, into: &transaction)
    }
    package func willCommit(into transaction: inout PendingTransaction) throws {
        try processor.willCommit(into: &transaction)
    }
    package func committed() { processor.committed() }
    package func aborted() { processor.aborted() }
    package var quarantinesRecords: Bool { processor.quarantinesRecords }
    package func quarantine(
        _ batch: RecordBatch,
        topics: [String],
        because reason: Quarantine,
        into transaction: inout PendingTransaction
    ) throws {
        try processor.quarantine(batch, topics: topics, because: reason, into: &transaction)
    }
    package func isAboutRecord(_ error: any Error) -> Bool { !(error is Death) && processor.isAboutRecord(error) }
    package func foundNoOffsets() throws { try processor.foundNoOffsets() }
    package func foundUnclean(_ partitions: [TopicPartition]) { processor.foundUnclean(partitions) }
    package func betweenTransactions(into transaction: inout PendingTransaction) throws -> Bool {
        _ = lethal.readings.wasReadSinceLastCall()
        let isMoreWanted = try processor.betweenTransactions(into: &transaction)
        if lethal.readings.wasReadSinceLastCall() { try strike(&transaction) }
        return isMoreWanted
    }
    package func betweenTransactionsRefused(_ reason: String) { processor.betweenTransactionsRefused(reason) }
}

/// A transport that notes when a processor's own reader reads the record.
package struct LethalTransport: StreamTransport {
    private let transport: any StreamTransport
    private let lethal: LethalRecord

    package init(_ transport: any StreamTransport, _ lethal: LethalRecord) {
        self.transport = transport
        self.lethal = lethal
    }

    package func makeConsumer(group: String, instance: String, topics: [String]) throws(StreamError)
        -> any GroupConsumer
    {
        try transport.makeConsumer(group: group, instance: instance, topics: topics)
    }
    package func makeProducer(transactionalID: String) throws(StreamError) -> any TransactionalProducer {
        try transport.makeProducer(transactionalID: transactionalID)
    }
    package func makeReader(topics: [String]) throws(StreamError) -> any LogReader {
        LethalReader(try transport.makeReader(topics: topics), lethal)
    }
    package func clusterID() throws(StreamError) -> String { try transport.clusterID() }
    package func groupOffsets(
        _ group: String,
        _ partitions: [TopicPartition]
    ) throws(StreamError) -> [TopicPartition: GroupOffset] { try transport.groupOffsets(group, partitions) }
}

private final class LethalReader: LogReader {
    private let reader: any LogReader
    private let lethal: LethalRecord

    init(_ reader: any LogReader, _ lethal: LethalRecord) {
        self.reader = reader
        self.lethal = lethal
    }

    var topics: [String] { reader.topics }
    func partitions(of topic: String) throws(StreamError) -> [Int32] { try reader.partitions(of: topic) }
    func start(_ positions: [TopicPartition: Int64]) throws(StreamError) { try reader.start(positions) }
    func poll(into batch: RecordBatch, maximum: Int, timeoutMilliseconds: Int) throws(StreamError) -> ReadOutcome {
        let outcome = try reader.poll(into: batch, maximum: maximum, timeoutMilliseconds: timeoutMilliseconds)
        if batch.records.contains(where: { lethal.matches(topics[$0.topic], $0) }) {
            let count = lethal.readings.recordRead()
            if lethal.manner == .outage, count <= 3 {
                throw StreamError(.fatal, operation: "read", code: "_TRANSPORT", reason: "the broker is away")
            }
        }
        return outcome
    }
    func watermarks(_ partition: TopicPartition) throws(StreamError) -> (low: Int64, high: Int64) {
        try reader.watermarks(partition)
    }
    func ends(of partitions: [TopicPartition], stable: Bool) throws(StreamError) -> [TopicPartition: Int64] {
        try reader.ends(of: partitions, stable: stable)
    }
    func close() { reader.close() }
}

/// Starts workers one after the other, as a supervisor does, until one of them settles.
///
/// - Returns: The worker that settled, and the number of workers that died before it.
package func supervise(limit: Int = 20, _ make: (Int) throws -> ProcessorRunner) throws -> (
    runner: ProcessorRunner, deaths: Int
) {
    var deaths = 0
    while true {
        let runner = try make(deaths)
        do {
            try runner.settle()
            return (runner, deaths)
        } catch {
            let code = (error as? StreamError)?.code
            guard error is Death || code == "_CRASHED" || code == "_INJECTED", deaths < limit else { throw error }
            deaths += 1
        }
    }
}
