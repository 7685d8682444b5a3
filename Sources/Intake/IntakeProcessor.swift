public import EngineCore
public import Events
internal import Flywheel
internal import Hashing
internal import JSON
public import StreamRuntime
internal import Vocabulary

/// Counts of Intake since it began. Every record read is accepted, dead or dropped.
public struct IntakeCounts: Hashable, Sendable {
    /// Records read.
    public var read: Int64 = 0
    /// Records that were usable, forwarded or not.
    public var accepted: Int64 = 0
    /// Records written to the dead letters, by reason code.
    public var dead: [String: Int64] = [:]
    /// Refused records that were counted but not written to the dead letters, by reason code.
    public var dropped: [String: Int64] = [:]
    /// Records accepted although a member that is only informative was read differently from how it is written, or was
    /// omitted; by member.
    public var remarked: [String: Int64] = [:]
    /// Journal entries written.
    public var forwarded: Int64 = 0
    /// Feedback that was counted but not forwarded, because its user was not drawn or the entry budget was used up.
    public var feedbackLeftOut: Int64 = 0

    public init() {}

    public var deadTotal: Int64 { dead.values.reduce(0, +) }
    public var droppedTotal: Int64 { dropped.values.reduce(0, +) }
}

/// The data plane: decodes, checks, scores and thins out records. Keeps no state on which correctness depends.
public final class IntakeProcessor: Processor {
    /// Limit on the size of a record, in bytes.
    public static let recordLimit = 262_144
    /// Limit on the bytes of key and headers of a record, which the journal keeps whole.
    public static let headerLimit = 65_536
    /// Maximum distance of an event's own time into the future, in milliseconds.
    static let futureTolerance: Int64 = 86_400_000
    /// Earliest time of an event that is believed: 2000-01-01, in milliseconds since 1970.
    static let earliestTime: Int64 = 946_684_800_000

    /// The topics that Intake reads, in the order in which its consumer numbers them.
    public static let inputs: [Topic] = [
        .predictions, .feedback, .annotations, .trainingResults, .commands, .datasetVersions, .imports,
    ]

    /// Inputs whose dead letters keep the key and headers of records that are too large; for other inputs, these are
    /// cut to the limits of a record.
    static let traffic: Set<Topic> = [.predictions, .feedback]

    let topics: TopicNames
    let directory: ProjectDirectory
    /// Rows of the loop's state. Nil: only the spaces of the configurations are used, and it is not known for any
    /// sample whether it was queried.
    let state: StateDirectory?
    var stateGeneration = 0
    private var snapshotNumber = 0
    /// Owner of the memory that `samples` reads.
    private var snapshot: SampleTable.Snapshot?
    /// Samples that the loop has queried, or has in a pool.
    private(set) var samples: SampleTable.View?
    let salt: [UInt8]
    let worker: String
    let now: () -> Int64
    /// Total number of partitions of `predictions`; a worker's share of a threshold is its share of these partitions.
    let partitionCount: Int
    let userKey: HMACSHA256
    let tokens: TokenKeys
    private let hasHistory: () throws -> Bool

    let parser = JSONParser(maximumDepth: 64, maximumSize: recordLimit)
    let scanner: JSONScanner
    private let names = PredictionReader.Names()
    let reader: PredictionReader
    let projects = ProjectTable()
    /// View of `projects`, renewed whenever they change.
    var projectView: ProjectTable.View
    var generation = -1
    /// Projects whose newest revision waits for capacity of their budget, with the offset of the first revision that
    /// waited.
    var waiting: [String: Int64] = [:]
    /// Time of the last attempt to adopt waiting revisions, in milliseconds since 1970.
    var triedAt: Int64 = 0
    /// Time at which the current batch was started, in milliseconds since 1970.
    var batchTime: Int64 = 0
    /// Number of the open transaction, from 1.
    var transactionNumber = 1
    var current: (topic: Int, partition: Int32, offset: Int64) = (0, 0, 0)
    var readAllowance = ReadAllowance()
    private(set) var owned: Set<Int32> = []
    /// Revisions written to their journals, and those of the open transaction.
    var announced: [String: Int] = [:]
    var announcing: [String: Int] = [:]
    /// Prefixes of the ids of records, by the position of their topic in `inputs`.
    let inputPrefixes: [[UInt8]]
    var entryHeaders = EntryHeaders()
    /// Writer that encodes the entries, one after the other.
    var writer = JSONWriter(capacity: 4_096)
    var offsets = ReadOffsets()
    var deadLetterQuotas: DeadLetterQuotas
    var entryBudget: EntryBudget
    var feedbackRoom = FeedbackRoom()
    var artifacts: ArtifactGate
    /// The last dead letter of the transaction, not written yet, and the number of records omitted after it.
    var pendingDeadLetter: OutputRecord?
    var leftOut: Int64 = 0
    var pendingCounts = IntakeCounts()
    /// Remarks on the last accepted record that had any.
    var latestRemarks = Remarks()
    /// Counts of the committed transactions.
    public private(set) var counts = IntakeCounts()

    /// Creates a processor that has read nothing yet. `hasHistory` returns whether Intake has ever run here: it is
    /// called when the group has no offsets.
    ///
    /// Without `artifactFolders` no file is checked.
    public init(
        topics: TopicNames,
        directory: ProjectDirectory,
        state: StateDirectory? = nil,
        artifactFolders: ArtifactFolders? = nil,
        salt: [UInt8],
        tokens: TokenKeys,
        worker: String,
        partitionCount: Int,
        deadLettersPerSecond: Int = 1_000,
        entryLimits: EntryLimits = .usual,
        now: @escaping () -> Int64,
        hasHistory: @escaping () throws -> Bool = { false }
    ) {
        scanner = JSONScanner(parser)
        reader = names.reader
        projectView = projects.view
        self.hasHistory = hasHistory
        self.topics = topics
        inputPrefixes = Self.inputs.map { Array("\(topics[$0])/".utf8) }
        self.directory = directory
        self.state = state
        if let state { directory.spellingInForce = { state.spelling(of: $0) } }
        self.salt = salt
        self.tokens = tokens
        self.worker = worker
        self.partitionCount = max(1, partitionCount)
        self.now = now
        deadLetterQuotas = DeadLetterQuotas(perSecond: deadLettersPerSecond)
        entryBudget = EntryBudget(entryLimits)
        artifacts = artifactFolders.map { ArtifactGate($0, FileInspector()) } ?? ArtifactGate()
        // A key of its own: values drawn with the salt reveal nothing about users.
        userKey = HMACSHA256(key: SHA256Digest(of: Array("flywheel users\u{0}".utf8) + salt).bytes)
    }

    // MARK: - Processor

    public func assigned(_ partitions: [TopicPartition], committed: [TopicPartition: Int64]) throws -> [TopicPartition:
        Int64]
    {
        var positions: [TopicPartition: Int64] = [:]
        for partition in partitions {
            if partition.topic == topics[.predictions] { owned.insert(partition.partition) }
            positions[partition] = committed[partition]
        }
        shareChanged()
        // Queried samples are read before the first record, as far as the time limit of `readToEnd` allows. They are
        // read before the revisions, because the spelling of classes in force decides which revisions are accepted.
        try state?.readToEnd(now: now)
        try directory.readToEnd(stable: true)
        return positions
    }

    /// Refuses to begin without committed offsets if Intake has run before. No position is guessed: starting at the
    /// first record would count a week of traffic again, starting at the last would lose the records that arrived
    /// meanwhile.
    public func foundNoOffsets() throws {
        guard try hasHistory() else { return }
        throw EngineError(
            "begin",
            "Intake's group has no committed offsets, but the journal has entries: the offsets have expired (offsets.retention.minutes), or the group or the prefix is not what it was",
            remedy:
                "set them on purpose, for every input topic, to when Intake stopped: kafka-consumer-groups.sh --group GROUP --topic TOPIC --reset-offsets --to-datetime WHEN --execute (what is read twice counts twice in the tallies and changes nothing else)"
        )
    }

    /// Whether any entry was ever written to the journal.
    public static func hasJournal(_ transport: any StreamTransport, _ topics: TopicNames) throws -> Bool {
        let reader = try transport.makeReader(topics: [topics[.journal]])
        defer { reader.close() }
        for partition in try reader.partitions(of: topics[.journal])
        where try reader.watermarks(TopicPartition(topics[.journal], partition)).high > 0 {
            return true
        }
        return false
    }

    public func unassigned(_ partitions: [TopicPartition]) {
        for partition in partitions where partition.topic == topics[.predictions] { owned.remove(partition.partition) }
        // A rebalance revokes all partitions before it assigns others. No record is read in between, and the limits
        // must not shrink.
        if !owned.isEmpty { shareChanged() }
    }

    /// Sets the new share of the traffic on existing thresholds and limits, which were created for another share.
    private func shareChanged() {
        for project in projects.all { project.pointee.setShare(share) }
    }

    /// Number of records ahead for which the memory of texts is prefetched: a record takes half a microsecond, a memory
    /// access a fifth of that.
    private static let prefetchDistance = 2

    /// Handles a batch record by record. A prediction is scanned first, and only counted if the verdict is that it is
    /// not forwarded; every other record, and every prediction that is forwarded or is not in plain form, is decoded
    /// completely.
    public func process(_ batch: RecordBatch, topics names: [String], into transaction: inout PendingTransaction) throws
    {
        try directory.refresh()
        try state?.refresh()
        batchTime = now()
        adoptRevisions()
        refreshSamples()
        let predictions = Self.inputs.firstIndex(of: .predictions)
        var countedOnly: Int64 = 0
        for index in batch.records.indices {
            let record = batch.records[index]
            if index &+ Self.prefetchDistance < batch.records.count {
                scanner.prefetch(batch.records[index &+ Self.prefetchDistance].value)
            }
            offsets.note(record)
            let verdict = record.topic == predictions ? scan(record, at: batchTime) : nil
            if let verdict, !verdict.passes {
                count(verdict)
                countedOnly += 1
                continue
            }
            current = (record.topic, record.partition, record.offset)
            do throws(RecordRejection) {
                try decode(record, at: index, of: batch, verdict: verdict, into: &transaction)
                pendingCounts.accepted += 1
            } catch {
                deadLetter(batch, at: index, because: error, on: names[record.topic], into: &transaction)
            }
        }
        pendingCounts.read += Int64(batch.records.count)
        pendingCounts.accepted += countedOnly
        if let last = batch.records.last { current = (last.topic, last.partition, last.offset) }
        offsets.advance(&transaction, topics: names)
    }

    public func punctuate(now: Int64, into transaction: inout PendingTransaction) throws {}

    public func willCommit(into transaction: inout PendingTransaction) throws {
        sendDeadLetter(into: &transaction)
        let inputs = offsets.ranges(Self.inputs.map { topics[$0] })
        for project in projects.all {
            for stream in project.pointee.streams {
                write(stream, project.pointee.configuration, inputs, into: &transaction)
            }
        }
    }

    public func committed() {
        entryBudget.committed()
        feedbackRoom.committed()
        for project in projects.all { project.pointee.filling.committed() }
        announced.merge(announcing) { $1 }
        counts.read += pendingCounts.read
        counts.accepted += pendingCounts.accepted
        counts.forwarded += pendingCounts.forwarded
        counts.feedbackLeftOut += pendingCounts.feedbackLeftOut
        counts.dead.merge(pendingCounts.dead) { $0 + $1 }
        counts.dropped.merge(pendingCounts.dropped) { $0 + $1 }
        counts.remarked.merge(pendingCounts.remarked) { $0 + $1 }
        forgetTransaction()
    }

    public func aborted() {
        entryBudget.aborted()
        feedbackRoom.aborted()
        for project in projects.all { project.pointee.filling.aborted() }
        forgetTransaction()
    }

    private func forgetTransaction() {
        artifacts.transactionEnded()
        announcing.removeAll(keepingCapacity: true)
        offsets.removeAll()
        pendingDeadLetter = nil
        leftOut = 0
        for project in projects.all { project.pointee.forgetTransaction(transactionNumber) }
        transactionNumber += 1
        pendingCounts = IntakeCounts()
    }

    /// Refreshes the samples that the loop has queried or pooled, as far as `state` was read.
    private func refreshSamples() {
        guard let state else { return }
        let number = state.samples.snapshotNumber
        if snapshot == nil || number != snapshotNumber {
            snapshotNumber = number
            snapshot = state.samples.snapshot
            samples = snapshot?.view
        }
        guard let samples else { return }
        for slot in projectView.slots { slot.pointee.filling.refresh(samples, at: batchTime) }
    }

    /// Share of the traffic that this worker reads, in `0...1`; at least that of one partition.
    var share: Double { Double(max(1, owned.count)) / Double(max(partitionCount, owned.count)) }
}
