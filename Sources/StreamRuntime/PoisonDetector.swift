/// Reason for which a record is removed from the stream.
public struct Quarantine: Hashable, Sendable {
    /// Reason in words: what happened while the record was being processed.
    public let text: String
    /// Whether an attempt to remove the record has failed, too: then as little of it as possible must be written.
    public let isStubborn: Bool

    public init(_ text: String, isStubborn: Bool = false) {
        self.text = text
        self.isStubborn = isStubborn
    }
}

/// Detector of records that may have crashed a worker, with the slices in which to process them: a value without any
/// I/O.
///
/// The metadata of the committed offset tells how the last owner of a partition died:
///
///     open  --> process slices of a hundredth of a transaction, for as many records as a transaction holds at most
///     few   --> process slices of a tenth of the slice it died with, down to one record a transaction
///     one   --> process that record alone; after three deaths it is quarantined
///
/// A transaction that is refused because of the content of a record is halved until that record is found; after three
/// equal refusals of it alone it is quarantined. Records after the suspicious part are processed as before.
struct PoisonDetector {
    /// Minimum number of records in a slice after a first unclean stop, and the number of slices into which a
    /// transaction is divided: every transaction takes some ten milliseconds, whatever it contains.
    static let initialSlices = 100
    /// Number of slices into which a slice is divided after a worker died with it.
    static let parts: Int64 = 10
    /// Number of deaths, or of equal refusals in a row, after which a record is quarantined.
    static let maximumFailures = 3
    /// Milliseconds without any record after which records that are still suspicious are considered absent.
    static let silence: Int64 = 30_000

    private struct Span {
        var size: Int
        /// First suspicious offset.
        var from: Int64 = 0
        /// End of the suspicious offsets; this offset is not suspicious.
        var until: Int64
        /// Maximum number of suspicious records that are left: offsets have gaps.
        var left = Int.max

        /// Whether a worker died with exactly these records in process.
        var isNarrow: Bool { left == .max }

        func contains(_ offset: Int64) -> Bool { left > 0 && offset >= from && offset < until }
    }

    private struct Suspect {
        var offset: Int64
        var deaths = 0
        var refusals = 0
        /// Kind of the last refusal; equal for equal refusals.
        var kind = ""
        var text = ""
        /// Number of failed attempts to quarantine the record; nil until it is to be quarantined.
        var failures: Int?
    }

    /// A refused transaction, to be processed in slices of `limit` records below the offsets `until`.
    private struct Search {
        var limit: Int
        var until: [TopicPartition: Int64]
    }

    /// Marks that are stored with the group's offsets.
    private(set) var marks: [TopicPartition: OffsetMetadata] = [:]
    private var spans: [TopicPartition: Span] = [:]
    private var suspects: [TopicPartition: Suspect] = [:]
    private var search: Search?
    /// Whether this run is known to the group as being at work.
    private var isOpened = false
    /// Partitions whose marks were written by this run.
    private var markedPartitions: Set<TopicPartition> = []
    /// Time since which no record has been received.
    private var quietSince: Int64?

    /// Whether nothing is suspicious, and the group knows that this worker is at work: then records may be processed as
    /// they arrive.
    var isCalm: Bool { isOpened && spans.isEmpty && search == nil }

    // MARK: - Partitions

    /// Adds a newly assigned partition.
    ///
    /// - Parameters:
    ///   - partition: Partition not owned until now.
    ///   - found: Offset that the group has committed; nil for a partition that the group has not read yet.
    ///   - high: The end of the partition, uncommitted records included. Records that were in process are before it.
    ///   - maximumRecords: Maximum number of records in a transaction.
    ///   - isExplained: Whether its last owner was this process, which knows why it stopped: no death is counted.
    mutating func add(
        _ partition: TopicPartition,
        _ found: GroupOffset?,
        high: Int64,
        maximumRecords: Int,
        isExplained: Bool
    ) {
        isOpened = false
        quietSince = nil
        remove(partition)
        guard let found else { return }
        // Without a mark there is no evidence that the partition was released in order.
        let mark = OffsetMetadata(found.metadata) ?? .open
        marks[partition] = mark
        guard high > found.next else { return }
        switch mark {
        case .clean: break
        case .open where isExplained, .few where isExplained: break
        case .open:
            spans[partition] = Span(
                size: max(Self.initialSlices, maximumRecords / Self.initialSlices),
                until: high,
                left: maximumRecords
            )
        case .few(let from, let until):
            guard until > found.next else { break }
            spans[partition] = Span(size: max(1, Int((until - from) / Self.parts)), from: from, until: until)
        case .one(let offset, let deaths):
            suspects[partition] = Suspect(offset: offset, deaths: deaths + (isExplained ? 0 : 1))
            spans[partition] = Span(size: 1, from: offset, until: offset + 1)
        }
    }

    mutating func remove(_ partition: TopicPartition) {
        marks[partition] = nil
        spans[partition] = nil
        suspects[partition] = nil
        markedPartitions.remove(partition)
        forgetSearch(partition)
    }

    /// Offset metadata to commit for partitions that are revoked in order, where it is not stored yet.
    ///
    /// A partition without anything suspicious is marked clean even by a run that has done nothing, since no record
    /// was in process.
    func releaseMarks(_ partitions: some Sequence<TopicPartition>) -> [TopicPartition: OffsetMetadata] {
        var newMarks: [TopicPartition: OffsetMetadata] = [:]
        for partition in partitions {
            guard let known = marks[partition] else { continue }
            let mark = releaseMark(partition)
            if known != mark || mark != .clean { newMarks[partition] = mark }
        }
        return newMarks
    }

    /// The mark of a partition that is released in order: records that are still suspicious remain known, and no death
    /// is added. If this run has done nothing in the partition, it is the mark that was found.
    func releaseMark(_ partition: TopicPartition) -> OffsetMetadata {
        guard spans[partition] != nil || suspects[partition] != nil else { return .clean }
        guard markedPartitions.contains(partition) else { return marks[partition] ?? .open }
        return mark(of: partition, at: 0)
    }

    // MARK: - Slices

    /// Records of a batch that are processed together, by their indices.
    struct Slice {
        var indices: [Int] = []
        /// Records of the batch that remain, by their indices.
        var rest: [Int] = []
        /// Whether the slice contains suspicious records, so that it is processed in a separate transaction.
        var isSeparate = false
        /// The only record of the slice, if it is processed alone.
        var record: (partition: TopicPartition, offset: Int64)?
        /// The suspicious records of each partition: the first offset, the offset after the last, and their number.
        var ranges: [TopicPartition: (from: Int64, until: Int64, count: Int)] = [:]
    }

    /// Selects the records of a batch that are processed together next; each partition's records stay in order.
    func slice(_ records: ContiguousArray<RecordView>, of rest: [Int], topics: [String]) -> Slice {
        var slice = Slice()
        guard isSuspicious(records, topics) else {
            slice.indices = rest
            return slice
        }
        var closed: Set<TopicPartition> = []
        var found = 0
        for index in rest {
            let record = records[index]
            let partition = TopicPartition(topics[record.topic], record.partition)
            let span = spans[partition].flatMap { $0.contains(record.offset) ? $0 : nil }
            let limit = (search?.until[partition]).flatMap { record.offset < $0 ? search?.limit : nil }
            guard span != nil || limit != nil else {
                if closed.contains(partition) { slice.rest.append(index) } else { slice.indices.append(index) }
                continue
            }
            if span?.size == 1 || limit == 1, slice.indices.isEmpty, closed.isEmpty {
                slice.record = (partition, record.offset)
                slice.isSeparate = true
                slice.ranges[partition] = (record.offset, record.offset + 1, 1)
                slice.indices = [index]
                slice.rest = Array(rest.dropFirst())
                return slice
            }
            let count = slice.ranges[partition]?.count ?? 0
            guard !closed.contains(partition), count < span.map(\.size) ?? .max, found < limit ?? .max, span?.size != 1,
                limit != 1
            else {
                closed.insert(partition)
                slice.rest.append(index)
                continue
            }
            found += 1
            slice.isSeparate = true
            slice.indices.append(index)
            let from = slice.ranges[partition]?.from ?? record.offset
            slice.ranges[partition] = (from, record.offset + 1, count + 1)
        }
        return slice
    }

    /// Whether any of the records is suspicious. A partition is looked up once for all its consecutive records.
    private func isSuspicious(_ records: ContiguousArray<RecordView>, _ topics: [String]) -> Bool {
        guard !spans.isEmpty || search != nil else { return false }
        var (topic, number) = (-1, Int32(-1))
        var (span, until): (Span?, Int64) = (nil, 0)
        for record in records {
            if record.topic != topic || record.partition != number {
                (topic, number) = (record.topic, record.partition)
                let partition = TopicPartition(topics[topic], number)
                span = spans[partition]
                until = search?.until[partition] ?? 0
            }
            if record.offset < until || span?.contains(record.offset) ?? false { return true }
        }
        return false
    }

    /// The reason to quarantine a record that has used up its attempts; nil for any other record. The decision is
    /// final.
    mutating func verdict(_ partition: TopicPartition, _ offset: Int64) -> Quarantine? {
        guard var suspect = suspects[partition], suspect.offset == offset else { return nil }
        guard
            suspect.failures != nil || suspect.deaths >= Self.maximumFailures
                || suspect.refusals >= Self.maximumFailures
        else {
            return nil
        }
        let failures = suspect.failures ?? 0
        suspect.failures = failures
        suspects[partition] = suspect
        let isStubborn = failures > 1 || suspect.deaths > Self.maximumFailures + 1
        if suspect.deaths >= Self.maximumFailures {
            return Quarantine("\(suspect.deaths) workers died with this record in hand", isStubborn: isStubborn)
        }
        return Quarantine("\(suspect.refusals) times in a row: \(suspect.text)", isStubborn: isStubborn)
    }

    /// Offset metadata to commit before a slice is processed, where it is not stored yet. It states that this worker is
    /// at work, and which records it processes.
    func marks(before slice: Slice, owned: Set<TopicPartition>) -> [TopicPartition: OffsetMetadata] {
        var newMarks: [TopicPartition: OffsetMetadata] = [:]
        if !isOpened {
            for partition in owned where marks[partition] == nil || marks[partition] == .clean {
                newMarks[partition] = .open
            }
        }
        // Records that are processed in small slices because they were refused need no marks: the process survives a
        // refusal.
        for (partition, range) in slice.ranges where spans[partition]?.contains(range.from) ?? false {
            let mark: OffsetMetadata
            if slice.record != nil, spans[partition]?.size == 1 {
                let suspect = suspects[partition]
                mark = .one(range.from, deaths: suspect.flatMap { $0.offset == range.from ? $0.deaths : nil } ?? 0)
            } else {
                mark = .few(from: range.from, until: range.until)
            }
            if marks[partition] != mark { newMarks[partition] = mark }
        }
        return newMarks
    }

    /// The mark that is committed with an offset while no record of the partition is in process: suspicious records
    /// stay suspicious, and a worker that finds it adds no death.
    func mark(of partition: TopicPartition, at next: Int64) -> OffsetMetadata {
        if let suspect = suspects[partition], next <= suspect.offset {
            return suspect.deaths > 0
                ? .one(suspect.offset, deaths: suspect.deaths - 1)
                : .few(from: suspect.offset, until: suspect.offset + 1)
        }
        guard let span = spans[partition], span.isNarrow, next < span.until else { return .open }
        return .few(from: max(next, span.from), until: span.until)
    }

    // MARK: - What became of it

    /// Notes that the group knows that this run is at work.
    mutating func begin() {
        isOpened = true
        quietSince = nil
    }

    /// Notes that a transaction with these marks was committed.
    mutating func stored(_ stored: [TopicPartition: OffsetMetadata]) {
        marks.merge(stored) { $1 }
        markedPartitions.formUnion(stored.keys)
    }

    /// Notes marks that were read again.
    mutating func found(_ found: [TopicPartition: OffsetMetadata]) { marks.merge(found) { $1 } }

    /// Notes that the transaction of a slice was committed.
    mutating func committed(_ slice: Slice) {
        for (partition, range) in slice.ranges {
            guard let left = spans[partition]?.left, left < .max else { continue }
            spans[partition]?.left = left - range.count
            if left <= range.count { spans[partition] = nil }
        }
    }

    /// Notes that all records of a partition before an offset are processed.
    mutating func processed(_ partition: TopicPartition, to next: Int64) {
        if let span = spans[partition], next >= span.until { spans[partition] = nil }
        if let suspect = suspects[partition], next > suspect.offset { suspects[partition] = nil }
        if let until = search?.until[partition], next >= until { forgetSearch(partition) }
    }

    private mutating func forgetSearch(_ partition: TopicPartition) {
        search?.until[partition] = nil
        if search?.until.isEmpty ?? false { search = nil }
    }

    /// Notes that no record of any partition has been received, and that there is no error of the broker. After the
    /// last record there may be offsets that are not records, so a position at the end may never be observed; silence
    /// can be.
    mutating func quiet(at now: Int64) {
        guard let since = quietSince, now >= since else {
            quietSince = now
            return
        }
        guard now - since >= Self.silence else { return }
        search = nil
        for partition in Array(spans.keys) where suspects[partition] == nil {
            spans[partition] = nil
            // The partition is marked clean when it is released in order.
            markedPartitions.insert(partition)
        }
    }

    /// Notes that a record was received, or could not be received.
    mutating func disturbed() { quietSince = nil }

    /// Notes that one record, processed alone, was refused because of its content.
    ///
    /// `kind` is equal for equal reasons; `text` is for human readers.
    mutating func refused(_ partition: TopicPartition, _ offset: Int64, kind: String, _ text: String) {
        var suspect = suspects[partition] ?? Suspect(offset: offset)
        if suspect.offset != offset { suspect = Suspect(offset: offset) }
        if let failures = suspect.failures {
            // This time, the quarantine of the record was refused, and not its processing.
            suspect.failures = failures + 1
        } else {
            suspect.refusals = suspect.kind == kind ? suspect.refusals + 1 : 1
            suspect.kind = kind
            suspect.text = text
        }
        suspects[partition] = suspect
    }

    /// Notes that a transaction of several records was refused because of the content of one: half as many are tried
    /// next.
    ///
    /// `reached` contains the end of the transaction's records in each partition that it has records of.
    mutating func refused(_ reached: [TopicPartition: Int64], records: Int) {
        guard !reached.isEmpty, records > 0 else { return }
        search = Search(limit: max(1, min(records, search?.limit ?? .max) / 2), until: reached)
    }
}
