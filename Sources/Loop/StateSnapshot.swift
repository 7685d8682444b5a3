internal import Events
internal import Hashing
internal import JSON
public import Storage
internal import StreamRuntime

/// The tables of one partition at an offset of `state`, on this worker's disk: an ordinary restart reads only the later
/// records. The snapshot is never needed and never trusted: whatever is wrong with it, the changelog is authoritative.
public struct StateSnapshot: Sendable {
    /// Header of a snapshot, ahead of its rows.
    struct Header: Hashable, Sendable, JSONCodable {
        static let formVersion = 1

        let topic: String
        let partition: Int32
        /// All records committed before this offset of `state` are in the rows; some later ones may be, too.
        let stateOffset: Int64
        let position: PartitionPosition
        /// Milliseconds since 1970.
        let writtenAt: Int64

        init(topic: String, partition: Int32, stateOffset: Int64, position: PartitionPosition, writtenAt: Int64) {
            self.topic = topic
            self.partition = partition
            self.stateOffset = stateOffset
            self.position = position
            self.writtenAt = writtenAt
        }

        init(json: JSONValue) throws(JSONError) {
            let object = try json.object()
            guard try object.int("v") == Self.formVersion else { throw object.failure("v", "it has another form") }
            topic = try object.string("topic")
            partition = Int32(try object.int("partition", in: 0...Int(Int32.max)))
            stateOffset = try object.int64("state_offset")
            position = try PartitionPosition(json: object.required("position"))
            writtenAt = try object.int64("written_at_ms")
        }

        func write(to writer: inout JSONWriter) {
            writer.object { writer in
                writer.member("v", Self.formVersion)
                writer.member("topic", topic)
                writer.member("partition", Int(partition))
                writer.member("state_offset", stateOffset)
                writer.key("position")
                position.write(to: &writer)
                writer.member("written_at_ms", writtenAt)
            }
        }
    }

    static let magic = Array("flywheel state 1\n".utf8)
    /// Largest number of bytes of a header, a key or a value.
    private static let partLimit = 16 << 20

    let header: Header
    let projects: [String: LoopProject]

    /// Partition of the snapshot.
    public var partition: Int32 { header.partition }

    static func name(topic: String, partition: Int32) -> String { "\(topic)-\(partition).snapshot" }

    // MARK: - Writing

    /// Replaces the previous snapshot with this one, completely and durably on disk.
    ///
    /// - Returns: Size of the snapshot in bytes.
    /// - Complexity: O(rows).
    @discardableResult
    public func write(to store: FolderStore) throws(StorageError) -> Int {
        let name = Self.name(topic: header.topic, partition: header.partition)
        var writer = try store.makeWriter(nextTo: name)
        var hasher = SHA256Hasher()
        var buffer = Self.magic
        buffer.reserveCapacity(1 << 20)
        Self.append(header.jsonBytes, to: &buffer)
        for project in projects.keys.sorted() {
            guard let state = projects[project] else { continue }
            try StateStore.forEachRow(of: state, name: project) { (key, value) throws(StorageError) in
                Self.append(key, to: &buffer)
                Self.append(value, to: &buffer)
                guard buffer.count >= 1 << 20 else { return }
                hasher.update(buffer)
                try writer.append(buffer)
                buffer.removeAll(keepingCapacity: true)
            }
        }
        hasher.update(buffer)
        try writer.append(buffer)
        try writer.append(hasher.finish().bytes)
        let count = writer.count
        try writer.commit(as: name)
        return count
    }

    private static func append(_ part: [UInt8], to buffer: inout [UInt8]) {
        withUnsafeBytes(of: UInt32(clamping: part.count).littleEndian) { buffer.append(contentsOf: $0) }
        buffer.append(contentsOf: part)
    }

    // MARK: - Reading

    /// Reason why a snapshot is not used.
    struct Unusable: Error, Hashable, CustomStringConvertible {
        let reason: String
        init(_ reason: String) { self.reason = reason }
        var description: String { reason }
    }

    /// Reads a partition's snapshot and returns its header; nil if there is none. `row` is called with every row, once
    /// the checksum of the whole file is verified and `check` has accepted the header; the errors of both are thrown.
    static func read(
        _ store: FolderStore,
        topic: String,
        partition: Int32,
        check: (Header) throws -> Void,
        row: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) throws -> Void
    ) throws -> Header? {
        let name = name(topic: topic, partition: partition)
        guard try store.exists(name) else { return nil }
        let bytes = try store.read(name, maximumSize: .max)
        return try bytes.withUnsafeBytes { buffer in
            guard buffer.count >= magic.count + 32, buffer.prefix(magic.count).elementsEqual(magic) else {
                throw Unusable("it is no snapshot of this form")
            }
            let body = UnsafeRawBufferPointer(rebasing: buffer.dropLast(32))
            var hasher = SHA256Hasher()
            hasher.update(body)
            guard buffer.suffix(32).elementsEqual(hasher.finish().bytes) else {
                throw Unusable("its checksum is wrong")
            }
            var rest = UnsafeRawBufferPointer(rebasing: body.dropFirst(magic.count))
            let header = try JSONParser().withDocument(of: Array(nextPart(&rest))) { try Header(json: $0) }
            try check(header)
            while !rest.isEmpty { try row(nextPart(&rest), nextPart(&rest)) }
            return header
        }
    }

    private static func nextPart(_ rest: inout UnsafeRawBufferPointer) throws -> UnsafeRawBufferPointer {
        guard rest.count >= 4 else { throw Unusable("it ends in the middle") }
        let count = Int(UInt32(littleEndian: rest.loadUnaligned(as: UInt32.self)))
        guard count <= partLimit, rest.count - 4 >= count else { throw Unusable("it ends in the middle") }
        defer { rest = UnsafeRawBufferPointer(rebasing: rest[(4 + count)...]) }
        return UnsafeRawBufferPointer(rebasing: rest[4..<4 + count])
    }
}
