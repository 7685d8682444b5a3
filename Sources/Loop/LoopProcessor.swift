public import EngineCore
public import Events
internal import Flywheel
internal import Hashing
internal import JSON
public import StreamRuntime
internal import Tables
internal import Vocabulary

/// Counts of the loop since it began.
public struct LoopCounts: Hashable, Sendable {
    /// Entries applied, whatever their outcome.
    public var entries: Int64 = 0
    /// Decisions written to topics.
    public var decisions: Int64 = 0
    /// Refusals, by reason code.
    public var refused: [String: Int64] = [:]
    /// Ticks written to the journal.
    public var ticks: Int64 = 0
    /// Entries that could not be read and were written to the dead letters.
    public var unreadable: Int64 = 0

    public init() {}
}

/// The control plane: applies journal entries in order, one project at a time, and writes decisions, changelog and
/// position in the transaction that commits the journal offset.
public final class LoopProcessor: Processor, StoppingProcessor {
    /// The topics that the loop reads, in the order of their indices in its consumer. Their partitions are assigned
    /// together.
    public static let inputs: [Topic] = [.journal, .tallies]

    let topics: TopicNames
    let transport: any StreamTransport
    let worker: String
    let tokens: TokenKeys
    let clusterID: String
    let now: () -> Int64
    /// Snapshots of this worker; nil to restore from the changelog alone.
    let snapshots: LoopSnapshots?
    /// End offset of `state` before the transaction that is about to open, for each partition with a snapshot due.
    var snapshotEnds: [Int32: Int64] = [:]
    let parser = JSONParser(maximumDepth: 64, maximumSize: 16 << 20)
    var partitions: [Int32: LoopPartition] = [:]
    var pendingCounts = LoopCounts()
    /// State of reading the journal again for projects that are resuming.
    var rereading = JournalCatchUp()
    /// Calls of `pauseChanged` to make once the transaction has committed.
    var pauseChanges: [(name: String, pause: ProjectPause?)] = []
    /// Counts of the committed transactions.
    public internal(set) var counts = LoopCounts()
    /// Called when a project is paused, is resuming (indicated by its pause), and has resumed (nil).
    public var pauseChanged: (String, ProjectPause?) -> Void = { _, _ in }
    /// Called when a partition stops; it stays stopped until it is revoked.
    public var stopped: (PartitionStop) -> Void = { _ in }
    /// Called when a project cannot be read again for now.
    public var rereadingFailed: (String, StreamError) -> Void = { _, _ in }
    /// Called while a partition is restored.
    public var restoring: (RestoreProgress) -> Void = { _ in }
    /// Called with each partition restored, its records and milliseconds.
    public var restored: (Int32, Int, Int64) -> Void = { _, _, _ in }

    public init(
        topics: TopicNames,
        transport: any StreamTransport,
        worker: String,
        tokens: TokenKeys,
        snapshots: LoopSnapshots? = nil,
        now: @escaping () -> Int64
    ) throws(StreamError) {
        self.snapshots = snapshots
        self.topics = topics
        self.transport = transport
        self.worker = worker
        self.tokens = tokens
        self.now = now
        clusterID = try transport.clusterID()
    }

    /// Calls `body` with the state of every project here, for observers outside, between two transactions.
    public func forEachProject(_ body: (LoopProject) -> Void) {
        for number in partitions.keys.sorted() {
            guard let projects = partitions[number]?.projects else { continue }
            for name in projects.keys.sorted() { if let project = projects[name] { body(project) } }
        }
    }

    /// Partitions that have stopped, in order.
    public var stops: [PartitionStop] { partitions.keys.sorted().compactMap { partitions[$0]?.stop } }

    // MARK: - Assignment

    public func assigned(_ assigned: [TopicPartition], committed: [TopicPartition: Int64]) throws -> [TopicPartition:
        Int64]
    {
        var positions: [TopicPartition: Int64] = [:]
        var store = try StateStore(transport: transport, topics: topics)
        store.progress = restoring
        defer { store.close() }
        for topicPartition in assigned.sorted() {
            guard topicPartition.topic == topics[.journal] else {
                positions[topicPartition] = committed[topicPartition]
                continue
            }
            let began = now()
            let (restoredState, offset) = try restore(topicPartition, committed[topicPartition], store)
            let partition = LoopPartition()
            partition.projects = restoredState.projects
            partition.paused = Set(restoredState.projects.filter { $0.value.pause != nil }.keys)
            partition.snapshotAt = now()
            partition.history = restoredState.position.map(\.history) ?? ""
            if partition.history.isEmpty { partition.history = "\(clusterID)/\(worker)/\(now())" }
            partition.journalOffset = offset
            partition.committedOffset = offset
            // If there is no position yet, the first transaction writes one, whatever else it contains.
            partition.isTouched = restoredState.position == nil
            partitions[topicPartition.partition] = partition
            positions[topicPartition] = offset
            restored(topicPartition.partition, restoredState.records, now() - began)
        }
        return positions
    }

    /// Whether expired records of a partition may be skipped: not those of the journal, which decides; tallies only
    /// inform.
    public func toleratesExpiry(of partition: TopicPartition) -> Bool { partition.topic != topics[.journal] }

    public func unassigned(_ revoked: [TopicPartition]) {
        for topicPartition in revoked where topicPartition.topic == topics[.journal] {
            partitions[topicPartition.partition] = nil
        }
        rereading.close()
        pauseChanges.removeAll()
    }

    // MARK: - Entries

    public func process(_ batch: RecordBatch, topics names: [String], into transaction: inout PendingTransaction) throws
    {
        for (index, record) in batch.records.enumerated() {
            guard let partition = partitions[record.partition] else {
                throw EngineError("apply an entry", "partition \(record.partition) is not assigned")
            }
            if Self.inputs[record.topic] == .tallies {
                processTally(record, partition)
                continue
            }
            if let stop = partition.stop, record.offset >= stop.offset { continue }
            do throws(JSONError) {
                try processEntry(record, at: index, of: batch, in: partition, into: &transaction)
            } catch {
                let stop = PartitionStop(.journal, record.partition, offset: record.offset, reason: error.reason)
                partition.stop = stop
                stopped(stop)
                continue
            }
            partition.journalOffset = record.offset + 1
            partition.isTouched = true
            transaction.advance(TopicPartition(names[record.topic], record.partition), to: record.offset + 1)
        }
    }

    func processTally(_ record: RecordView, _ partition: LoopPartition) {
        do throws(JSONError) {
            guard record.value.baseAddress != nil else { throw JSONError(.truncated, reason: "empty") }
            try partition.tallies.add(parser.parse(record.value), offset: record.offset, now: now())
        } catch {
            // Tallies inform and never decide: an unreadable one is passed over.
            partition.tallies.skip(offset: record.offset, now: now())
        }
    }
}
