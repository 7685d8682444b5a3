public import Events
internal import Flywheel
internal import Hashing
internal import JSON
public import StreamRuntime
internal import Vocabulary

/// What Intake did since it began. Every record read is accepted, dead or dropped.
public struct IntakeCounts: Hashable, Sendable {
    /// Records read.
    public var read: Int64 = 0
    /// Records that were usable, forwarded or not.
    public var accepted: Int64 = 0
    /// Sent to the dead letters, by reason code.
    public var dead: [String: Int64] = [:]
    /// Counted and left out, by reason code.
    public var dropped: [String: Int64] = [:]
    /// Journal entries written.
    public var forwarded: Int64 = 0

    public init() {}

    public var deadTotal: Int64 { dead.values.reduce(0, +) }
    public var droppedTotal: Int64 { dropped.values.reduce(0, +) }
}

/// The data plane: decodes, checks, scores, thins out. Keeps nothing that correctness depends on.
public final class IntakeStage: StreamStage {
    /// The largest record that is looked at, in bytes.
    public static let recordLimit = 262_144
    /// Tallies of one transaction; versions beyond are counted together.
    static let tallyLimit = 1_000
    /// The most bytes of key and headers of a record that the journal keeps whole.
    public static let headerLimit = 65_536
    /// How far in the future an event's own time may lie, in milliseconds.
    static let futureTolerance: Int64 = 86_400_000
    /// 2000-01-01: nothing that Flywheel sees happened before.
    static let earliestTime: Int64 = 946_684_800_000

    /// The topics that Intake reads, in the order in which its consumer counts them.
    public static let inputs: [Topic] = [
        .predictions, .feedback, .annotations, .trainingResults, .commands, .datasetVersions,
    ]

    let topics: TopicNames
    let directory: ProjectDirectory
    let salt: [UInt8]
    let worker: String
    let now: () -> Int64
    /// Partitions of `predictions` in all; a worker's share of a threshold is its part of them.
    let partitionCount: Int
    let userKey: HMACSHA256

    let parser = JSONParser(maximumDepth: 64, maximumSize: recordLimit)
    var known: [String: IntakeProject] = [:]
    private var generation = -1
    private var current: (topic: Int, partition: Int32, offset: Int64) = (0, 0, 0)
    /// When the projects were last read to their end, in milliseconds since 1970.
    private var lookedAt: Int64 = 0
    private var owned: Set<Int32> = []
    /// Revisions written to their journals, and those of the open turn.
    private var announced: [String: Int] = [:]
    private var announcing: [String: Int] = [:]
    var tallies: [TallyKey: TallyBuilder] = [:]
    private var ranges: [TopicPartition: OffsetRange] = [:]
    private var turnCounts = IntakeCounts()
    /// What the committed transactions did.
    public private(set) var counts = IntakeCounts()

    public init(
        topics: TopicNames,
        directory: ProjectDirectory,
        salt: [UInt8],
        worker: String,
        partitionCount: Int,
        now: @escaping () -> Int64
    ) {
        self.topics = topics
        self.directory = directory
        self.salt = salt
        self.worker = worker
        self.partitionCount = max(1, partitionCount)
        self.now = now
        // A key of its own: what is drawn with the salt says nothing about users.
        userKey = HMACSHA256(key: SHA256Digest(of: Array("flywheel users\u{0}".utf8) + salt).bytes)
    }

    // MARK: - Stage

    public func assigned(_ partitions: [TopicPartition], committed: [TopicPartition: Int64]) throws -> [TopicPartition:
        Int64]
    {
        var positions: [TopicPartition: Int64] = [:]
        for partition in partitions {
            if partition.topic == topics[.predictions] { owned.insert(partition.partition) }
            positions[partition] = committed[partition]
        }
        try directory.readToEnd()
        return positions
    }

    public func unassigned(_ partitions: [TopicPartition]) {
        for partition in partitions where partition.topic == topics[.predictions] { owned.remove(partition.partition) }
    }

    public func process(_ batch: RecordBatch, topics names: [String], into turn: inout Turn) throws {
        try directory.refresh()
        adoptRevisions()
        for (index, record) in batch.records.enumerated() {
            turnCounts.read += 1
            current = (record.topic, record.partition, record.offset)
            do throws(Rejection) {
                try take(record, at: index, of: batch, into: &turn)
                turnCounts.accepted += 1
            } catch {
                bury(record, batch.headers(at: index), error, names[record.topic], into: &turn)
            }
            account(for: record, names[record.topic], into: &turn)
        }
    }

    private func account(for record: RecordView, _ topic: String, into turn: inout Turn) {
        let partition = TopicPartition(topic, record.partition)
        let range = OffsetRange(topic: topic, partition: record.partition, from: record.offset, to: 0)
        ranges[partition, default: range].to = record.offset
        turn.advance(partition, to: record.offset + 1)
    }

    // MARK: - Poison

    public var isolates: Bool { true }

    public func isolate(
        _ batch: RecordBatch,
        topics names: [String],
        because isolation: Isolation,
        into turn: inout Turn
    ) throws {
        for (index, record) in batch.records.enumerated() {
            turnCounts.read += 1
            let headers = isolation.isStubborn ? [] : batch.headers(at: index)
            let rejection = Rejection(.poison, isolation.text)
            bury(record, headers, rejection, names[record.topic], isStub: isolation.isStubborn, into: &turn)
            account(for: record, names[record.topic], into: &turn)
        }
    }

    /// Clients and projects that cannot be read have nothing to do with the records.
    public func isAboutRecord(_ error: any Error) -> Bool { !(error is StreamError) && !(error is EngineError) }

    public func turnEnds(now: Int64, into turn: inout Turn) throws {}

    public func willCommit(into turn: inout Turn) throws {
        for key in tallies.keys.sorted() {
            guard let tally = tallies[key], let project = known[key.project.rawValue] else { continue }
            let bytes = tally.bytes(
                key,
                schema: project.configuration.schema,
                threshold: project.threshold(key.version?.rawValue ?? ""),
                inputs: ranges.keys.sorted().compactMap { ranges[$0] }
            )
            turn.write(
                OutputRecord(
                    topic: topics[.tallies],
                    partition: project.configuration.partition,
                    key: Array(key.project.rawValue.utf8),
                    value: bytes,
                    headers: CloudEventHeaders(
                        id: "\(place)/\(key.version?.rawValue ?? "")/\(key.role?.rawValue ?? "")",
                        source: "flywheel/\(key.project)/intake",
                        type: "io.flywheel.traffic.tallied.v1",
                        time: now(),
                        correlation: key.version?.rawValue,
                        causation: nil
                    ).recordHeaders
                )
            )
        }
    }

    public func committed() {
        announced.merge(announcing) { $1 }
        counts.read += turnCounts.read
        counts.accepted += turnCounts.accepted
        counts.forwarded += turnCounts.forwarded
        counts.dead.merge(turnCounts.dead) { $0 + $1 }
        counts.dropped.merge(turnCounts.dropped) { $0 + $1 }
        forgetTurn()
    }

    public func aborted() { forgetTurn() }

    private func forgetTurn() {
        announcing.removeAll(keepingCapacity: true)
        tallies.removeAll(keepingCapacity: true)
        ranges.removeAll(keepingCapacity: true)
        turnCounts = IntakeCounts()
    }

    // MARK: - Projects

    /// The part of the traffic that this worker sees.
    var share: Double { Double(max(1, owned.count)) / Double(max(partitionCount, owned.count)) }

    private func adoptRevisions() {
        guard generation != directory.generation else { return }
        generation = directory.generation
        for (name, configuration) in directory.projects
        where known[name]?.configuration.revision != configuration.revision {
            // The loop refuses a revision that gives positions another meaning; entries must not be written under it.
            if let old = known[name], !configuration.schema.classes.starts(with: old.configuration.schema.classes) {
                continue
            }
            known[name] = IntakeProject(configuration, salt: salt)
        }
        known = known.filter { directory.projects[$0.key] != nil }
    }

    /// The project of a record. Before it is called unknown the topic is read to its end once more.
    func project(_ object: JSONObject, of record: RecordView) throws(Rejection) -> String {
        let name: String
        do throws(JSONError) { name = try object.string("project") } catch { throw Rejection(error) }
        if known[name] == nil { _ = lookAgain(for: record) }
        guard known[name] != nil else {
            throw Rejection(.unknownProject, "project: there is no project \"\(name.prefix(64))\"")
        }
        return name
    }

    /// Reads the projects to their end, unless that was done since the record was written: a flood of unknown names costs
    /// no more than one look a record's age.
    ///
    /// - Returns: Whether there is anything new to check against.
    func lookAgain(for record: RecordView) -> Bool {
        let (before, began) = (generation, now())
        // A clock that went back: what was read is older than it seems.
        if began < lookedAt { lookedAt = 0 }
        // A record from the future tells nothing of when it was written.
        let isPast = record.timestamp >= 0 && record.timestamp <= began
        guard isPast ? record.timestamp >= lookedAt : began - lookedAt >= 10 else { return false }
        guard (try? directory.readToEnd()) != nil else { return false }
        lookedAt = began
        adoptRevisions()
        return generation != before
    }

    // MARK: - Output

    /// Writes an entry to its project's journal, ahead of it the revision that it was checked under, if that is news.
    func forward(_ entry: JournalEntry, _ project: ProjectConfigurationReference, into turn: inout Turn) {
        let name = project.configuration.project.rawValue
        let revision = project.configuration.revision
        if (announcing[name] ?? announced[name] ?? 0) < revision {
            announcing[name] = revision
            write(JournalEntry(project: entry.project, body: .configured(project.configuration)), project, into: &turn)
        }
        write(entry, project, into: &turn)
        turnCounts.forwarded += 1
    }

    private func write(_ entry: JournalEntry, _ project: ProjectConfigurationReference, into turn: inout Turn) {
        turn.write(
            OutputRecord(
                topic: topics[.journal],
                partition: project.configuration.partition,
                key: Array(entry.project.rawValue.utf8),
                value: entry.jsonBytes,
                headers: CloudEventHeaders.entry(
                    entry,
                    id: place,
                    role: .intake,
                    time: now(),
                    causation: place
                ).recordHeaders
            )
        )
    }

    /// The record in hand: an entry's id says where it comes from, so that one written twice can be told.
    private var place: String { "\(topics[Self.inputs[current.topic]])/\(current.partition)/\(current.offset)" }

    private func bury(
        _ record: RecordView,
        _ headers: [RecordHeader],
        _ rejection: Rejection,
        _ topic: String,
        isStub: Bool = false,
        into turn: inout Turn
    ) {
        turnCounts.dead[rejection.code.rawValue, default: 0] += 1
        turn.write(
            DeadLetter.record(
                to: topics[.deadLetters],
                key: record.key.baseAddress == nil ? nil : Array(record.key),
                value: record.value.baseAddress == nil ? nil : Array(record.value),
                headers: headers,
                cause: DeadLetter.Cause(
                    topic: topic,
                    partition: record.partition,
                    offset: record.offset,
                    stage: "intake",
                    code: rejection.code.rawValue,
                    text: rejection.text,
                    worker: worker,
                    at: now()
                ),
                isStub: isStub
            )
        )
    }
}

/// Lends a project's configuration to the output path.
struct ProjectConfigurationReference {
    let configuration: ProjectConfiguration
}
