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
                "expected a key of 1,024 bytes at most, without control characters"
            )
        }
        return object
    }

    // MARK: - Reading

    /// The bytes of an object, large ones in pieces.
    public func read(_ name: String, maximumSize: Int) throws(StorageError) -> [UInt8] {
        try client.read(place(of: name), maximumSize: maximumSize)
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
            throw StorageError(.unavailable, "put", place.description, "it is there and not there; who removes it?")
        }
        guard isKnown else {
            throw StorageError(.conflict, "put", place.description, "other bytes are stored under this name")
        }
        return false
    }

    /// Stores bytes under a name, in place of what it held.
    public func write(_ bytes: UnsafeRawBufferPointer, to name: String) throws(StorageError) {
        let place = try place(of: name)
        let digest = SHA256Digest(of: bytes)
        for attempt in 1...Self.races {
            let found = try client.look(at: place)
            if let found, try holds(bytes, digest, place, found) { return }
            if try client.upload(bytes, digest, to: place, found.map { .ifUnchanged($0.tag) } ?? .ifAbsent) { return }
            client.environment.pause(
                S3Client.pause(after: min(attempt, 3), patience: 0, jitter: client.environment.jitter())
            )
        }
        throw StorageError(.unavailable, "write", place.description, "others keep writing it")
    }

    /// Whether an object holds these bytes; nil if there is none.
    private func holds(_ bytes: UnsafeRawBufferPointer, _ digest: SHA256Digest, _ place: S3URI) throws(StorageError)
        -> Bool?
    {
        guard let found = try client.look(at: place) else { return nil }
        return try holds(bytes, digest, place, found)
    }

    private func holds(
        _ bytes: UnsafeRawBufferPointer,
        _ digest: SHA256Digest,
        _ place: S3URI,
        _ found: S3Client.Finding
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

extension S3Client {
    /// What a store says of an object.
    struct Finding: Hashable {
        let size: Int
        /// Its revision: what `If-Match` wants.
        let tag: String
        /// The SHA-256 of its bytes, in base64; nil where the store does not say.
        let checksum: String?
    }

    /// The header that asks for checksums.
    static let withChecksum = (name: "x-amz-checksum-mode", value: "ENABLED")

    /// What the store says of an object; nil if there is none.
    ///
    /// - Throws: `StorageError` where the bucket is missing among others.
    func look(at place: S3URI) throws(StorageError) -> Finding? {
        var request = Request(method: .head, place: place, headers: [Self.withChecksum], operation: "look at")
        let answer = try send(request, expecting: [301, 307, 400, 401, 403, 404])
        guard (200..<300).contains(answer.status) else {
            // Without a body: it does not say whether the object is missing, or the bucket, nor why anything is refused.
            request.method = .get
            request.headers = [("range", "bytes=0-0")]
            do throws(StorageError) {
                _ = try send(request, expecting: [416])
            } catch {
                guard error.kind == .notFound else { throw error }
            }
            return nil
        }
        guard let size = answer.header("content-length").flatMap({ Int($0) }), size >= 0,
            let tag = answer.header("etag"), !tag.isEmpty
        else {
            throw StorageError(
                .forbidden,
                "look at",
                place.description,
                "the store gives neither Content-Length nor ETag; use another one"
            )
        }
        return Finding(size: size, tag: tag, checksum: answer.wholeChecksum)
    }

    /// The bytes of an object, in pieces of one revision.
    ///
    /// - Throws: `StorageError`, of kind `notFound` or `tooLarge` among others.
    public func read(_ place: S3URI, maximumSize: Int) throws(StorageError) -> [UInt8] {
        for _ in 0..<3 { if let bytes = try readOnce(place, maximumSize: maximumSize) { return bytes } }
        throw StorageError(.unavailable, "read", place.description, "it arrives damaged or changes while it is read")
    }

    /// Nil where it has changed meanwhile, or does not have the digest that the store says.
    private func readOnce(_ place: S3URI, maximumSize: Int) throws(StorageError) -> [UInt8]? {
        var bytes: [UInt8] = []
        var tag: String?
        var total = 0
        repeat {
            var request = Request(method: .get, place: place, headers: [Self.withChecksum], operation: "read")
            let piece = environment.partSize
            request.headers.append(("range", "bytes=\(bytes.count)-\(bytes.count + piece - 1)"))
            if let tag { request.headers.append(("if-match", tag)) }
            // A store that knows no ranges sends all of it.
            request.maximumSize = max(piece, min(maximumSize, 1 << 31))
            let answer = try send(request, expecting: [412, 416])
            switch answer.status {
            case 412: return nil
            case 416 where bytes.isEmpty:
                // No bytes are no range.
                request.headers.removeAll { $0.name == "range" }
                let whole = try send(request)
                return whole.body.count <= maximumSize ? whole.body : nil
            case 206:
                guard let size = answer.header("content-range").flatMap(Self.total),
                    size >= bytes.count + answer.body.count
                else { return nil }
                total = size
            default:
                if !bytes.isEmpty { return nil }
                total = answer.body.count
            }
            guard total <= maximumSize else {
                let reason = "expected at most \(maximumSize) bytes, found \(total)"
                throw StorageError(.tooLarge, "read", place.description, reason)
            }
            tag = tag ?? answer.header("etag")
            guard !answer.body.isEmpty || total == 0 else { return nil }
            if bytes.isEmpty, answer.body.count == total, let known = answer.wholeChecksum,
                known != base64(SHA256Digest(of: answer.body).bytes)
            {
                return nil
            }
            if bytes.isEmpty { bytes = answer.body } else { bytes += answer.body }
        } while bytes.count < total
        return bytes
    }

    /// The size in `bytes 0-9/1234`.
    private static func total(_ range: String) -> Int? {
        range.split(separator: "/").last.flatMap { Int($0) }.flatMap { $0 >= 0 ? $0 : nil }
    }
}

extension HTTPAnswer {
    /// The SHA-256 of a whole object in base64: one of the parts' digests says nothing of the bytes.
    fileprivate var wholeChecksum: String? {
        guard let text = header("x-amz-checksum-sha256"), text.utf8.count == 44, !text.contains("-"),
            header("x-amz-checksum-type")?.uppercased() != "COMPOSITE"
        else { return nil }
        return text
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
