public import Events
internal import Flywheel
internal import Hashing
internal import JSON
public import StreamRuntime
internal import Tables
internal import Vocabulary

/// What the loop did since it began.
public struct LoopCounts: Hashable, Sendable {
    /// Entries applied, whatever came of them.
    public var entries: Int64 = 0
    /// Decisions written to topics.
    public var decisions: Int64 = 0
    /// By reason code.
    public var refused: [String: Int64] = [:]
    /// Ticks written to the journal.
    public var ticks: Int64 = 0
    /// Entries that could not be read and went to the dead letters.
    public var unreadable: Int64 = 0

    public init() {}
}

/// The control plane: applies journal entries in order, one project at a time, and writes decisions, changelog and position
/// in the transaction that commits the journal offset.
public final class LoopStage: StreamStage {
    /// The topics that Loop reads, in the order in which its consumer counts them. Their partitions travel together.
    public static let inputs: [Topic] = [.journal, .tallies]

    private struct Partition {
        var projects: [String: LoopProject] = [:]
        var tallies = TallyFolder()
        var lastTickAt: [String: Int64] = [:]
        var journalOffset: Int64 = 0
        var committedOffset: Int64 = 0
        var isTouched = false
    }

    private let topics: TopicNames
    private let transport: any StreamTransport
    private let worker: String
    private let clusterID: String
    private let now: () -> Int64
    private let parser = JSONParser(maximumDepth: 64, maximumSize: 16 << 20)
    private var partitions: [Int32: Partition] = [:]
    private var turnCounts = LoopCounts()
    /// What the committed transactions did.
    public private(set) var counts = LoopCounts()
    /// Called with each partition restored, its records and milliseconds.
    public var restored: (Int32, Int, Int64) -> Void = { _, _, _ in }

    public init(
        topics: TopicNames,
        transport: any StreamTransport,
        worker: String,
        now: @escaping () -> Int64
    ) throws(StreamError) {
        self.topics = topics
        self.transport = transport
        self.worker = worker
        self.now = now
        clusterID = try transport.clusterID()
    }

    /// The state of every project here, for whoever looks from outside between two turns.
    public func forEachProject(_ body: (LoopProject) -> Void) {
        for number in partitions.keys.sorted() {
            guard let projects = partitions[number]?.projects else { continue }
            for name in projects.keys.sorted() { if let project = projects[name] { body(project) } }
        }
    }

    // MARK: - Assignment

    public func assigned(_ assigned: [TopicPartition], committed: [TopicPartition: Int64]) throws -> [TopicPartition:
        Int64]
    {
        var positions: [TopicPartition: Int64] = [:]
        let store = try StateStore(transport: transport, topics: topics)
        defer { store.close() }
        for place in assigned.sorted() {
            guard place.topic == topics[.journal] else {
                positions[place] = committed[place]
                continue
            }
            let began = now()
            let restoredState = try store.restore(place.partition)
            let offset = try startOffset(place, committed[place], restoredState.position)
            var partition = Partition()
            partition.projects = restoredState.projects
            partition.journalOffset = offset
            partition.committedOffset = offset
            partitions[place.partition] = partition
            positions[place] = offset
            restored(place.partition, restoredState.records, now() - began)
        }
        return positions
    }

    /// Offsets and changelog commit together, so they must agree. Where the group's offset has expired the position stands.
    private func startOffset(_ place: TopicPartition, _ committed: Int64?, _ position: PartitionPosition?) throws
        -> Int64
    {
        if let position, position.clusterID != clusterID {
            throw EngineError(
                "restore \(place)",
                "its state was written on cluster \(position.clusterID), and this is \(clusterID)",
                remedy: "check bootstrap.servers and the topic prefix"
            )
        }
        switch (committed, position?.journalOffset) {
        case (nil, nil): return 0
        case (nil, let position?): return position
        case (let committed?, let position?) where committed == position: return committed
        case (let committed?, nil):
            throw EngineError(
                "restore \(place)",
                "the group has committed offset \(committed) but there is no state",
                remedy:
                    "restore the state topic, or reset the group's offsets to the beginning to decide everything anew"
            )
        case (let committed?, let position?):
            throw EngineError(
                "restore \(place)",
                "the group has committed offset \(committed) but the state stands at \(position)",
                remedy:
                    "restore the state topic, or reset the group's offsets to the beginning to decide everything anew"
            )
        }
    }

    /// The journal decides; tallies inform.
    public func toleratesExpiry(of partition: TopicPartition) -> Bool { partition.topic != topics[.journal] }

    public func unassigned(_ gone: [TopicPartition]) {
        for place in gone where place.topic == topics[.journal] { partitions[place.partition] = nil }
    }

    // MARK: - Entries

    public func process(_ batch: RecordBatch, topics names: [String], into turn: inout Turn) throws {
        for (index, record) in batch.records.enumerated() {
            guard var partition = partitions.removeValue(forKey: record.partition) else {
                throw EngineError("apply an entry", "partition \(record.partition) is not assigned")
            }
            defer { partitions[record.partition] = partition }
            if Self.inputs[record.topic] == .tallies {
                takeTally(record, &partition)
                continue
            }
            try takeEntry(record, index, batch, &partition, &turn)
            partition.journalOffset = record.offset + 1
            partition.isTouched = true
            turn.advance(TopicPartition(names[record.topic], record.partition), to: record.offset + 1)
        }
    }

    private func takeTally(_ record: RecordView, _ partition: inout Partition) {
        do throws(JSONError) {
            guard record.value.baseAddress != nil else { throw JSONError(.truncated, reason: "empty") }
            try partition.tallies.take(parser.parse(record.value), offset: record.offset, now: now())
        } catch {
            // Tallies inform and never decide: an unreadable one is passed over.
            partition.tallies.skip(offset: record.offset, now: now())
        }
    }

    private func takeEntry(
        _ record: RecordView,
        _ index: Int,
        _ batch: RecordBatch,
        _ partition: inout Partition,
        _ turn: inout Turn
    ) throws {
        let entry: JournalEntry
        do throws(JSONError) {
            entry = try JournalEntry(json: parser.parse(record.value))
        } catch {
            if error.path == "v", error.kind == .invalidValue {
                throw EngineError("read journal entry \(record.partition)/\(record.offset)", error.description)
            }
            turnCounts.unreadable += 1
            bury(
                record.key,
                record.value,
                batch.headers(at: index),
                cause(topics[.journal], record.partition, record.offset, "unreadable_entry", error.description),
                &turn
            )
            return
        }
        let name = entry.project.rawValue
        var project = partition.projects.removeValue(forKey: name) ?? LoopProject(project: entry.project)
        defer { partition.projects[name] = project }
        let decisions = project.apply(entry, appendedAt: StreamTime(milliseconds: record.timestamp))
        project.lastOffset = record.offset
        turnCounts.entries += 1
        for decision in decisions { write(decision, entry, record, &turn) }
    }

    private func write(_ decision: EncodedDecision, _ entry: JournalEntry, _ record: RecordView, _ turn: inout Turn) {
        turnCounts.decisions += 1
        if let refusal = decision.refusal {
            turnCounts.refused[refusal.code.rawValue, default: 0] += 1
            guard decision.topic != nil else { return }
            let origin = entry.origin
            let why = cause(
                origin?.topic ?? topics[.journal],
                origin?.partition ?? record.partition,
                origin?.offset ?? record.offset,
                refusal.code.rawValue,
                refusal.text
            )
            turn.write(
                DeadLetter.record(
                    to: topics[.deadLetters],
                    key: origin?.key,
                    value: origin?.value ?? Array(record.value),
                    headers: origin?.headers.map { RecordHeader($0.name, $0.value) } ?? [],
                    cause: why
                )
            )
            return
        }
        guard let topic = decision.topic else { return }
        turn.write(
            OutputRecord(
                topic: topics[topic],
                partition: record.partition,
                key: Array(decision.key.utf8),
                value: decision.value,
                headers: decision.headers.recordHeaders
            )
        )
    }

    private func cause(_ topic: String, _ partition: Int32, _ offset: Int64, _ code: String, _ text: String)
        -> DeadLetter.Cause
    {
        DeadLetter.Cause(
            topic: topic,
            partition: partition,
            offset: offset,
            stage: "loop",
            code: code,
            text: text,
            worker: worker,
            at: now()
        )
    }

    private func bury(
        _ key: UnsafeRawBufferPointer,
        _ value: UnsafeRawBufferPointer,
        _ headers: [RecordHeader],
        _ cause: DeadLetter.Cause,
        _ turn: inout Turn
    ) {
        turn.write(
            DeadLetter.record(
                to: topics[.deadLetters],
                key: key.baseAddress == nil ? nil : Array(key),
                value: value.baseAddress == nil ? nil : Array(value),
                headers: headers,
                cause: cause
            )
        )
    }

    // MARK: - Timers

    public func turnEnds(now: Int64, into turn: inout Turn) throws {
        for number in partitions.keys.sorted() {
            guard var partition = partitions.removeValue(forKey: number) else { continue }
            defer { partitions[number] = partition }
            for name in partition.projects.keys.sorted() { writeTimers(name, number, now, &partition, &turn) }
            guard partition.tallies.isDue(now), let next = partition.tallies.next else { continue }
            for folded in partition.tallies.fold() {
                let entry = JournalEntry(project: ProjectID(folded.project), body: .tally(folded.tallies))
                append(entry, number, &turn)
            }
            turn.advance(TopicPartition(topics[.tallies], number), to: next)
            partition.isTouched = true
        }
    }

    private func writeTimers(
        _ name: String,
        _ number: Int32,
        _ now: Int64,
        _ partition: inout Partition,
        _ turn: inout Turn
    ) {
        guard let project = partition.projects[name] else { return }
        if project.state.position.value.build != Build.version, partition.lastTickAt["engine/\(name)"] == nil {
            partition.lastTickAt["engine/\(name)"] = now
            append(JournalEntry(project: project.state.project, body: .engine(build: Build.version)), number, &turn)
            partition.isTouched = true
        }
        guard project.isTickDue(now: now, lastTickAt: partition.lastTickAt[name] ?? 0) else { return }
        partition.lastTickAt[name] = now
        let mark = ChainMark(entryNumber: project.state.position.value.entryNumber, digest: project.chain.digest.hex)
        append(JournalEntry(project: project.state.project, body: .tick(mark)), number, &turn)
        partition.projects[name]?.tickWritten()
        partition.isTouched = true
        turnCounts.ticks += 1
    }

    private func append(_ entry: JournalEntry, _ partition: Int32, _ turn: inout Turn) {
        turn.mustCommit = true
        let time = now()
        let headers = CloudEventHeaders.entry(
            entry,
            id: "\(entry.project)-\(entry.body.kind)-\(time)",
            role: .loop,
            time: time
        )
        turn.write(
            OutputRecord(
                topic: topics[.journal],
                partition: partition,
                key: Array(entry.project.rawValue.utf8),
                value: entry.jsonBytes,
                headers: headers.recordHeaders
            )
        )
    }

    // MARK: - Commit

    public func willCommit(into turn: inout Turn) throws {
        for number in partitions.keys.sorted() {
            guard let partition = partitions[number], partition.isTouched else { continue }
            for name in partition.projects.keys.sorted() {
                guard let project = partition.projects[name], project.isTouched else { continue }
                for record in StateStore.changes(of: project, name: name, topic: topics[.state], partition: number) {
                    turn.write(record)
                }
            }
            let position = PartitionPosition(
                journalOffset: partition.journalOffset,
                clusterID: clusterID,
                build: Build.version
            )
            turn.write(
                OutputRecord(
                    topic: topics[.state],
                    partition: number,
                    key: Array(PartitionPosition.key.utf8),
                    value: position.jsonBytes
                )
            )
            // Also where only a timer wrote: the position must equal the offset that the transaction commits.
            turn.advance(TopicPartition(topics[.journal], number), to: partition.journalOffset)
        }
    }

    public func committed() {
        for number in partitions.keys.sorted() {
            guard var partition = partitions.removeValue(forKey: number) else { continue }
            defer { partitions[number] = partition }
            guard partition.isTouched else { continue }
            for name in partition.projects.keys.sorted() { partition.projects[name]?.commit() }
            partition.committedOffset = partition.journalOffset
            partition.isTouched = false
        }
        counts.entries += turnCounts.entries
        counts.decisions += turnCounts.decisions
        counts.ticks += turnCounts.ticks
        counts.unreadable += turnCounts.unreadable
        counts.refused.merge(turnCounts.refused) { $0 + $1 }
        turnCounts = LoopCounts()
    }

    public func aborted() {
        for number in partitions.keys.sorted() {
            guard var partition = partitions.removeValue(forKey: number) else { continue }
            defer { partitions[number] = partition }
            for name in partition.projects.keys.sorted() { partition.projects[name]?.undo() }
            partition.journalOffset = partition.committedOffset
            partition.isTouched = false
            partition.tallies = TallyFolder()
            partition.lastTickAt.removeAll()
        }
        turnCounts = LoopCounts()
    }
}
