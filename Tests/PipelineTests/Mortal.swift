import StreamRuntime
import StreamTesting

/// Which record a worker cannot live with, and how it fails: in tests only, around a stage.
struct Lethal: Sendable {
    enum Manner: Hashable, Sendable {
        /// The process is gone.
        case death
        /// The stage throws.
        case error
        /// What it writes cannot be written.
        case refusal
    }

    let topic: String
    let partition: Int32
    let offset: Int64
    var manner = Manner.death

    func strikes(_ topic: String, _ record: RecordView) -> Bool {
        record.offset == offset && record.partition == partition && topic == self.topic
    }
}

/// The process is gone.
struct Death: Error {}

/// A fault of ours.
struct Fault: Error {}

/// A stage that some record kills.
final class MortalStage: StreamStage {
    let stage: any StreamStage
    private let lethal: Lethal

    init(_ stage: any StreamStage, _ lethal: Lethal) {
        self.stage = stage
        self.lethal = lethal
    }

    func assigned(_ partitions: [TopicPartition], committed: [TopicPartition: Int64]) throws -> [TopicPartition: Int64]
    {
        try stage.assigned(partitions, committed: committed)
    }
    func toleratesExpiry(of partition: TopicPartition) -> Bool { stage.toleratesExpiry(of: partition) }
    func unassigned(_ partitions: [TopicPartition]) { stage.unassigned(partitions) }

    func process(_ batch: RecordBatch, topics: [String], into turn: inout Turn) throws {
        if batch.records.contains(where: { lethal.strikes(topics[$0.topic], $0) }) {
            switch lethal.manner {
            case .death: throw Death()
            case .error: throw Fault()
            case .refusal:
                turn.write(
                    OutputRecord(topic: lethal.topic, partition: 0, value: [UInt8](repeating: 0, count: 9_000_000))
                )
            }
        }
        try stage.process(batch, topics: topics, into: &turn)
    }

    func turnEnds(now: Int64, into turn: inout Turn) throws { try stage.turnEnds(now: now, into: &turn) }
    func willCommit(into turn: inout Turn) throws { try stage.willCommit(into: &turn) }
    func committed() { stage.committed() }
    func aborted() { stage.aborted() }
    var isolates: Bool { stage.isolates }
    func isolate(_ batch: RecordBatch, topics: [String], because isolation: Isolation, into turn: inout Turn) throws {
        try stage.isolate(batch, topics: topics, because: isolation, into: &turn)
    }
    func isAboutRecord(_ error: any Error) -> Bool { !(error is Death) && stage.isAboutRecord(error) }
    func beginsAnew() throws { try stage.beginsAnew() }
    func foundUnclean(_ partitions: [TopicPartition]) { stage.foundUnclean(partitions) }
    func betweenTurns(into turn: inout Turn) throws { try stage.betweenTurns(into: &turn) }
    func betweenTurnsRefused(_ reason: String) { stage.betweenTurnsRefused(reason) }
}

/// A transport whose readers die of a record: what a stage reads by itself.
struct LethalTransport: StreamTransport {
    static let code = "_DEATH"
    private let transport: any StreamTransport
    private let lethal: Lethal

    init(_ transport: any StreamTransport, _ lethal: Lethal) {
        self.transport = transport
        self.lethal = lethal
    }

    func makeConsumer(group: String, instance: String, topics: [String]) throws(StreamError) -> any GroupConsumer {
        try transport.makeConsumer(group: group, instance: instance, topics: topics)
    }
    func makeProducer(transactionalID: String) throws(StreamError) -> any TransactionalProducer {
        try transport.makeProducer(transactionalID: transactionalID)
    }
    func makeReader(topics: [String]) throws(StreamError) -> any LogReader {
        LethalReader(try transport.makeReader(topics: topics), lethal)
    }
    func clusterID() throws(StreamError) -> String { try transport.clusterID() }
}

private final class LethalReader: LogReader {
    private let reader: any LogReader
    private let lethal: Lethal

    init(_ reader: any LogReader, _ lethal: Lethal) {
        self.reader = reader
        self.lethal = lethal
    }

    var topics: [String] { reader.topics }
    func partitions(of topic: String) throws(StreamError) -> [Int32] { try reader.partitions(of: topic) }
    func start(_ positions: [TopicPartition: Int64]) throws(StreamError) { try reader.start(positions) }
    func poll(into batch: RecordBatch, maximum: Int, timeoutMilliseconds: Int) throws(StreamError) -> ReadOutcome {
        let outcome = try reader.poll(into: batch, maximum: maximum, timeoutMilliseconds: timeoutMilliseconds)
        if batch.records.contains(where: { lethal.strikes(topics[$0.topic], $0) }) {
            throw StreamError(.fatal, operation: "live", code: LethalTransport.code, reason: "killed")
        }
        return outcome
    }
    func watermarks(_ partition: TopicPartition) throws(StreamError) -> (low: Int64, high: Int64) {
        try reader.watermarks(partition)
    }
    func close() { reader.close() }
}

/// Starts workers one after the other, as a supervisor does, until one settles.
///
/// - Returns: The one that settled, and how many died.
func supervise(limit: Int = 20, _ make: (Int) throws -> StageRunner) throws -> (runner: StageRunner, deaths: Int) {
    var deaths = 0
    while true {
        let runner = try make(deaths)
        do {
            try runner.settle()
            return (runner, deaths)
        } catch {
            let code = (error as? StreamError)?.code
            guard error is Death || code == LethalTransport.code || code == "_CRASHED" || code == "_INJECTED",
                deaths < limit
            else { throw error }
            deaths += 1
        }
    }
}
