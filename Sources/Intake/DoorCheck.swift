internal import Acquisition
internal import EngineCore
public import Events
public import Flywheel
internal import JSON
public import Processes
internal import StreamRuntime
internal import Vocabulary

/// Checks records as Intake does, but without a broker: with an Intake processor whose projects are read from files and
/// whose entries are discarded.
///
/// The check omits facts that only a worker knows: whether a token belongs to its task, whether an artifact exists,
/// which space of embeddings was learnt, how much of the hour's entries is left. Used on one thread.
public final class DoorCheck {
    /// Result of the check of a record.
    public enum Verdict: Hashable, Sendable {
        /// The record is accepted, with remarks on members that were read differently from how they are written.
        case taken(Remarks)
        case refused(RecordRejection)
    }

    /// The largest record that is accepted, in bytes.
    public static let recordLimit = IntakeProcessor.recordLimit

    private let processor: IntakeProcessor
    private let now: () -> Int64
    private let batch = RecordBatch()

    /// - Parameters:
    ///   - projects: The records' projects, each once. If a project does not state whether tokens are required, they
    ///     are, as for a project's first revision.
    ///   - now: Milliseconds since 1970.
    /// - Throws: `EngineError` if a configuration cannot be a project.
    public init(_ projects: [ProjectConfiguration], now: @escaping () -> Int64 = WallClock.now) throws {
        self.now = now
        let topics = TopicNames(prefix: "")
        let directory = try ProjectDirectory(
            transport: ProjectsInMemory(projects.map { Self.whole($0) }),
            topics: topics,
            now: now
        )
        processor = IntakeProcessor(
            topics: topics,
            directory: directory,
            salt: [],
            tokens: .unchecked,
            worker: "check",
            partitionCount: 1,
            now: now
        )
        try directory.readToEnd()
        if let fault = directory.faults.first { throw EngineError("check records", fault.reason) }
        // An empty batch, with which the processor adopts the projects.
        var transaction = PendingTransaction()
        try processor.process(batch, topics: IntakeProcessor.inputs.map { topics[$0] }, into: &transaction)
    }

    /// Returns the project with all of its samples in the audit sample: forwarded records undergo more checks than
    /// records that are only counted.
    private static func whole(_ project: ProjectConfiguration) -> ProjectConfiguration {
        var acquisition = project.acquisition
        acquisition.auditCutoff = 1
        return ProjectConfiguration(
            project: project.project,
            revision: project.revision,
            partition: 0,
            question: project.question,
            acquisition: acquisition,
            labeling: project.labeling,
            datasets: project.datasets,
            training: project.training,
            rollout: project.rollout,
            embedding: project.embedding,
            requireTokens: project.requireTokens ?? true,
            initialClasses: project.initialClasses
        )
    }

    /// Checks a record.
    ///
    /// - Parameters:
    ///   - value: The value as it would be stored on the topic.
    ///   - topic: One of Intake's inputs.
    /// - Returns: The same verdict for the same record, whatever was checked before it.
    /// - Complexity: O(*n*) in its bytes.
    public func check(_ value: UnsafeRawBufferPointer, on topic: Topic) -> Verdict {
        guard let number = IntakeProcessor.inputs.firstIndex(of: topic) else {
            preconditionFailure("Intake does not read \(topic)")
        }
        let record = RecordView(
            topic: number,
            partition: 0,
            offset: 0,
            timestamp: now(),
            key: UnsafeRawBufferPointer(start: nil, count: 0),
            value: value
        )
        batch.records = [record]
        defer {
            batch.records = []
            processor.aborted()
        }
        processor.batchTime = now()
        processor.current = (number, 0, 0)
        processor.latestRemarks = Remarks()
        var transaction = PendingTransaction()
        do throws(RecordRejection) {
            try processor.decode(record, at: 0, of: batch, into: &transaction)
        } catch {
            return .refused(error)
        }
        return .taken(processor.latestRemarks)
    }

    /// Returns the verdict on a record that is larger than `recordLimit`, whatever its content.
    public static func verdict(ofSize size: Int) -> Verdict { .refused(IntakeProcessor.tooLarge(size)) }
}

/// A cluster that holds the newest revisions of some projects and nothing else.
private struct ProjectsInMemory: StreamTransport {
    private let records: [(key: [UInt8], value: [UInt8])]

    init(_ projects: [ProjectConfiguration]) {
        records = projects.map { (Array($0.project.rawValue.utf8), $0.jsonBytes) }
    }

    func makeReader(topics: [String]) throws(StreamError) -> any LogReader { Reader(topics, records) }
    func clusterID() throws(StreamError) -> String { "" }
    func groupOffsets(
        _ group: String,
        _ partitions: [TopicPartition]
    ) throws(StreamError) -> [TopicPartition: GroupOffset] { [:] }

    func makeConsumer(group: String, instance: String, topics: [String]) throws(StreamError) -> any GroupConsumer {
        preconditionFailure("nothing is consumed in a check")
    }

    func makeProducer(transactionalID: String) throws(StreamError) -> any TransactionalProducer {
        preconditionFailure("nothing is written in a check")
    }

    private final class Reader: LogReader {
        let topics: [String]
        /// Key and value of each record, valid until the reader is deallocated.
        private let texts: [UnsafeRawBufferPointer]
        private var position = 0

        init(_ topics: [String], _ records: [(key: [UInt8], value: [UInt8])]) {
            self.topics = topics
            texts = records.flatMap { [$0.key, $0.value] }.map { bytes in
                let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
                copy.copyBytes(from: bytes)
                return UnsafeRawBufferPointer(copy)
            }
        }

        deinit { for text in texts { text.deallocate() } }

        private var end: Int { texts.count / 2 }

        func partitions(of topic: String) throws(StreamError) -> [Int32] { [0] }
        func start(_ positions: [TopicPartition: Int64]) throws(StreamError) {}
        func watermarks(_ partition: TopicPartition) throws(StreamError) -> (low: Int64, high: Int64) {
            (0, Int64(end))
        }
        func close() {}

        func poll(into batch: RecordBatch, maximum: Int, timeoutMilliseconds: Int) throws(StreamError) -> ReadOutcome {
            guard position < end else { return .idle }
            batch.records = ContiguousArray(
                (position..<end).map {
                    RecordView(
                        topic: 0,
                        partition: 0,
                        offset: Int64($0),
                        timestamp: 0,
                        key: texts[2 * $0],
                        value: texts[2 * $0 + 1]
                    )
                }
            )
            position = end
            return .records
        }
    }
}
