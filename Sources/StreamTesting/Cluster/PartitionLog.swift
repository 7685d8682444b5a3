public import StreamRuntime

/// A record as stored in a log.
public struct StoredRecord: Hashable, Sendable {
    /// Its offset in its partition; transaction markers occupy offsets too.
    public let offset: Int64
    /// Append time, in milliseconds since 1970.
    public let timestamp: Int64
    /// Nil for null.
    public let key: [UInt8]?
    /// Nil for null.
    public let value: [UInt8]?
    /// Headers in the order of writing.
    public let headers: [RecordHeader]

    init(offset: Int64, timestamp: Int64, key: [UInt8]?, value: [UInt8]?, headers: [RecordHeader]) {
        self.offset = offset
        self.timestamp = timestamp
        self.key = key
        self.value = value
        self.headers = headers
    }

    /// A record with another value.
    public init(replacing value: [UInt8]?, in record: StoredRecord) {
        self.init(
            offset: record.offset,
            timestamp: record.timestamp,
            key: record.key,
            value: value,
            headers: record.headers
        )
    }

    /// The value as text; empty for null.
    public var text: String { String(decoding: value ?? [], as: UTF8.self) }
    /// The key as text; empty for null.
    public var keyText: String { String(decoding: key ?? [], as: UTF8.self) }

    /// The text of the last header of that name; nil if there is none, or if it is null.
    public func header(_ name: String) -> String? {
        headers.last { $0.name == name }.flatMap { $0.value.map { String(decoding: $0, as: UTF8.self) } }
    }
}

/// One partition: records and transaction markers by offset, and which transactions are open or aborted.
struct PartitionLog: Sendable {
    private struct Entry: Sendable {
        let record: StoredRecord
        let transaction: Int?
        let isMarker: Bool
        /// Whether compaction removed the record; its offset remains.
        var isRemoved = false
    }

    private(set) var start: Int64 = 0
    private var entries: [Entry] = []
    /// The first offset of each open transaction.
    private var open: [Int: Int64] = [:]
    private var aborted: Set<Int> = []

    /// The next offset.
    var end: Int64 { start + Int64(entries.count) }
    /// Last stable offset: the end of the records that a reader of committed records may see.
    var lastStable: Int64 { open.values.min() ?? end }

    mutating func append(_ record: OutputRecord, at time: Int64, transaction: Int?) {
        if let transaction, open[transaction] == nil { open[transaction] = end }
        let stored = StoredRecord(
            offset: end,
            timestamp: time,
            key: record.key,
            value: record.value,
            headers: record.headers
        )
        entries.append(Entry(record: stored, transaction: transaction, isMarker: false))
    }

    /// Ends a transaction in this partition with a marker.
    mutating func finish(_ transaction: Int, isCommitted: Bool, at time: Int64) {
        guard open.removeValue(forKey: transaction) != nil else { return }
        if !isCommitted { aborted.insert(transaction) }
        let marker = StoredRecord(offset: end, timestamp: time, key: nil, value: nil, headers: [])
        entries.append(Entry(record: marker, transaction: transaction, isMarker: true))
    }

    /// Removes the records before an offset, as retention does.
    mutating func delete(before offset: Int64) {
        let count = Int(min(max(offset, start), end) - start)
        entries.removeFirst(count)
        start += Int64(count)
    }

    /// Committed records from an offset on.
    ///
    /// - Returns: The records, and the next offset to read: markers and aborted records after the last record are
    ///   skipped.
    func read(from offset: Int64, maximum: Int) -> (records: [StoredRecord], next: Int64) {
        var records: [StoredRecord] = []
        var next = max(offset, start)
        while next < lastStable, records.count < maximum {
            let entry = entries[Int(next - start)]
            next += 1
            guard isReadable(entry) else { continue }
            records.append(entry.record)
        }
        while next < lastStable {
            let entry = entries[Int(next - start)]
            guard !isReadable(entry) else { break }
            next += 1
        }
        return (records, next)
    }

    private func isReadable(_ entry: Entry) -> Bool {
        !entry.isMarker && !entry.isRemoved && !(entry.transaction.map { aborted.contains($0) } ?? false)
    }

    /// Keeps the last record of each key, as compaction does; tombstones, too, unless they are to be removed.
    mutating func compact(removingTombstones: Bool) {
        var last: [[UInt8]: Int] = [:]
        let end = Int(lastStable - start)
        for index in 0..<end where isReadable(entries[index]) {
            guard let key = entries[index].record.key else { continue }
            if let older = last[key] { entries[older].isRemoved = true }
            last[key] = index
            if removingTombstones, entries[index].record.value == nil { entries[index].isRemoved = true }
        }
    }
}
