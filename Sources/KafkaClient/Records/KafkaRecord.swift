/// One record of a consumer or a reader; its pointers are valid until the consumer or reader is polled again.
///
/// A null key or value is a buffer whose base address is nil.
public struct KafkaRecord {
    /// Index into the topics with which the consumer or reader was created.
    public let topic: Int
    /// The partition's number.
    public let partition: Int32
    /// The record's offset.
    public let offset: Int64
    /// Milliseconds since 1970; -1 when the broker gave none.
    public let timestamp: Int64
    /// The key's bytes.
    public let key: UnsafeRawBufferPointer
    /// The value's bytes.
    public let value: UnsafeRawBufferPointer
}

/// A record header; the value may be null.
public struct KafkaHeader: Hashable, Sendable {
    /// The header's name; names may repeat within a record.
    public let name: String
    /// The header's bytes, or nil.
    public let value: [UInt8]?

    /// A header of a record to write or one that was read.
    public init(_ name: String, _ value: [UInt8]?) {
        self.name = name
        self.value = value
    }
}

/// A record to write. Without a partition the key's hash chooses one (`partitioner`, Java's murmur2 by default).
public struct KafkaOutputRecord: Hashable, Sendable {
    /// The topic's name; it must exist.
    public var topic: String
    /// The partition's number, or nil.
    public var partition: Int32?
    /// The key, or null.
    public var key: [UInt8]?
    /// The value; nil is a tombstone.
    public var value: [UInt8]?
    /// The headers, in the order in which they are transmitted.
    public var headers: [KafkaHeader]
    /// Milliseconds since 1970; nil for now. Topics that store the append time of a record accept no other.
    public var timestamp: Int64?

    /// A record of the given parts.
    public init(
        topic: String,
        partition: Int32? = nil,
        key: [UInt8]? = nil,
        value: [UInt8]?,
        headers: [KafkaHeader] = [],
        timestamp: Int64? = nil
    ) {
        self.timestamp = timestamp
        self.topic = topic
        self.partition = partition
        self.key = key
        self.value = value
        self.headers = headers
    }
}
