internal import HTTPClient
internal import Hashing
public import Storage

/// Objects in a bucket, under a common beginning of their keys.
///
/// An object is written with `If-None-Match: *`, so that the store settles who was first; what is written anew, with
/// `If-Match`, so that a request which comes late, or twice, never takes back what was written after it. Every body carries
/// its SHA-256, which the store checks. A put whose answer is lost is sent again: meeting itself it has succeeded.
public struct S3Store: ObjectStore {
    let client: S3Client
    /// The bucket, and what the keys begin with.
    let place: S3URI
    /// How often a write meets another one of the same name before it gives up.
    static let races = 100
    /// Bytes above which it is looked first whether an object is there: sending it would be in vain.
    private static let lookedFor = 1 << 20

    /// The objects under a place.
    public init(_ place: S3URI, client: S3Client) {
        self.place = place
        self.client = client
    }

    /// The URI that all objects' URIs begin with.
    public var location: String { place.description }

    /// The URI of an object, there or not.
    public func uri(of name: String) throws(StorageError) -> ObjectURI { .s3(try self.place(of: name)) }

    func place(of name: String) throws(StorageError) -> S3URI {
        try ObjectName.check(name)
        guard let object = place.appending(name) else {
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

    /// The bytes of an object, large ones in pieces.
    public func read(_ name: String, maximumSize: Int) throws(StorageError) -> [UInt8] {
        try client.read(place(of: name), maximumSize: maximumSize)
    }

    /// Part of the bytes of an object, in pieces where it is large.
    public func read(_ name: String, range: Range<Int>) throws(StorageError) -> [UInt8] {
        try client.read(place(of: name), range: range)
    }

    /// The number of bytes of an object; nil if there is none.
    public func size(of name: String) throws(StorageError) -> Int? { try client.look(at: place(of: name))?.size }

    // MARK: - Writing

    /// Stores bytes under a name that stands for them, such as their digest. Doing it again changes nothing.
    @discardableResult
    public func put(_ bytes: UnsafeRawBufferPointer, as name: String) throws(StorageError) -> Bool {
        let place = try place(of: name)
        let digest = SHA256Digest(of: bytes)
        var isKnown = bytes.count > Self.lookedFor ? try holds(bytes, digest, place) : nil
        // A third time only if somebody removes it in between.
        for _ in 0..<3 where isKnown == nil {
            if try client.upload(bytes, digest, to: place, .ifAbsent) { return true }
            isKnown = try holds(bytes, digest, place)
        }
        guard let isKnown else {
            throw StorageError(
                .unavailable,
                "put",
                place.description,
                reason: "it is there and not there; who removes it?"
            )
        }
        guard isKnown else {
            throw StorageError(.conflict, "put", place.description, reason: "other bytes are stored under this name")
        }
        return false
    }

    /// Stores bytes under a name, in place of what it held.
    public func write(_ bytes: UnsafeRawBufferPointer, to name: String) throws(StorageError) {
        let place = try place(of: name)
        let digest = SHA256Digest(of: bytes)
        for attempt in 1...Self.races {
            let found = try client.look(at: place)
            if let found, try holds(bytes, digest: digest, at: place, found: found) { return }
            if try client.upload(bytes, digest, to: place, found.map { .ifUnchanged($0.tag) } ?? .ifAbsent) { return }
            client.environment.pause(
                S3Client.pause(after: min(attempt, 3), patience: 0, jitter: client.environment.jitter())
            )
        }
        throw StorageError(.unavailable, "write", place.description, reason: "others keep writing it")
    }

    /// Writes the bytes that are there under `If-Match` of a revision that no object has: a store that takes them would take
    /// back what was written after a request that comes late.
    public func honoursRevisions(_ name: String, _ bytes: [UInt8]) throws(StorageError) -> Bool {
        let place = try place(of: name)
        let digest = SHA256Digest(of: bytes)
        let result = bytes.withUnsafeBytes { buffer in
            Result { () throws(StorageError) in
                try client.upload(buffer, digest, to: place, .ifUnchanged("\"\(String(repeating: "0", count: 32))\""))
            }
        }
        return try !result.get()
    }

    /// Whether an object holds these bytes; nil if there is none.
    private func holds(_ bytes: UnsafeRawBufferPointer, _ digest: SHA256Digest, _ place: S3URI) throws(StorageError)
        -> Bool?
    {
        guard let found = try client.look(at: place) else { return nil }
        return try holds(bytes, digest: digest, at: place, found: found)
    }

    private func holds(
        _ bytes: UnsafeRawBufferPointer,
        digest: SHA256Digest,
        at place: S3URI,
        found: S3Client.Finding
    ) throws(StorageError) -> Bool {
        guard found.size == bytes.count else { return false }
        if let known = found.checksum { return known == base64(digest.bytes) }
        return try client.read(place, maximumSize: bytes.count).elementsEqual(bytes)
    }

    /// Removes an object. Nothing happens if there is none.
    public func remove(_ name: String) throws(StorageError) {
        let request = S3Client.Request(method: .delete, place: try place(of: name), operation: "remove")
        do throws(StorageError) {
            _ = try client.send(request)
        } catch {
            guard error.kind == .notFound else { throw error }
        }
    }
}

/// Bytes as RFC 4648 writes them, with `=` at the end.
func base64(_ bytes: [UInt8]) -> String {
    let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var text: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: 3) {
        let group = bytes[start..<min(start + 3, bytes.count)]
        let word = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
        for place in 0..<4 {
            text.append(place <= group.count ? digits[word >> (18 - 6 * place) & 63] : UInt8(ascii: "="))
        }
    }
    return String(decoding: text, as: UTF8.self)
}
