/// A partition of a topic.
public struct TopicPartition: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let topic: String
    public let partition: Int32

    public init(_ topic: String, _ partition: Int32) {
        self.topic = topic
        self.partition = partition
    }

    public static func < (a: Self, b: Self) -> Bool { (a.topic, a.partition) < (b.topic, b.partition) }
    public var description: String { "\(topic)[\(partition)]" }
}

/// A record header; the value may be null.
public struct RecordHeader: Hashable, Sendable {
    public let name: String
    public let value: [UInt8]?

    public init(_ name: String, _ value: [UInt8]?) {
        self.name = name
        self.value = value
    }

    public init(_ name: String, _ text: String) { self.init(name, Array(text.utf8)) }
}

/// One record, lent by a transport: its pointers are valid until the batch that contains it is filled again.
///
/// A null key or value is a buffer whose base address is nil.
public struct RecordView {
    /// Index into the topics that the consumer or reader was made with.
    public let topic: Int
    public let partition: Int32
    public let offset: Int64
    /// Milliseconds since 1970; -1 if the broker set no timestamp.
    public let timestamp: Int64
    public let key: UnsafeRawBufferPointer
    public let value: UnsafeRawBufferPointer

    public init(
        topic: Int,
        partition: Int32,
        offset: Int64,
        timestamp: Int64,
        key: UnsafeRawBufferPointer,
        value: UnsafeRawBufferPointer
    ) {
        self.topic = topic
        self.partition = partition
        self.offset = offset
        self.timestamp = timestamp
        self.key = key
        self.value = value
    }
}

/// A table of records lent by a transport, used again for every poll.
public final class RecordBatch {
    /// The records, each partition's in offset order.
    public var records: ContiguousArray<RecordView> = []
    /// Set by the transport; reads the headers of the record at an index. Costly: call it for few records only.
    public var headerReader: (Int) -> [RecordHeader] = { _ in [] }

    public init() {}

    /// The headers of the record at `index`, in the order of the wire, duplicates included.
    public func headers(at index: Int) -> [RecordHeader] { headerReader(index) }

    /// A batch of some of the records, with the same lifetime.
    func part(_ indices: [Int]) -> RecordBatch {
        guard indices.count < records.count else { return self }
        let part = RecordBatch()
        part.records = ContiguousArray(indices.map { records[$0] })
        part.headerReader = { [headerReader] in headerReader(indices[$0]) }
        return part
    }
}

/// A record to write. A nil partition lets the client's partitioner choose by key.
public struct OutputRecord: Hashable, Sendable {
    public var topic: String
    /// Nil to choose by key.
    public var partition: Int32?
    public var key: [UInt8]?
    public var value: [UInt8]?
    public var headers: [RecordHeader]

    public init(
        topic: String,
        partition: Int32? = nil,
        key: [UInt8]? = nil,
        value: [UInt8]?,
        headers: [RecordHeader] = []
    ) {
        self.topic = topic
        self.partition = partition
        self.key = key
        self.value = value
        self.headers = headers
    }

    /// An upper estimate of the bytes of the record in a request.
    public var size: Int {
        headers.reduce((key?.count ?? 0) + (value?.count ?? 0) + 70) {
            $0 + $1.name.utf8.count + ($1.value?.count ?? 0) + 10
        }
    }
}
