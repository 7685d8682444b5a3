internal import HTTPClient
internal import Hashing
public import Storage

/// Objects in a bucket, under a common prefix of their keys.
///
/// An object is written with `If-None-Match: *`, so that the store decides which write was first; an object is
/// overwritten with `If-Match`, so that a request that arrives late, or twice, never reverts a later write. Every body
/// carries its SHA-256, which the store checks. A put whose answer is lost is sent again: if it finds its own object,
/// it has succeeded.
public struct S3Store: ObjectStore {
    let client: S3Client
    /// The bucket and the prefix of the keys.
    let uri: S3URI
    /// Number of times that a write conflicts with another write of the same name before it fails.
    static let writeAttempts = 100
    /// Number of bytes above which a write first checks whether the object exists, so that it is not sent in vain.
    private static let checkedFirstSize = 1 << 20

    /// Creates a store of the objects under a URI.
    public init(_ uri: S3URI, client: S3Client) {
        self.uri = uri
        self.client = client
    }

    /// The common prefix of the URIs of all objects.
    public var location: String { uri.description }

    /// The URI of an object, whether or not the object exists.
    public func uri(of name: String) throws(StorageError) -> ObjectURI { .s3(try location(of: name)) }

    func location(of name: String) throws(StorageError) -> S3URI {
        try ObjectName.check(name)
        guard let object = uri.appending(name) else {
            throw StorageError(
                .invalidName,
                "use the name",
                name,
                reason: "expected a key of 1,024 bytes at most, without control characters"
            )
        }
        return object
    }

    // MARK: - Reading

    /// Reads the bytes of an object, in pieces if it is large.
    public func read(_ name: String, maximumSize: Int) throws(StorageError) -> [UInt8] {
        try client.read(location(of: name), maximumSize: maximumSize)
    }

    /// Reads a part of the bytes of an object, in pieces if it is large.
    public func read(_ name: String, range: Range<Int>) throws(StorageError) -> [UInt8] {
        try client.read(location(of: name), range: range)
    }

    /// The number of bytes of an object; nil if there is none.
    public func size(of name: String) throws(StorageError) -> Int? { try client.find(at: location(of: name))?.size }

    // MARK: - Writing

    /// Stores bytes under a name that identifies them, such as their digest. A repetition changes nothing.
    @discardableResult
    public func put(_ bytes: UnsafeRawBufferPointer, as name: String) throws(StorageError) -> Bool {
        let uri = try location(of: name)
        let digest = SHA256Digest(of: bytes)
        var isIdentical = bytes.count > Self.checkedFirstSize ? try holds(bytes, digest, uri) : nil
        // A third attempt is made only if the object is removed in between.
        for _ in 0..<3 where isIdentical == nil {
            if try client.upload(bytes, digest, to: uri, .ifAbsent) { return true }
            isIdentical = try holds(bytes, digest, uri)
        }
        guard let isIdentical else {
            throw StorageError(
                .unavailable,
                "put",
                uri.description,
                reason: "it appears and disappears; find out what removes it"
            )
        }
        guard isIdentical else {
            throw StorageError(.conflict, "put", uri.description, reason: "other bytes are stored under this name")
        }
        return false
    }

    /// Stores bytes under a name, replacing its previous content.
    public func write(_ bytes: UnsafeRawBufferPointer, to name: String) throws(StorageError) {
        let uri = try location(of: name)
        let digest = SHA256Digest(of: bytes)
        for attempt in 1...Self.writeAttempts {
            let found = try client.find(at: uri)
            if let found, try holds(bytes, digest: digest, at: uri, found: found) { return }
            if try client.upload(bytes, digest, to: uri, found.map { .ifUnchanged($0.tag) } ?? .ifAbsent) { return }
            client.environment.pause(
                S3Client.pause(after: min(attempt, 3), requestedWait: 0, jitter: client.environment.jitter())
            )
        }
        throw StorageError(.unavailable, "write", uri.description, reason: "others keep writing it")
    }

    /// Whether the store honours `If-Match`. Writes the existing bytes on condition of a revision that no object has: a
    /// store that accepts them would let a late request revert later writes.
    public func honoursRevisions(_ name: String, _ bytes: [UInt8]) throws(StorageError) -> Bool {
        let uri = try location(of: name)
        let digest = SHA256Digest(of: bytes)
        let result = bytes.withUnsafeBytes { buffer in
            Result { () throws(StorageError) in
                try client.upload(buffer, digest, to: uri, .ifUnchanged("\"\(String(repeating: "0", count: 32))\""))
            }
        }
        return try !result.get()
    }

    /// Whether an object holds these bytes; nil if there is none.
    private func holds(_ bytes: UnsafeRawBufferPointer, _ digest: SHA256Digest, _ uri: S3URI) throws(StorageError)
        -> Bool?
    {
        guard let found = try client.find(at: uri) else { return nil }
        return try holds(bytes, digest: digest, at: uri, found: found)
    }

    private func holds(
        _ bytes: UnsafeRawBufferPointer,
        digest: SHA256Digest,
        at uri: S3URI,
        found: S3Client.ObjectMetadata
    ) throws(StorageError) -> Bool {
        guard found.size == bytes.count else { return false }
        if let known = found.checksum { return known == base64(digest.bytes) }
        return try client.read(uri, maximumSize: bytes.count).elementsEqual(bytes)
    }

    /// Removes an object. Nothing happens if there is none.
    public func remove(_ name: String) throws(StorageError) {
        let request = S3Client.Request(method: .delete, uri: try location(of: name), operation: "remove")
        do throws(StorageError) {
            _ = try client.send(request)
        } catch {
            guard error.kind == .notFound else { throw error }
        }
    }
}

/// Encodes bytes in base64 by RFC 4648, padded with `=`.
func base64(_ bytes: [UInt8]) -> String {
    let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var text: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: 3) {
        let group = bytes[start..<min(start + 3, bytes.count)]
        let word = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
        for index in 0..<4 {
            text.append(index <= group.count ? digits[word >> (18 - 6 * index) & 63] : UInt8(ascii: "="))
        }
    }
    return String(decoding: text, as: UTF8.self)
}
