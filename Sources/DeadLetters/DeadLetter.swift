public import EngineCore
public import StreamRuntime

/// A refused record as stored in `dead-letters`: the record, its origin, and the reason of the refusal.
public struct DeadLetter: Sendable {
    public let position: DeadLetterPosition
    /// When it was written, by the broker's or the worker's clock: milliseconds since 1970.
    public let writtenAt: Int64
    /// Key of the refused record, as received.
    public let key: [UInt8]?
    /// Value of the refused record, as received unless it was cut.
    public let value: [UInt8]?
    /// Headers of the refused record, as received, without those of the dead letter.
    public let headers: [RecordHeader]
    /// Headers of the dead letter itself.
    public let reason: [RecordHeader]
    /// Where the record was read.
    public let origin: TopicPartition
    /// Its offset there.
    public let originOffset: Int64
    /// The role that refused it.
    public let stage: String
    public let code: String
    public let text: String
    public let worker: String
    /// Bytes of the refused record's value.
    public let valueSize: Int
    public let isValueCut: Bool
    public let areHeadersCut: Bool
    public let isKeyCut: Bool
    /// How often the refused record had been sent again.
    public let attempt: Int
}

/// A dead letter that was sent again, as recorded by a mark in `dead-letters`.
public struct RedriveMark: Hashable, Sendable {
    public let deadLetter: DeadLetterPosition
    public let attempt: Int
    public let topic: String
    public let by: String
    /// Milliseconds since 1970.
    public let at: Int64

    public init(deadLetter: DeadLetterPosition, attempt: Int, topic: String, by: String, at: Int64) {
        self.deadLetter = deadLetter
        self.attempt = attempt
        self.topic = topic
        self.by = by
        self.at = at
    }
}

/// Record on `dead-letters`, decoded.
public enum DeadLetterTopicRecord: Sendable {
    case deadLetter(DeadLetter)
    case redriven(RedriveMark)
    /// A record of another writer.
    case foreign

    /// Reads a record of the topic.
    ///
    /// - Complexity: O(*n*) in its bytes.
    public init(_ record: RecordView, headers: [RecordHeader]) {
        let position = DeadLetterPosition(record.partition, record.offset)
        // A refused record may itself carry headers of these names: those of the dead letter are the last.
        if let start = headers.lastIndex(where: { $0.name == DeadLetterHeader.topic }) {
            guard let deadLetter = DeadLetter(record, at: position, headers: headers, from: start) else {
                self = .foreign
                return
            }
            self = .deadLetter(deadLetter)
        } else if let mark = RedriveMark(headers) {
            self = .redriven(mark)
        } else {
            self = .foreign
        }
    }
}

extension DeadLetter {
    /// Decodes a dead letter; nil unless the headers from `start` on contain the record's origin and the refusal's
    /// reason.
    fileprivate init?(
        _ record: RecordView,
        at position: DeadLetterPosition,
        headers all: [RecordHeader],
        from start: Int
    ) {
        var end = start
        // Each of the headers about cuts occurs at most once before the others; another one before them belongs to the
        // record itself.
        var cuts = DeadLetterHeader.cuts
        while end > 0, cuts.remove(all[end - 1].name) != nil { end -= 1 }
        let deadLetterHeaders = all[end...]
        func find(_ name: String) -> String? { deadLetterHeaders.last { $0.name == name }?.valueText }
        guard let topic = find(DeadLetterHeader.topic),
            let partition = find(DeadLetterHeader.partition).flatMap({ Int32($0) }),
            let offset = find(DeadLetterHeader.offset).flatMap({ Int64($0) }),
            let code = find(DeadLetterHeader.code)
        else { return nil }
        self.position = position
        writtenAt = record.timestamp
        key = record.key.baseAddress == nil ? nil : Array(record.key)
        value = record.value.baseAddress == nil ? nil : Array(record.value)
        headers = all[..<end].map { RecordHeader(DeadLetterHeader.originalName($0.name), $0.value) }
        reason = Array(deadLetterHeaders)
        origin = TopicPartition(topic, partition)
        originOffset = offset
        stage = find(DeadLetterHeader.stage) ?? ""
        self.code = code
        self.text = find(DeadLetterHeader.text) ?? ""
        worker = find(DeadLetterHeader.worker) ?? ""
        isValueCut = find(DeadLetterHeader.valueCut) != nil
        areHeadersCut = find(DeadLetterHeader.headersCut) != nil
        isKeyCut = find(DeadLetterHeader.keyCut) != nil
        valueSize = find(DeadLetterHeader.valueSize).flatMap { Int($0) } ?? record.value.count
        // A redrive puts its own attempt header first; one further back is the producer's.
        let first = headers.first.flatMap { $0.name == DeadLetterHeader.attempt ? $0 : nil }
        attempt = DeadLetterHeader.attempts(first?.valueText) ?? 0
    }
}

extension RedriveMark {
    /// Decodes a mark; nil unless the headers are those of a mark.
    fileprivate init?(_ headers: [RecordHeader]) {
        func find(_ name: String) -> String? { headers.last { $0.name == name }?.valueText }
        guard let deadLetter = find(DeadLetterHeader.redrivenDeadLetter).flatMap({ DeadLetterPosition($0) }),
            let attempt = DeadLetterHeader.attempts(find(DeadLetterHeader.redrivenAttempt))
        else { return nil }
        self.deadLetter = deadLetter
        self.attempt = attempt
        topic = find(DeadLetterHeader.redrivenTopic) ?? ""
        by = find(DeadLetterHeader.redrivenBy) ?? ""
        at = find(DeadLetterHeader.at).flatMap { Int64($0) } ?? 0
    }
}

extension RecordHeader {
    /// The value as text; nil for null.
    fileprivate var valueText: String? { value.map { String(decoding: $0, as: UTF8.self) } }
}
