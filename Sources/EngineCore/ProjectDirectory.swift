public import Events
public import Flywheel
internal import JSON
internal import Kinds
public import Processes
public import StreamRuntime
internal import Telemetry
internal import Vocabulary

/// The projects and their newest revisions, read completely from the `projects` topic and kept current. Used on one
/// thread.
///
/// Any client with access can write any record to the topic, so each record is checked before it is followed: against
/// its key, against the revision in force, and against the cluster. A record that does not fit is a fault of its own
/// project, whose older revision stays in force.
public final class ProjectDirectory {
    private let reader: any LogReader
    private let topic: String
    /// The topics that hold a project's records in its own partition, as far as Intake writes them.
    private let projectTopics: [String]
    private let now: () -> Int64
    private let storedSpellings: StoredSpellings
    /// Returns the spelling of the classes in the revision of a project that the loop has in force; nil while it is not
    /// known. If no function is set, `state` is read, and only for a revision that may be at fault.
    package var spellingInForce: ((ProjectConfiguration) -> ClassSpelling?)?
    private let parser = JSONParser()
    private let batch = RecordBatch()
    private var isStarted = false
    /// The next offset to read, after any transaction markers.
    private var position: Int64 = 0
    /// Revisions in force, by project name.
    public private(set) var projects: [String: ProjectConfiguration] = [:]
    /// The last revisions of projects that a tombstone removed: later revisions must still be compatible with them.
    private var retired: [String: ProjectConfiguration] = [:]
    /// Offsets of the revisions in force.
    private var offsets: [String: Int64] = [:]
    /// Counts every change of `projects`.
    public private(set) var generation = 0
    /// The newest record of a project that could not be followed, until a record that can be followed is read.
    private var namedFaults: [String: ProjectFault] = [:]
    /// Projects whose newest revision only a newer build can read, and why.
    package private(set) var newerBuildReasons: [String: String] = [:]
    /// Records whose key names no project, the newest `unnamedLimit`.
    private var unnamedFaults: [(key: RecordKey, fault: ProjectFault)] = []
    /// Revisions whose partition the cluster lacked at the last request: partitions can be added.
    private var waiting: [String: WaitingRevision] = [:]
    private var waitingBytes = 0
    /// Partitions that every topic of projects has; nil while not known.
    private var partitions: Int?
    private var requestedAt: Int64?

    /// The highest revision that is followed: above it none could be numbered.
    public static let revisionLimit = 1_000_000_000
    private static let unnamedLimit = 100
    private static let namedLimit = 10_000
    /// Maximum number of revisions that wait for partitions, and of their bytes: an endless sequence of wrong revisions
    /// does not exhaust memory. A revision beyond the limits has to be applied again.
    private static let waitingLimit = 1_000
    private static let waitingByteLimit = 16 << 20

    /// Key of a record, cut where it is longer than a name can be.
    private struct RecordKey: Equatable {
        let bytes: [UInt8]
        let count: Int

        init(_ key: UnsafeRawBufferPointer) {
            bytes = Array(key.prefix(1_024))
            count = key.count
        }

        var text: String { String(decoding: bytes, as: UTF8.self) }
    }

    private struct WaitingRevision {
        let configuration: ProjectConfiguration
        let offset: Int64
        let bytes: Int
    }
    /// Milliseconds between two requests to the cluster about missing partitions.
    private static let retryInterval: Int64 = 10_000

    public init(
        transport: any StreamTransport,
        topics: TopicNames,
        now: @escaping () -> Int64 = WallClock.now
    ) throws(StreamError) {
        topic = topics[.projects]
        projectTopics = [topics[.journal], topics[.tallies]]
        self.now = now
        storedSpellings = StoredSpellings(transport, topics)
        reader = try transport.makeReader(topics: [topic])
    }

    /// The newest revision read so far; nil for a project that has not been read yet.
    public subscript(name: String) -> ProjectConfiguration? { projects[name] }

    /// Returns the newest revision read so far, also for a project that a tombstone removed: the next revision written
    /// must be compatible with it.
    public func last(of name: String) -> ProjectConfiguration? { projects[name] ?? retired[name] }

    /// Records that could not be followed, by offset.
    public var faults: [ProjectFault] {
        (Array(namedFaults.values) + unnamedFaults.map(\.fault)).sorted { $0.offset < $1.offset }
    }

    /// Fault of the newest record of a project; nil where there is none.
    public func fault(of name: String) -> ProjectFault? { namedFaults[name] }

    /// Returns the offset of a project's newest revision on the topic; nil for a project that has not been read yet.
    public func offset(of name: String) -> Int64? { offsets[name] }

    /// Reads the records that were written since the last call, without waiting.
    public func refresh() throws(StreamError) {
        try start()
        retryWaitingRevisions()
        while true {
            switch try reader.poll(into: batch, maximum: 1_000, timeoutMilliseconds: 0) {
            case .records: applyBatch()
            case .endOfPartition(_, let offset): position = max(position, offset)
            case .idle: return
            }
        }
    }

    /// Reads to the current end of the topic: before a project is called unknown, and before a revision is numbered.
    ///
    /// - Parameters:
    ///   - stable: Whether to end at the last stable offset: records after the begin of another client's open
    ///     transaction are then not read, but are not waited for either. Otherwise all records have been read when this
    ///     returns.
    ///   - maximumWait: Maximum milliseconds without progress.
    /// - Throws: `StreamError` with the disposition `retry` when the end was not reached.
    public func readToEnd(stable: Bool = false, maximumWait: Int64 = 10_000) throws(StreamError) {
        try start()
        retryWaitingRevisions()
        let topicPartition = TopicPartition(topic, 0)
        let high = try reader.ends(of: [topicPartition], stable: stable)[topicPartition] ?? 0
        guard position < high else { return }
        var idle: Int64 = 0
        while idle < maximumWait {
            switch try reader.poll(into: batch, maximum: 1_000, timeoutMilliseconds: 50) {
            case .records:
                applyBatch()
                idle = 0
            case .endOfPartition(_, let offset):
                position = max(position, offset)
                idle += 1
            case .idle: idle += 50
            }
            if position >= high { return }
        }
        throw StreamError(
            .retry,
            operation: "read topic \(topic) to its end",
            code: "_TIMED_OUT",
            reason:
                "it was read to offset \(position) and ends at \(high): a broker does not answer, or a transaction is open there (kafka-transactions.sh find-hanging)"
        )
    }

    /// Whether a transaction is open on the topic: records written since it began are not visible until it has ended.
    public func isHeldBack() throws(StreamError) -> Bool { try !reader.heldBack([TopicPartition(topic, 0)]).isEmpty }

    /// Reads to the last committed record, and a little longer if a project is missing while a transaction is open: a
    /// revision that `project apply` has just committed is visible once the broker has marked it.
    ///
    /// - Parameters:
    ///   - name: The required project.
    ///   - maximumWait: Maximum milliseconds to wait for it.
    ///   - pause: Called between two reads, with milliseconds.
    /// - Throws: As `readToEnd(stable:maximumWait:)`.
    public func readToEnd(
        for name: String,
        maximumWait: Int64 = 3_000,
        pause: (Int64) -> Void = { WallClock.pause($0) }
    ) throws(StreamError) {
        try readToEnd(stable: true)
        var left = maximumWait
        while self[name] == nil, left > 0 {
            let isHeldBack = try isHeldBack()
            if isHeldBack {
                pause(100)
                left -= 100
            }
            // Records of a transaction that ended after the end was requested are visible now, but have not been read.
            try readToEnd(stable: true)
            if !isHeldBack { return }
        }
    }

    public func close() { reader.close() }

    private func start() throws(StreamError) {
        guard !isStarted else { return }
        try reader.start([TopicPartition(topic, 0): 0])
        isStarted = true
    }

    // MARK: - Records

    private func applyBatch() {
        for record in batch.records {
            position = max(position, record.offset + 1)
            let key = RecordKey(record.key)
            guard record.value.baseAddress != nil else {
                unnamedFaults.removeAll { $0.key == key }
                forget(key.text)
                continue
            }
            let name = ProjectID(checking: key.text)?.rawValue
            do {
                let configuration = try ProjectConfiguration(json: parser.parse(record.value))
                try follow(configuration, named: name, at: record.offset, bytes: record.value.count)
            } catch let error as Unfit {
                recordFault(name, key, at: record.offset, error.reason)
            } catch {
                if let name, newerBuildReasons[name] != nil || newerBuildReasons.count < Self.namedLimit {
                    newerBuildReasons[name] = (error as? JSONError)?.kind == .newerForm ? "\(error)" : nil
                }
                recordFault(name, key, at: record.offset, "\(error)")
            }
        }
    }

    private func forget(_ name: String) {
        namedFaults[name] = nil
        newerBuildReasons[name] = nil
        setWaiting(name, to: nil)
        offsets[name] = nil
        guard let last = projects.removeValue(forKey: name) else { return }
        if retired.count < Self.namedLimit { retired[name] = last }
        generation += 1
    }

    /// Reason why a revision is not followed.
    private struct Unfit: Error { let reason: String }

    private func setWaiting(_ name: String, to revision: WaitingRevision?) {
        if let known = waiting.removeValue(forKey: name) { waitingBytes -= known.bytes }
        guard let revision, waiting.count < Self.waitingLimit,
            waitingBytes + revision.bytes <= Self.waitingByteLimit
        else { return }
        waiting[name] = revision
        waitingBytes += revision.bytes
    }

    private func follow(
        _ configuration: ProjectConfiguration,
        named key: String?,
        at offset: Int64,
        bytes: Int
    ) throws(Unfit) {
        let name = configuration.project.rawValue
        guard name == key else {
            throw Unfit(reason: "its key is not the name of its project, \(name); apply the project again")
        }
        guard configuration.revision <= Self.revisionLimit else {
            throw Unfit(
                reason: "revision \(configuration.revision) is above \(Self.revisionLimit); apply the project again"
            )
        }
        guard try isNewRevision(configuration) else { return }
        if let reason = configuration.sizeFault(isNew: false) { throw Unfit(reason: reason) }
        if let reason = spellingFault(of: configuration) { throw Unfit(reason: reason) }
        if let count = countPartitions(for: configuration.partition), Int(configuration.partition) >= count {
            setWaiting(name, to: WaitingRevision(configuration: configuration, offset: offset, bytes: bytes))
            throw Unfit(
                reason:
                    "partition \(configuration.partition) is not among the \(count) of \(projectTopics[0]); apply the project again, or add partitions to all topics of projects"
            )
        }
        projects[name] = configuration
        newerBuildReasons[name] = nil
        offsets[name] = offset
        retired[name] = nil
        namedFaults[name] = nil
        setWaiting(name, to: nil)
        generation += 1
    }

    /// Whether a revision comes after the revision in force.
    private func isNewRevision(_ configuration: ProjectConfiguration) throws(Unfit) -> Bool {
        let name = configuration.project.rawValue
        guard let known = last(of: name) else { return true }
        // String comparison treats canonically equivalent spellings as equal; decisions and files contain the bytes.
        if configuration == known,
            configuration.question.classes.elementsEqual(known.question.classes, by: { $0.utf8.elementsEqual($1.utf8) })
        {
            return projects[name] == nil
        }
        let (new, old) = ("revision \(configuration.revision)", "revision \(known.revision)")
        guard configuration.revision > known.revision else {
            throw Unfit(reason: "\(new) with other content was written after \(old), which stays in force")
        }
        guard configuration.partition == known.partition else {
            throw Unfit(
                reason:
                    "\(new) is in partition \(configuration.partition), \(old) in \(known.partition): a project stays in the partition of its journal; \(old) stays in force"
            )
        }
        if let fault = configuration.question.fault(after: known.question) {
            throw Unfit(reason: "\(new) \(fault) of \(old), which stays in force: append only")
        }
        return true
    }

    /// Describes why a revision is refused because of the spelling of its classes; nil if it is not.
    private func spellingFault(of configuration: ProjectConfiguration) -> String? {
        let known = last(of: configuration.project.rawValue).map { ClassSpelling($0) }
        let isComposed = ClassSpelling(configuration).isComposed && known?.isComposed ?? true
        guard spellingInForce != nil || !isComposed else { return nil }
        let applied = spellingInForce.map { $0(configuration) } ?? storedSpellings.spelling(of: configuration)
        return ClassSpelling.fault(of: configuration, after: known, applied: applied)
    }

    private func recordFault(_ name: String?, _ key: RecordKey, at offset: Int64, _ reason: String) {
        let shown = ForeignText.line(key.text, limit: 64)
        let fault = ProjectFault(project: name, key: name == nil ? shown : "", offset: offset, reason: reason)
        if let name, namedFaults[name] != nil || namedFaults.count < Self.namedLimit {
            namedFaults[name] = fault
        } else {
            // As on the topic, the newest record of a key counts.
            unnamedFaults.removeAll { $0.key == key && !key.text.isEmpty }
            if unnamedFaults.count >= Self.unnamedLimit { unnamedFaults.removeFirst() }
            unnamedFaults.append((key, fault))
        }
    }

    // MARK: - The cluster

    /// Returns the number of partitions that every topic of projects has, requested again if there were too few; nil if
    /// there is no answer.
    private func countPartitions(for partition: Int32) -> Int? {
        if let partitions, Int(partition) < partitions { return partitions }
        let time = now()
        // Many wrong revisions cause only one request to the cluster per interval.
        if let partitions, let requestedAt, time >= requestedAt, time - requestedAt < Self.retryInterval {
            return partitions
        }
        requestedAt = time
        var fewest = Int.max
        for name in projectTopics {
            guard let count = try? reader.partitions(of: name).count, count > 0 else { return partitions }
            fewest = min(fewest, count)
        }
        partitions = fewest
        return fewest
    }

    /// Applies revisions whose partition has been added since.
    private func retryWaitingRevisions() {
        guard !waiting.isEmpty else { return }
        let before = partitions ?? 0
        for name in waiting.keys.sorted() {
            guard let revision = waiting[name] else { continue }
            guard let count = countPartitions(for: revision.configuration.partition), count > before else { return }
            try? follow(revision.configuration, named: name, at: revision.offset, bytes: revision.bytes)
        }
    }
}
