internal import Acquisition
internal import EngineCore
public import Events
internal import Flywheel
internal import Hashing
internal import JSON
public import StreamRuntime
internal import Synchronization
internal import Vocabulary

/// Rows of the loop's tables that Intake uses: spaces of embeddings, levels of exploration, samples that were queried,
/// wait in a pool or are disputed, and the spelling of classes in force. They are read from the beginning of topic
/// `state` and kept current; one directory serves all threads of a process.
///
/// No decision depends on it: the loop ignores the excess records that Intake forwards.
public final class StateDirectory: Sendable {
    private let topic: String
    private let salt: [UInt8]
    private let readState: Mutex<ReadState>
    let samples = SampleTable()
    private let changes = Atomic<Int>(0)
    private let failed = Atomic<Bool>(false)

    /// Reader of `state`, its position, and the rows read.
    private struct ReadState {
        let reader: any LogReader
        let batch = RecordBatch()
        let parser = JSONParser()
        /// Partitions that are read, and of them those read to an end.
        var partitions: Set<Int32> = []
        var ended: Set<Int32> = []
        var next: [TopicPartition: Int64] = [:]
        /// Learned spaces by project name; only those that are fixed.
        var spaces: [String: LearnedSpace] = [:]
        /// Extra shares of exploration by project name, above 0; see `ExplorationLevel`.
        var explorations: [String: Double] = [:]
        /// By project name: the spelling of the classes that the loop has in force.
        var spellings: [String: ClassSpelling] = [:]
        /// By project name: hashes of the samples that users dispute while labels decide about a version.
        var disputed: [String: Set<UInt64>] = [:]
        var pools: [String: PoolRows] = [:]
        /// Project of the last row: many rows of one project follow each other.
        var last: (name: [UInt8], pool: PoolRows)?
        /// Error that ended the reader; nil while it reads.
        var failure: StreamError?

        var isCurrent: Bool { !partitions.isEmpty && partitions.isSubset(of: ended) }
    }

    /// Maximum number of projects whose rows are counted.
    private static let capacity = 65_536
    private static let spaceTable = Array("\(LearnedSpace.table)".utf8)
    private static let explorationTable = Array("\(ExplorationLevel.table)".utf8)
    private static let configurationTable = Array(StoredSpellings.table.utf8)
    private static let queriedTable = Array("acquisition.asked".utf8)
    private static let poolTable = Array("acquisition.pool".utf8)
    private static let disputedTable = Array("rollout.verifications".utf8)

    /// Creates a directory that has read nothing yet. Samples are identified by hashes under `salt`.
    public init(transport: any StreamTransport, topics: TopicNames, salt: [UInt8]) throws(StreamError) {
        topic = topics[.state]
        self.salt = salt
        readState = Mutex(ReadState(reader: try transport.makeReader(topics: [topics[.state]])))
    }

    /// Whether its reader has ended: another directory is needed.
    public var hasFailed: Bool { failed.load(ordering: .relaxed) }

    /// Number of changes so far of spaces, levels of exploration and disputed samples.
    var generation: Int { changes.load(ordering: .acquiring) }

    // MARK: - Reading

    /// Reads the records that have arrived since the last call, without waiting, and at most 16,000 of them. Does
    /// nothing while another thread reads.
    ///
    /// - Throws: The error that ended the reader; after a transient error, reading is retried with the next call.
    func refresh() throws(StreamError) {
        let outcome = readState.withLockIfAvailable { read(&$0, timeout: 0) }
        if case .failed(let error) = outcome, error.disposition == .fatal { throw error }
    }

    /// Reads to the end of each partition, once. It waits for `maximumWait` milliseconds at most, and not at all if
    /// reading fails: without the end it is not known which pools have capacity.
    ///
    /// - Throws: The error that ended the reader.
    func readToEnd(maximumWait: Int64 = 10_000, now: () -> Int64) throws(StreamError) {
        let began = now()
        while true {
            let outcome = readState.withLock { $0.isCurrent ? .current : read(&$0, timeout: 20) }
            if case .failed(let error) = outcome {
                guard error.disposition == .fatal else { return }
                throw error
            }
            let waited = now() - began
            if outcome == .current || waited >= maximumWait || waited < 0 { return }
        }
    }

    private enum Outcome: Hashable, Sendable {
        /// Every partition has been read to an end.
        case current
        case behind
        case failed(StreamError)
    }

    private func read(_ state: inout ReadState, timeout: Int) -> Outcome {
        if let failure = state.failure { return .failed(failure) }
        do throws(StreamError) {
            try start(&state)
            for _ in 0..<16 {
                switch try state.reader.poll(into: state.batch, maximum: 1_000, timeoutMilliseconds: timeout) {
                case .records: applyRecords(&state)
                case .endOfPartition(let topicPartition, let offset): noteEnd(topicPartition, offset, &state)
                case .idle: return state.isCurrent ? .current : .behind
                }
                if timeout > 0, state.isCurrent { return .current }
            }
            return state.isCurrent ? .current : .behind
        } catch {
            guard error.disposition == .fatal else { return .failed(error) }
            state.failure = error
            failed.store(true, ordering: .relaxed)
            state.reader.close()
            return .failed(error)
        }
    }

    private func start(_ state: inout ReadState) throws(StreamError) {
        guard state.partitions.isEmpty else { return }
        try start(&state, at: try state.reader.partitions(of: topic))
    }

    private func start(_ state: inout ReadState, at partitions: [Int32]) throws(StreamError) {
        var positions: [TopicPartition: Int64] = [:]
        for partition in partitions {
            let topicPartition = TopicPartition(topic, partition)
            positions[topicPartition] = state.next[topicPartition] ?? 0
        }
        try state.reader.start(positions)
        state.partitions = Set(partitions)
    }

    private func noteEnd(_ topicPartition: TopicPartition, _ offset: Int64, _ state: inout ReadState) {
        state.next[topicPartition] = max(offset, state.next[topicPartition] ?? 0)
        guard state.ended.insert(topicPartition.partition).inserted else { return }
        for pool in state.pools.values { pool.note(ended: state.ended) }
    }

    // MARK: - Projects

    /// Returns the loop's knowledge of a project.
    ///
    /// - Returns: The space that the revision declares, with the parts that it leaves open as the loop has learned
    ///   them; the extra share of exploration, in `0...1`, before the policy's bound; and hashes of samples that users
    ///   dispute.
    func knowledge(
        of configuration: ProjectConfiguration
    ) -> (space: EmbeddingSpace, exploration: Double, disputed: Set<UInt64>) {
        let declared = configuration.embedding ?? EmbeddingSpace()
        let name = configuration.project.rawValue
        let (learned, extra, disputed) = readState.withLock {
            ($0.spaces[name], $0.explorations[name] ?? 0, $0.disputed[name] ?? [])
        }
        return (learned.map { declared.completed(by: $0) } ?? declared, extra, disputed)
    }

    /// Returns the spelling of a project's classes in the revision that the loop has in force.
    ///
    /// - Returns: Nil while its partition has not been read to an end.
    func spelling(of configuration: ProjectConfiguration) -> ClassSpelling? {
        readState.withLock { state in
            guard state.ended.contains(configuration.partition) else { return nil }
            return state.spellings[configuration.project.rawValue] ?? ClassSpelling.none
        }
    }

    /// Returns the rows of a project's pool, which stay current. If its partition is not read yet, the partition is
    /// looked up.
    ///
    /// - Returns: Nil if there are too many projects.
    func pool(of configuration: ProjectConfiguration) -> PoolRows? {
        readState.withLock { state in
            let pool = pool(of: configuration.project.rawValue, &state)
            pool?.setPartition(configuration.partition)
            if !state.partitions.isEmpty, !state.partitions.contains(configuration.partition) {
                // Partitions were added. An error here occurs again with the next poll.
                let found = try? state.reader.partitions(of: topic)
                if let found, found.contains(configuration.partition) { try? start(&state, at: found) }
            }
            pool?.note(ended: state.ended)
            return pool
        }
    }

    private func pool(of name: String, _ state: inout ReadState) -> PoolRows? {
        if let known = state.pools[name] { return known }
        guard state.pools.count < Self.capacity else { return nil }
        let pool = PoolRows(StableHash(project: name, purpose: "audit", salt: salt))
        state.pools[name] = pool
        return pool
    }

    // MARK: - Rows

    private func applyRecords(_ state: inout ReadState) {
        for record in state.batch.records {
            state.next[TopicPartition(topic, record.partition)] = record.offset + 1
            guard let row = Row(record.key) else { continue }
            let isTombstone = record.value.baseAddress == nil
            if row.table.elementsEqual(Self.queriedTable) {
                note(row, isTombstone ? .unknown : .queried, in: &state)
            } else if row.table.elementsEqual(Self.poolTable) {
                note(row, isTombstone ? .unknown : .pooled, in: &state)
            } else if row.table.elementsEqual(Self.disputedTable) {
                noteDisputed(row, isTombstone, in: &state)
            } else if row.table.elementsEqual(Self.configurationTable) {
                let name = String(decoding: row.project, as: UTF8.self)
                state.spellings[name] = isTombstone ? nil : StoredSpellings.spelling(record.value, state.parser)
            } else if row.table.elementsEqual(Self.spaceTable) {
                let name = String(decoding: row.project, as: UTF8.self)
                // A row in a newer format is ignored: Intake then checks only the declared space, and the loop refuses
                // the rest.
                let learned = isTombstone ? nil : try? LearnedSpace(json: state.parser.parse(record.value))
                let space = learned.flatMap { $0.space == nil ? nil : $0 }
                guard state.spaces[name] != space else { continue }
                state.spaces[name] = space
                changes.add(1, ordering: .releasing)
            } else if row.table.elementsEqual(Self.explorationTable) {
                let name = String(decoding: row.project, as: UTF8.self)
                let level = isTombstone ? nil : try? ExplorationLevel(json: state.parser.parse(record.value))
                let extra = level.flatMap { $0.extra > 0 ? $0.extra : nil }
                guard state.explorations[name] != extra else { continue }
                state.explorations[name] = extra
                changes.add(1, ordering: .releasing)
            }
        }
    }

    /// Applies a row to the table. A sample is removed from the pool in the transaction that queries it, and the order
    /// of the two rows does not matter.
    private func note(_ row: Row, _ status: SampleTable.Status, in state: inout ReadState) {
        guard let pool = pool(of: row.project, &state) else { return }
        let hash = pool.audit.hash(key: row.key)
        let isOfPool = row.table.count == Self.poolTable.count
        // A sample removed from one table may be in the other.
        if status == .unknown || isOfPool, samples.status(of: hash) == (isOfPool ? .queried : .pooled) { return }
        let old = samples.set(hash, status)
        let new = samples.status(of: hash)
        pool.count.add((new == .pooled ? 1 : 0) - (old == .pooled ? 1 : 0), ordering: .relaxed)
        pool.changes.add(1, ordering: .releasing)
    }

    private func noteDisputed(_ row: Row, _ isTombstone: Bool, in state: inout ReadState) {
        guard let pool = pool(of: row.project, &state) else { return }
        let name = String(decoding: row.project, as: UTF8.self)
        let hash = pool.audit.hash(key: row.key)
        if isTombstone {
            guard state.disputed[name]?.remove(hash) != nil else { return }
            if state.disputed[name]?.isEmpty == true { state.disputed[name] = nil }
        } else {
            guard state.disputed[name, default: []].insert(hash).inserted else { return }
        }
        changes.add(1, ordering: .releasing)
    }

    private func pool(of name: UnsafeRawBufferPointer, _ state: inout ReadState) -> PoolRows? {
        if let last = state.last, last.name.elementsEqual(name) { return last.pool }
        guard let pool = pool(of: String(decoding: name, as: UTF8.self), &state) else { return nil }
        state.last = (Array(name), pool)
        return pool
    }

    /// A key of the form project/table/key.
    private struct Row {
        let project: UnsafeRawBufferPointer
        let table: UnsafeRawBufferPointer
        let key: UnsafeRawBufferPointer

        init?(_ bytes: UnsafeRawBufferPointer) {
            let slash = UInt8(ascii: "/")
            guard let first = bytes.firstIndex(of: slash), let second = bytes[(first + 1)...].firstIndex(of: slash)
            else { return nil }
            project = UnsafeRawBufferPointer(rebasing: bytes[..<first])
            table = UnsafeRawBufferPointer(rebasing: bytes[(first + 1)..<second])
            key = UnsafeRawBufferPointer(rebasing: bytes[(second + 1)...])
        }
    }
}

/// Rows of a project's pool, shared by all threads that read them.
final class PoolRows: Sendable {
    /// Hash that identifies the pool's samples: the draw that every prediction needs anyway.
    let audit: StableHash
    /// Candidates in the pool, as of the last commit of the loop that was read.
    let count = Atomic<Int>(0)
    /// Number of changes: rows that changed the samples, and the first end of the partition.
    let changes = Atomic<Int>(0)
    private let partition = Atomic<Int32>(-1)
    private let ended = Atomic<Bool>(false)

    init(_ audit: StableHash) { self.audit = audit }

    /// Whether `count` has been correct at some time: the state of the project has been read to an end.
    var isKnown: Bool { ended.load(ordering: .relaxed) }

    fileprivate func setPartition(_ partition: Int32) { self.partition.store(partition, ordering: .relaxed) }

    fileprivate func note(ended partitions: Set<Int32>) {
        guard partitions.contains(partition.load(ordering: .relaxed)), !isKnown else { return }
        ended.store(true, ordering: .relaxed)
        changes.add(1, ordering: .releasing)
    }
}
