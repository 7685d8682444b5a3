internal import EngineCore
public import Events
internal import Flywheel
internal import Hashing
internal import JSON
public import StreamRuntime
internal import Vocabulary

/// The tables of a partition's projects, read back from the changelog.
public struct RestoredPartition: Sendable {
    /// Projects by name, as of the last commit.
    public var projects: [String: LoopProject] = [:]
    /// Position of the loop; nil for a partition that no loop has written yet.
    public var position: PartitionPosition?
    /// Records read.
    public var records = 0
    /// The next offset of the partition to read.
    public var next: Int64?

    public init() {}
}

/// Progress of reading a partition's state.
public struct RestoreProgress: Hashable, Sendable {
    public let partition: Int32
    /// Records read.
    public let records: Int
    /// The next offset to read, and the end of the partition at the time when reading began.
    public let offset: Int64
    public let end: Int64

    /// Percentage of the offsets that were read, in `0...100`.
    public var percent: Int { end > 0 ? Int(min(offset, end) * 100 / end) : 100 }
}

/// Reads and writes the `state` topic. Keys are `project/table/key`, and `position` for the partition.
public struct StateStore {
    let topic: String
    private let reader: any LogReader

    static let chainTable = "loop.chain"
    private static let remedy =
        "nothing is guessed: restore the state topic from a copy, or make it anew and reset the group's offsets of the journal to the beginning to decide everything anew"
    /// Called after every batch.
    public var progress: (RestoreProgress) -> Void = { _ in }

    public init(transport: any StreamTransport, topics: TopicNames) throws(StreamError) {
        topic = topics[.state]
        reader = try transport.makeReader(topics: [topic])
    }

    public func close() { reader.close() }

    /// The first and the next offset of a partition, uncommitted records included.
    func ends(_ partition: Int32) throws(StreamError) -> (low: Int64, high: Int64) {
        try reader.watermarks(TopicPartition(topic, partition))
    }

    static func makeParser() -> JSONParser { JSONParser(maximumDepth: 64, maximumSize: 16 << 20) }

    /// The partitions of `state` in which a transaction stays open.
    public func heldBack(_ partitions: [Int32]) throws(StreamError) -> [Int32] {
        try reader.heldBack(partitions.map { TopicPartition(topic, $0) }).map(\.partition)
    }

    /// The end of a partition for read-only observers.
    package func settledEnd(_ partition: Int32) throws(StreamError) -> SettledEnd? {
        let topicPartition = TopicPartition(topic, partition)
        return try reader.settledEnds(of: [topicPartition])[topicPartition]
    }

    /// Reads a partition to the end that it has at the call. Records that are committed together do not become visible
    /// together, so the end is the high watermark, including uncommitted records: reading continues until the reader
    /// reaches it.
    public func restore(_ partition: Int32, maximumWait: Int = 30_000) throws -> RestoredPartition {
        var restored = RestoredPartition()
        try follow(partition, &restored, maximumWait: maximumWait)
        return restored
    }

    /// Reads the records added since a partition was read last.
    ///
    /// - Parameters:
    ///   - partition: Partition of `state`.
    ///   - restored: The result of the previous read; the new records are added.
    ///   - stable: Whether to end before an open transaction, for read-only observers.
    ///   - limit: The end; nil for the partition's end.
    ///   - maximumWait: Maximum wait without an answer, in milliseconds.
    /// - Throws: `StreamError` when the topic cannot be read; `EngineError` when its end is not reached, or its records
    ///   cannot be trusted.
    public func follow(
        _ partition: Int32,
        _ restored: inout RestoredPartition,
        stable: Bool = false,
        until limit: Int64? = nil,
        maximumWait: Int = 30_000
    ) throws {
        let topicPartition = TopicPartition(topic, partition)
        let (low, end) = try reader.watermarks(topicPartition)
        let high = try limit ?? (stable ? reader.ends(of: [topicPartition], stable: true)[topicPartition] ?? end : end)
        // Compaction does not move the beginning: missing first records were deleted, and with them rows that have not
        // been written since.
        guard low <= restored.next ?? 0 else {
            throw EngineError(
                "restore partition \(partition)",
                "the records of \(topic) before offset \(low) were deleted, so there is no state that could be trusted",
                remedy: Self.remedy
            )
        }
        let from = restored.next ?? low
        guard high > from else { return }
        try reader.start([topicPartition: from])
        let batch = RecordBatch()
        let parser = Self.makeParser()
        var idle = 0
        while true {
            switch try reader.poll(into: batch, maximum: 5_000, timeoutMilliseconds: 100) {
            case .records:
                idle = 0
                for record in batch.records {
                    try restoreRecord(record, parser, partition, into: &restored)
                    restored.next = record.offset + 1
                }
                let offset = restored.next ?? from
                progress(.init(partition: partition, records: restored.records, offset: offset, end: high))
            case .endOfPartition(_, let offset):
                restored.next = max(offset, restored.next ?? offset)
                if offset >= high { return }
            case .idle:
                idle += 100
                guard idle < maximumWait else {
                    throw EngineError(
                        "restore partition \(partition)",
                        "topic \(topic) could not be read up to offset \(high)",
                        remedy: "another transaction may be open; try again, or look for one with kafka-transactions.sh"
                    )
                }
            }
        }
    }

    /// Returns the remedy for a row that cannot be read; a row that only a newer build can read is intact.
    private static func remedy(for error: any Error) -> String {
        (error as? JSONError)?.kind == .newerForm
            ? "upgrade this worker: its state was written by a newer build" : remedy
    }

    private func restoreRecord(
        _ record: RecordView,
        _ parser: JSONParser,
        _ partition: Int32,
        into restored: inout RestoredPartition
    ) throws {
        do {
            try Self.restoreRow(record.key, record.value, parser, into: &restored)
        } catch {
            let key = String(decoding: record.key.prefix(100), as: UTF8.self)
            let reason = (error as? EngineError)?.reason ?? "\(error)"
            throw EngineError(
                "restore partition \(partition)",
                "the record at offset \(record.offset) of \(topic) (key \"\(key)\") cannot be read: \(reason)",
                remedy: (error as? EngineError)?.remedy ?? Self.remedy(for: error)
            )
        }
    }

    /// Restores one row; a value without an address is a tombstone.
    static func restoreRow(
        _ rowKey: UnsafeRawBufferPointer,
        _ rowValue: UnsafeRawBufferPointer,
        _ parser: JSONParser,
        into restored: inout RestoredPartition
    ) throws {
        restored.records += 1
        let value = rowValue.baseAddress == nil ? nil : try parser.parse(rowValue)
        if rowKey.elementsEqual(PartitionPosition.key.utf8) {
            restored.position = try value.map { (json) throws(JSONError) in try PartitionPosition(json: json) }
            return
        }
        // Split by bytes: splitting a million keys by characters needs seconds.
        let slash = UInt8(ascii: "/")
        guard let first = rowKey.firstIndex(of: slash), let second = rowKey[(first + 1)...].firstIndex(of: slash) else {
            throw EngineError("restore", "its key is not of the form project/table/key", remedy: Self.remedy)
        }
        let name = String(decoding: rowKey[..<first], as: UTF8.self)
        let table = UnsafeRawBufferPointer(rebasing: rowKey[(first + 1)..<second])
        let row = String(decoding: rowKey[(second + 1)...], as: UTF8.self)
        // Mutated in place: a project is too large to be removed and stored again for every row.
        try put(table, row, value, into: &restored.projects[name, default: LoopProject(project: ProjectID(name))])
    }

    private static func put(
        _ table: UnsafeRawBufferPointer,
        _ row: String,
        _ value: JSONValue?,
        into project: inout LoopProject
    ) throws {
        // Nearly every row belongs to a table of the project's state.
        if try project.state.restore(table, row, value) { return }
        let table = String(decoding: table, as: UTF8.self)
        if table == chainTable {
            guard let object = try value?.object() else { return }
            guard let chain = DecisionChain(hex: try object.string("chain")) else {
                throw object.failure("chain", "expected 64 hexadecimal digits")
            }
            project.chain = chain
            project.ticksWritten = min(try object.uint64("ticks_written"), UInt64(Counting.limit))
            project.lastOffset = try object.int64("last_offset")
        } else if table == ProjectPause.table {
            project.pause = try value.map { (json) throws(JSONError) in try ProjectPause(json: json) }
        } else {
            throw EngineError(
                "restore",
                "unknown table \"\(table)\": a newer build wrote it",
                remedy: "upgrade this worker"
            )
        }
    }
}
