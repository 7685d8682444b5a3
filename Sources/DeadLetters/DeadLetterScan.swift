public import EngineCore
public import Events
public import StreamRuntime

/// Reads `dead-letters` from one end to the other.
public struct DeadLetterScan {
    private let scan: TopicScan
    /// Where partitions end for whoever only looks; nil where all that is there at a call must be seen.
    private let ends: [Int32: SettledEnd]?

    /// Reads over `transport`.
    ///
    /// - Parameters:
    ///   - transport: To the cluster.
    ///   - topics: Their names.
    ///   - onlyLooks: Whether to end where a transaction is open, as of now. Otherwise that is an error: who sends dead letters again
    ///     must see every mark.
    /// - Throws: `StreamError` when the topic cannot be asked for its ends.
    public init(transport: any StreamTransport, topics: TopicNames, onlyLooks: Bool = false) throws(StreamError) {
        scan = try TopicScan(transport: transport, topic: topics[.deadLetters])
        ends = onlyLooks ? try scan.settledEnds(scan.partitions()) : nil
    }

    /// Whether dead letters or marks may stand behind an open transaction that were not read.
    public var isHeldBack: Bool { ends?.values.contains { $0.isHeldBack } ?? false }

    public func close() { scan.close() }

    /// Which dead letters were sent again, how often, and where each partition ends now.
    ///
    /// A mark stands behind its dead letter in the same partition, so it does not expire before it.
    public func marks() throws -> (marks: [DeadLetterPosition: [RedriveMark]], ends: [Int32: Int64]) {
        var marks: [DeadLetterPosition: [RedriveMark]] = [:]
        var ends: [Int32: Int64] = [:]
        for partition in try scan.partitions() {
            ends[partition] = 0
            try scan.forEach(partition, until: self.ends?[partition]?.offset) { record, batch, index in
                ends[partition] = record.offset + 1
                guard case .redriven(let mark) = LetterRecord(record, headers: batch.headers(at: index)) else { return }
                marks[mark.letter, default: []].append(mark)
            }
        }
        return (marks, ends)
    }

    /// Hands every dead letter that is there at the call and stands before its partition's end to `body`.
    public func forEachLetter(before ends: [Int32: Int64]? = nil, _ body: (DeadLetter) throws -> Void) throws {
        for partition in try scan.partitions() {
            let end = ends.map { $0[partition] ?? 0 } ?? .max
            guard end > 0 else { continue }
            try scan.forEach(partition, until: self.ends?[partition]?.offset) { record, batch, index in
                guard record.offset < end,
                    case .letter(let letter) = LetterRecord(record, headers: batch.headers(at: index))
                else { return }
                try body(letter)
            }
        }
    }

    /// The dead letter at a place; nil if none is there.
    public func letter(at place: DeadLetterPosition) throws -> DeadLetter? {
        guard try scan.partitions().contains(place.partition) else { return nil }
        var found: DeadLetter?
        struct Found: Error {}
        do {
            let end = ends?[place.partition]?.offset
            try scan.forEach(place.partition, from: place.offset, until: end) { record, batch, index in
                if record.offset == place.offset,
                    case .letter(let letter) = LetterRecord(record, headers: batch.headers(at: index))
                {
                    found = letter
                }
                throw Found()
            }
        } catch is Found {}
        return found
    }
}
