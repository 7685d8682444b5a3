public import Events
internal import Flywheel
internal import Hashing
public import JSON
public import StreamRuntime
internal import Vocabulary

/// Where the loop of a partition stands: one record in every one of its transactions.
public struct PartitionPosition: Hashable, Sendable, JSONCodable {
    /// The next journal offset.
    public let journalOffset: Int64
    public let clusterID: String
    public let build: String

    /// The version of the forms in `state`; a later one is refused.
    public static let formVersion = 1
    static let key = "position"

    public init(journalOffset: Int64, clusterID: String, build: String) {
        self.journalOffset = journalOffset
        self.clusterID = clusterID
        self.build = build
    }

    public init(json: JSONValue) throws(JSONError) {
        let object = try json.object()
        let version = try object.int("v")
        guard version <= Self.formVersion else {
            throw object.failure("v", "this state was written by a newer build; upgrade this worker")
        }
        journalOffset = try object.int64("journal_offset")
        clusterID = try object.string("cluster_id")
        build = try object.string("build")
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("v", Self.formVersion)
            writer.member("journal_offset", journalOffset)
            writer.member("cluster_id", clusterID)
            writer.member("build", build)
        }
    }
}

/// The tables of a partition's projects, read back from the changelog.
public struct RestoredPartition: Sendable {
    /// By name, as of the last commit.
    public var projects: [String: LoopProject] = [:]
    /// Nil of a partition that no loop has written yet.
    public var position: PartitionPosition?
    /// Records read.
    public var records = 0
    /// The next offset of the partition to read.
    public var next: Int64?

    public init() {}
}

/// Reads and writes the `state` topic. Keys are `project/table/key`, and `position` for the partition.
public struct StateStore {
    private let topic: String
    private let reader: any LogReader

    static let chainTable = "loop.chain"

    public init(transport: any StreamTransport, topics: TopicNames) throws(StreamError) {
        topic = topics[.state]
        reader = try transport.makeReader(topics: [topic])
    }

    public func close() { reader.close() }

    /// Reads a partition to the end that it has at the call. What commits together does not become visible together, so the
    /// end is the high watermark, uncommitted records included: read on until the reader stands there.
    public func restore(_ partition: Int32, patience: Int = 30_000) throws -> RestoredPartition {
        var restored = RestoredPartition()
        try follow(partition, &restored, patience: patience)
        return restored
    }

    /// Takes in what has come since a partition was read last.
    public func follow(_ partition: Int32, _ restored: inout RestoredPartition, patience: Int = 30_000) throws {
        let place = TopicPartition(topic, partition)
        let (low, high) = try reader.watermarks(place)
        let from = max(low, restored.next ?? low)
        guard high > from else { return }
        try reader.start([place: from])
        let batch = RecordBatch()
        let parser = JSONParser(maximumDepth: 64, maximumSize: 16 << 20)
        var idle = 0
        while true {
            switch try reader.poll(into: batch, maximum: 5_000, timeoutMilliseconds: 100) {
            case .records:
                idle = 0
                for record in batch.records {
                    try Self.take(record, parser, into: &restored)
                    restored.next = record.offset + 1
                }
            case .endOfPartition(_, let offset):
                restored.next = max(offset, restored.next ?? offset)
                if offset >= high { return }
            case .idle:
                idle += 100
                guard idle < patience else {
                    throw EngineError(
                        "restore partition \(partition)",
                        "topic \(topic) does not end at offset \(high) as it should",
                        remedy: "another transaction may be open; try again, or look for one with kafka-transactions.sh"
                    )
                }
            }
        }
    }

    private static func take(_ record: RecordView, _ parser: JSONParser, into restored: inout RestoredPartition) throws
    {
        restored.records += 1
        let key = String(decoding: record.key, as: UTF8.self)
        let value = record.value.baseAddress == nil ? nil : try parser.parse(record.value)
        if key == PartitionPosition.key {
            restored.position = try value.map { (json) throws(JSONError) in try PartitionPosition(json: json) }
            return
        }
        let parts = key.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3 else {
            throw EngineError(
                "restore",
                "unreadable key \"\(key.prefix(100))\" in the changelog at offset \(record.offset)"
            )
        }
        let (name, table, row) = (String(parts[0]), String(parts[1]), String(parts[2]))
        var project = restored.projects.removeValue(forKey: name) ?? LoopProject(project: ProjectID(name))
        defer { restored.projects[name] = project }
        if table == chainTable {
            guard let object = try value?.object() else { return }
            project.chain = DecisionChain(hex: try object.string("chain")) ?? DecisionChain()
            project.ticksWritten = try object.uint64("ticks_written")
            project.lastOffset = try object.int64("last_offset")
            return
        }
        if table == ProjectPause.table {
            project.pause = try value.map { (json) throws(JSONError) in try ProjectPause(json: json) }
            return
        }
        guard let binding = StateTable.named[table] else {
            throw EngineError(
                "restore",
                "unknown table \"\(table)\" in the changelog",
                remedy: "was it written by a newer build?"
            )
        }
        try binding.restore(&project.state, row, value)
    }

    /// The changelog of a project since the last commit.
    static func changes(of project: LoopProject, name: String, topic: String, partition: Int32) -> [OutputRecord] {
        var changes: [StateChange] = []
        for table in StateTable.all { table.changes(project.state, &changes) }
        var records = changes.map { change in
            OutputRecord(
                topic: topic,
                partition: partition,
                key: Array("\(name)/\(change.table)/\(change.key)".utf8),
                value: change.value
            )
        }
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("chain", project.chain.digest.hex)
            writer.member("ticks_written", project.ticksWritten)
            writer.member("last_offset", project.lastOffset)
        }
        records.append(
            OutputRecord(
                topic: topic,
                partition: partition,
                key: Array("\(name)/\(chainTable)/_".utf8),
                value: writer.bytes
            )
        )
        if project.isPauseNew {
            records.append(
                OutputRecord(
                    topic: topic,
                    partition: partition,
                    key: Array(ProjectPause.key(of: name).utf8),
                    value: project.pause?.jsonBytes
                )
            )
        }
        return records
    }
}
