public import DatasetFiles
public import EngineCore
public import Events
internal import JSON
internal import Storage
public import StreamRuntime
public import Vocabulary

/// Writes dataset versions: immutable files for the labels that are new since the parent, a manifest, and the
/// announcement.
///
/// An unknown or a missing fact stops its partition: a version sealed without it would be wrong permanently.
///
/// Idempotent: a version's bytes depend only on the dataset log, so sealing it twice changes nothing, and a version
/// that `dataset-versions` announces already is not announced again (`AnnouncedVersions`). Therefore any number of
/// workers may share a store, and a worker on an empty disk rebuilds it without new announcements.
///
/// If the disk refuses, the current record and those after it wait in memory, one batch at most, nothing more is read,
/// and the same write is retried. A version is announced, and the group's offset passes it, once all of it is on the
/// disk.
public final class MaterializerProcessor: Processor, PausingProcessor, StoppingProcessor {
    public static let inputs: [Topic] = [.datasetLog]

    /// A record that is kept until the disk accepts the data that follow from it.
    private struct BacklogRecord {
        let partition: Int32
        let offset: Int64
        let value: [UInt8]
    }

    let topics: TopicNames
    let store: DatasetStore
    private let sides = VersionSides()
    private(set) var announced: AnnouncedVersions
    var pending: [Int32: [String: WaitingLabels.Project]] = [:]
    /// Waiting labels kept on disk, by partition, where the group's offset has moved past them.
    var keptLabels: [Int32: WaitingLabels] = [:]
    /// Waiting labels kept on disk that the pending transaction lets the group's offset move past, by partition.
    var pendingKeptLabels: [Int32: WaitingLabels] = [:]
    /// Offset at which the last attempt to keep labels was made, by partition: the disk may have refused it, or there
    /// may have been too many labels.
    var lastKeepOffset: [Int32: Int64] = [:]
    /// Offsets for which the first label that waits may hold the group's offset back.
    let keepEvery: Int64
    /// Progress recorded on disk, as an offset by partition.
    var recordedProgress: [Int32: Int64] = [:]
    var facts = FactReader()
    var next: [Int32: Int64] = [:]
    var committedNext: [Int32: Int64] = [:]
    /// Records that wait for the disk, oldest first.
    private var backlog: [BacklogRecord] = []
    /// Announcements of versions whose partition's progress is not noted yet.
    var waitingAnnouncements: [Int32: [Announcement]] = [:]
    /// Offset of the cut that was sealed last.
    var cutAt: [Int32: Int64] = [:]
    /// Group offsets that the pending transaction commits, by partition.
    private var pendingNext: [Int32: Int64] = [:]
    /// Announcements that the pending transaction writes, by partition.
    private var pendingAnnounced: [Int32: [Announcement]] = [:]
    private var pendingSealed: Int64 = 0
    private let jitter: () -> Double
    public private(set) var backoff = StorageBackoff()
    /// Called with every refusal of the disk, and once more with nothing paused when the refusal is over.
    public var storagePaused: (StorageBackoff) -> Void = { _ in }
    /// Versions sealed since the start.
    public private(set) var sealed: Int64 = 0
    /// Number of records that were skipped because they are no facts. A missing fact is detected by its sequence
    /// number.
    public private(set) var unreadable: Int64 = 0
    private var stopsByPartition: [Int32: PartitionStop] = [:]
    public var stops: [PartitionStop] { stopsByPartition.keys.sorted().compactMap { stopsByPartition[$0] } }
    public var stopped: (PartitionStop) -> Void = { _ in }
    /// Called with a version whose version number is announced under another id: an older build wrote it, to a store
    /// that no longer exists.
    public var announcedUnderOtherID: (ProjectID, SealedVersion) -> Void = { _, _ in }

    /// Creates a materializer that owns nothing yet.
    ///
    /// - Parameters:
    ///   - topics: Topic names of the cluster.
    ///   - transport: Reads the announcements, when partitions are assigned; nil if there are none.
    ///   - store: Store that versions are written to; others may write to it, too.
    ///   - keepEvery: Number of offsets for which the first waiting label may hold the group's offset back.
    ///   - jitter: In `0..<1`, for pauses.
    public init(
        topics: TopicNames,
        transport: (any StreamTransport)?,
        store: DatasetStore,
        keepEvery: Int64 = 20_000,
        jitter: @escaping () -> Double = { Double.random(in: 0..<1) }
    ) {
        self.topics = topics
        self.store = store
        announced = AnnouncedVersions(transport, topic: topics[.datasetVersions])
        self.keepEvery = max(1, keepEvery)
        self.jitter = jitter
    }

    // MARK: - Processor

    public func assigned(_ partitions: [TopicPartition], committed: [TopicPartition: Int64]) throws -> [TopicPartition:
        Int64]
    {
        // The announcements are read after the group's offsets are known: the worker that committed these offsets
        // committed its announcements in the same transaction.
        try announced.read(partitions.map(\.partition))
        var positions: [TopicPartition: Int64] = [:]
        for topicPartition in partitions {
            // If the disk is behind the group, reading begins where the disk ends: the log contains everything.
            let (group, stored) = (committed[topicPartition] ?? 0, try store.progress(topicPartition.partition) ?? 0)
            var offset = min(group, stored)
            // Waiting labels need not be read again if they are kept; reading continues after them.
            if group > offset, let waiting = try store.keptLabels(topicPartition.partition, after: offset, upTo: group)
            {
                offset = waiting.offset
                keptLabels[topicPartition.partition] = waiting
            }
            store.removeKept(topicPartition.partition, except: keptLabels[topicPartition.partition]?.offset)
            positions[topicPartition] = offset
            committedNext[topicPartition.partition] = offset
            rewind(topicPartition.partition)
        }
        return positions
    }

    public func unassigned(_ partitions: [TopicPartition]) {
        for topicPartition in partitions {
            pending[topicPartition.partition] = nil
            facts.forget(topicPartition.partition)
            announced.forget(topicPartition.partition)
            pendingAnnounced[topicPartition.partition] = nil
            stopsByPartition[topicPartition.partition] = nil
            keptLabels[topicPartition.partition] = nil
            pendingKeptLabels[topicPartition.partition] = nil
            lastKeepOffset[topicPartition.partition] = nil
            recordedProgress[topicPartition.partition] = nil
            next[topicPartition.partition] = nil
            committedNext[topicPartition.partition] = nil
            waitingAnnouncements[topicPartition.partition] = nil
            cutAt[topicPartition.partition] = nil
            pendingNext[topicPartition.partition] = nil
            backlog.removeAll { $0.partition == topicPartition.partition }
        }
        if backlog.isEmpty { storageResumed() }
    }

    public var wantsPause: Bool { backoff.isActive || !backlog.isEmpty }

    public func process(_ batch: RecordBatch, topics names: [String], into transaction: inout PendingTransaction) throws
    {
        for record in batch.records where stopsByPartition[record.partition] == nil {
            let isProcessed = try backlog.isEmpty && processRecord(record.partition, record.offset, record.value)
            if !isProcessed {
                backlog.append(
                    BacklogRecord(partition: record.partition, offset: record.offset, value: Array(record.value))
                )
            }
        }
        if needsCommit { transaction.mustCommit = true }
    }

    /// Processes a record.
    ///
    /// - Returns: False if the disk refuses the data that follow from it: then nothing has changed.
    private func processRecord(_ partition: Int32, _ offset: Int64, _ value: UnsafeRawBufferPointer) throws -> Bool {
        do {
            if let (project, fact) = try facts.read(value) {
                try facts.check(fact, of: project, in: partition)
                try apply(partition: partition, offset: offset, project: project, fact: fact)
                facts.record(fact, of: project, in: partition)
            } else {
                unreadable += 1
            }
        } catch let error as StorageError where error.isTemporary {
            refused(error)
            return false
        } catch let failure as PermanentFailure {
            let stop = PartitionStop(.datasetLog, partition, offset: offset, reason: failure.reason)
            stopsByPartition[partition] = stop
            stopped(stop)
            return true
        }
        next[partition] = offset + 1
        return true
    }

    private func apply(partition: Int32, offset: Int64, project: ProjectID, fact: DatasetLogRecord) throws {
        switch fact {
        case .accepted(let label, let names):
            // The line is appended in place: a copy of all lines for each label would prolong a large import to hours.
            let line = DatasetLine.bytes(label, names: names)
            pending[partition]?[project.rawValue, default: .init(firstOffset: offset)].lines[label.split, default: []]
                .append(WaitingLabels.Line(sequence: fact.sequence, bytes: line))
            pending[partition]?[project.rawValue]?.sequence = fact.sequence
        case .changed(let change, let names, let former):
            let waiting = WaitingLabels.Change(fact: change, names: names, formerNames: former)
            pending[partition]?[project.rawValue, default: .init(firstOffset: offset)].changes.append(waiting)
            pending[partition]?[project.rawValue]?.sequence = fact.sequence
        case .cut(let cut):
            let waiting = pending[partition]?[project.rawValue] ?? WaitingLabels.Project(firstOffset: offset)
            let version = try VersionSealer(store: store, sides: sides).seal(project, cut, waiting)
            pending[partition]?[project.rawValue] = nil
            guard let version else { return }
            pendingSealed += 1
            announce(for: project, version: version, cut: cut, partition: partition, offset: offset)
        }
    }

    // MARK: - The disk refuses

    private func refused(_ error: StorageError) {
        backoff.recordRefusal(error)
        storagePaused(backoff)
    }

    private func storageResumed() {
        guard backoff.isActive else { return }
        backoff.reset()
        storagePaused(backoff)
    }

    /// Retries the records that wait for the disk, once the retry is due.
    public func punctuate(now: Int64, into transaction: inout PendingTransaction) throws {
        guard backoff.isActive, backoff.isDue(at: now, jitter: jitter()) else { return }
        while let first = backlog.first {
            if stopsByPartition[first.partition] == nil {
                let isProcessed = try first.value.withUnsafeBytes {
                    try processRecord(first.partition, first.offset, $0)
                }
                guard isProcessed else { return }
            }
            backlog.removeFirst()
        }
        // Only the recording of the progress can still be refused.
        if needsCommit { transaction.mustCommit = true } else { storageResumed() }
    }

    // MARK: - Commits

    /// Whether a commit would advance an offset or write announcements.
    private var needsCommit: Bool { needsCommit(apartFrom: [:]) }

    /// The group's offset may only pass data that are in files: it stops at the first label that no version holds yet,
    /// or at the offset where such labels are kept.
    public func willCommit(into transaction: inout PendingTransaction) throws {
        // A server that does not answer is waited for only once, not for every partition.
        var isUnreachable = false
        for partition in next.keys.sorted() {
            guard let safe = safeOffset(partition) else { continue }
            if !isUnreachable, isKeepingDue(partition) { isUnreachable = !keep(partition) }
            let offset = groupOffset(partition, safe)
            if offset != committedNext[partition] {
                guard !isUnreachable else { continue }
                do {
                    // The first waiting label, whatever the group's offset: a worker that has nothing kept begins
                    // there.
                    if recordedProgress[partition] != safe { try store.record(progress: safe, of: partition) }
                    recordedProgress[partition] = safe
                } catch let error as StorageError where error.isTemporary {
                    refused(error)
                    isUnreachable = error.isRemote
                    // The waiting labels are stored again once the progress can be noted.
                    if pendingKeptLabels.removeValue(forKey: partition) != nil { lastKeepOffset[partition] = nil }
                    continue
                }
                transaction.advance(TopicPartition(topics[.datasetLog], partition), to: offset)
                pendingNext[partition] = offset
            }
            guard let new = waitingAnnouncements.removeValue(forKey: partition) else { continue }
            for announcement in new { transaction.write(announcement.record) }
            pendingAnnounced[partition, default: []] += new
        }
        if backlog.isEmpty, !needsCommit(apartFrom: pendingNext) { storageResumed() }
    }

    private func needsCommit(apartFrom moved: [Int32: Int64]) -> Bool {
        next.keys.contains { partition in
            guard let safe = safeOffset(partition) else { return false }
            return groupOffset(partition, safe) != moved[partition] ?? committedNext[partition]
                || isKeepingDue(partition)
        } || waitingAnnouncements.values.contains { !$0.isEmpty }
    }

    public func committed() {
        committedNext.merge(pendingNext) { $1 }
        for partition in pendingNext.keys {
            if let waiting = pendingKeptLabels[partition] { keptLabels[partition] = waiting }
            guard let labels = keptLabels[partition] else { continue }
            // Kept labels that the group's offset has passed are obsolete: any waiting labels are in the log after it.
            if labels.offset < committedNext[partition] ?? 0 { keptLabels[partition] = nil }
            store.removeKept(partition, except: keptLabels[partition]?.offset)
        }
        for (partition, new) in pendingAnnounced {
            for announcement in new { announced.add(announcement.project, announcement.version, in: partition) }
        }
        pendingAnnounced.removeAll()
        pendingKeptLabels.removeAll()
        pendingNext.removeAll()
        sealed += pendingSealed
        pendingSealed = 0
    }

    /// Discards everything read since the last commit; it is read again.
    public func aborted() {
        for partition in Array(next.keys) { rewind(partition) }
        pendingKeptLabels.removeAll()
        stopsByPartition.removeAll()
        backlog.removeAll()
        waitingAnnouncements.removeAll()
        pendingAnnounced.removeAll()
        pendingNext.removeAll()
        pendingSealed = 0
        storageResumed()
    }
}
