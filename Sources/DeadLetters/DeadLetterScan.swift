public import EngineCore
public import Events
public import StreamRuntime

/// Reads `dead-letters` from its beginning to its end.
public struct DeadLetterScan {
    private let scan: TopicScan
    /// Ends of partitions for a caller that only reads; nil if all records present at a call must be read.
    private let ends: [Int32: SettledEnd]?

    /// Creates a scan over `transport`.
    ///
    /// - Parameters:
    ///   - transport: Transport to the cluster.
    ///   - topics: Names of the topics.
    ///   - readsSettled: Whether to end at an open transaction, as of now. Otherwise an open transaction is an error: a
    ///     caller that sends dead letters again must read every mark.
    /// - Throws: `StreamError` when the ends of the topic cannot be read.
    public init(transport: any StreamTransport, topics: TopicNames, readsSettled: Bool = false) throws(StreamError) {
        scan = try TopicScan(transport: transport, topic: topics[.deadLetters])
        ends = readsSettled ? try scan.settledEnds(scan.partitions()) : nil
    }

    /// Whether there may be dead letters or marks after an open transaction that were not read.
    public var isHeldBack: Bool { ends?.values.contains { $0.isHeldBack } ?? false }

    public func close() { scan.close() }

    /// Returns the marks of all dead letters that were sent again, and the current end of each partition.
    ///
    /// A mark is after its dead letter in the same partition, so it does not expire before it.
    public func marks() throws -> (marks: [DeadLetterPosition: [RedriveMark]], ends: [Int32: Int64]) {
        var marks: [DeadLetterPosition: [RedriveMark]] = [:]
        var ends: [Int32: Int64] = [:]
        for partition in try scan.partitions() {
            ends[partition] = 0
            try scan.forEach(partition, until: self.ends?[partition]?.offset) { record, batch, index in
                ends[partition] = record.offset + 1
                guard case .redriven(let mark) = DeadLetterTopicRecord(record, headers: batch.headers(at: index)) else {
                    return
                }
                marks[mark.deadLetter, default: []].append(mark)
            }
        }
        return (marks, ends)
    }

    /// Calls `body` with every dead letter that is present at the call and is before its partition's end.
    public func forEachDeadLetter(before ends: [Int32: Int64]? = nil, _ body: (DeadLetter) throws -> Void) throws {
        for partition in try scan.partitions() {
            let end = ends.map { $0[partition] ?? 0 } ?? .max
            guard end > 0 else { continue }
            try scan.forEach(partition, until: self.ends?[partition]?.offset) { record, batch, index in
                guard record.offset < end,
                    case .deadLetter(let deadLetter) = DeadLetterTopicRecord(record, headers: batch.headers(at: index))
                else { return }
                try body(deadLetter)
            }
        }
    }

    /// The dead letter at a position; nil if there is none.
    public func deadLetter(at position: DeadLetterPosition) throws -> DeadLetter? {
        guard try scan.partitions().contains(position.partition) else { return nil }
        var found: DeadLetter?
        struct Found: Error {}
        do {
            let end = ends?[position.partition]?.offset
            try scan.forEach(position.partition, from: position.offset, until: end) { record, batch, index in
                if record.offset == position.offset,
                    case .deadLetter(let deadLetter) = DeadLetterTopicRecord(record, headers: batch.headers(at: index))
                {
                    found = deadLetter
                }
                throw Found()
            }
        } catch is Found {}
        return found
    }
}
