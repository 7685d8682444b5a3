public import Events
internal import JSON
public import StreamRuntime
internal import Vocabulary

/// Writes dataset versions: immutable files for what is new since the parent, a manifest, and the announcement.
///
/// At least once and idempotent: a version's bytes follow from the dataset log alone, so sealing it twice changes nothing.
public final class MaterializerStage: StreamStage {
    public static let inputs: [Topic] = [.datasetLog]

    /// Labels of a project since its last cut, and where in the log they begin.
    private struct Pending {
        var from: Int64
        var lines: [Split: [[UInt8]]] = [:]
    }

    private let topics: TopicNames
    private let store: DatasetStore
    private let parser = JSONParser(maximumDepth: 64, maximumSize: 16 << 20)
    private var pending: [Int32: [String: Pending]] = [:]
    private var next: [Int32: Int64] = [:]
    private var committedNext: [Int32: Int64] = [:]
    private var sealedInTurn: Int64 = 0
    /// Versions sealed since the start.
    public private(set) var sealed: Int64 = 0
    /// Records that could not be read.
    public private(set) var unreadable: Int64 = 0

    public init(topics: TopicNames, store: DatasetStore) {
        self.topics = topics
        self.store = store
    }

    // MARK: - Stage

    public func assigned(_ partitions: [TopicPartition], committed: [TopicPartition: Int64]) throws -> [TopicPartition:
        Int64]
    {
        var positions: [TopicPartition: Int64] = [:]
        for place in partitions {
            // A disk that knows less than the group begins where the disk ends: everything is in the log.
            let here = try store.progress(place.partition) ?? 0
            let offset = min(committed[place] ?? 0, here)
            positions[place] = offset
            pending[place.partition] = [:]
            next[place.partition] = offset
            committedNext[place.partition] = offset
        }
        return positions
    }

    public func unassigned(_ partitions: [TopicPartition]) {
        for place in partitions {
            pending[place.partition] = nil
            next[place.partition] = nil
            committedNext[place.partition] = nil
        }
    }

    public func process(_ batch: RecordBatch, topics names: [String], into turn: inout Turn) throws {
        for record in batch.records {
            try take(record, into: &turn)
            next[record.partition] = record.offset + 1
        }
    }

    private func take(_ record: RecordView, into turn: inout Turn) throws {
        let project: ProjectID
        let fact: DatasetLogRecord
        do throws(JSONError) {
            let json = try parser.parse(record.value)
            project = ProjectID(try json.object().string("project"))
            fact = try DatasetLogRecord(json: json)
        } catch {
            unreadable += 1
            return
        }
        var waiting = pending[record.partition]?[project.rawValue] ?? Pending(from: record.offset)
        switch fact {
        case .accepted(let label, let name):
            waiting.lines[label.split, default: []].append(DatasetLine.bytes(label, className: name))
            pending[record.partition]?[project.rawValue] = waiting
        case .cut(let cut):
            pending[record.partition]?[project.rawValue] = nil
            let version = try seal(project, cut, waiting)
            sealedInTurn += 1
            turn.write(announcement(project, version, cut, record.partition))
        }
    }

    private func seal(_ project: ProjectID, _ cut: VersionCut, _ waiting: Pending) throws -> SealedVersion {
        var parent: DatasetManifest?
        if cut.ordinal > 1 {
            parent = try store.manifest(project, ordinal: cut.ordinal - 1)
            guard parent != nil else {
                throw EngineError(
                    "seal version \(cut.ordinal) of \(project)",
                    "its parent is not in the store",
                    remedy: "remove the folder progress/ of the store: the materializer then rebuilds from the log"
                )
            }
        }
        guard isComplete(waiting, after: parent, cut) else {
            // Read again from the middle, since another project of the partition held the offset back: it is sealed already.
            if let known = try store.manifest(project, ordinal: cut.ordinal), known.sequence == cut.sequence {
                return try store.seal(known)
            }
            throw EngineError(
                "seal version \(cut.ordinal) of \(project)",
                "labels before the cut are missing",
                remedy: "remove the folder progress/ of the store: the materializer then rebuilds from the log"
            )
        }
        var segments = parent?.segments ?? []
        for split in Split.allCases {
            guard let lines = waiting.lines[split] else { continue }
            segments.append(try store.writeSegment(project, split, lines: lines))
        }
        let manifest = DatasetManifest(
            project: project,
            ordinal: cut.ordinal,
            sequence: cut.sequence,
            parent: parent?.id,
            // Additions only: Croissant's rule bumps MINOR.
            semanticVersion: "1.\(cut.ordinal - 1).0",
            classes: cut.classes,
            segments: segments
        )
        return try store.seal(manifest)
    }

    /// Whether the labels since the parent are all that the cut counts.
    private func isComplete(_ waiting: Pending, after parent: DatasetManifest?, _ cut: VersionCut) -> Bool {
        for (split, count) in [(Split.training, cut.training), (.validation, cut.validation), (.test, cut.test)] {
            guard (parent?.count(of: split) ?? 0) + (waiting.lines[split]?.count ?? 0) == count else { return false }
        }
        return true
    }

    private func announcement(
        _ project: ProjectID,
        _ version: SealedVersion,
        _ cut: VersionCut,
        _ partition: Int32
    ) -> OutputRecord {
        var writer = JSONWriter()
        SealedVersionEvent(project: project, version: version).write(to: &writer)
        // No time: sealing a version twice must give the same record.
        let headers = CloudEventHeaders(
            id: "\(project)-version-\(cut.ordinal)",
            source: "flywheel/\(project)/materializer",
            type: "io.flywheel.version.sealed.v1",
            time: nil,
            correlation: version.id.rawValue,
            causation: "\(project)-cut-\(cut.sequence)"
        )
        return OutputRecord(
            topic: topics[.datasetVersions],
            partition: partition,
            key: Array(project.rawValue.utf8),
            value: writer.bytes,
            headers: headers.recordHeaders
        )
    }

    public func turnEnds(now: Int64, into turn: inout Turn) throws {}

    /// The group's offset may only pass what is in files: it stops at the first label that no version holds yet.
    public func willCommit(into turn: inout Turn) throws {
        for partition in next.keys.sorted() {
            guard let offset = safeOffset(partition), offset != committedNext[partition] else { continue }
            try store.record(progress: offset, of: partition)
            turn.advance(TopicPartition(topics[.datasetLog], partition), to: offset)
        }
    }

    private func safeOffset(_ partition: Int32) -> Int64? {
        let waiting = (pending[partition] ?? [:]).values.map(\.from).min()
        return waiting ?? next[partition]
    }

    public func committed() {
        for partition in next.keys { committedNext[partition] = safeOffset(partition) }
        sealed += sealedInTurn
        sealedInTurn = 0
    }

    /// What was read since the last commit is read again.
    public func aborted() {
        for partition in next.keys {
            next[partition] = committedNext[partition]
            pending[partition] = [:]
        }
        sealedInTurn = 0
    }
}
