internal import HTTPClient
internal import Hashing
public import Storage

extension S3Client {
    /// Metadata of an object, as reported by the store.
    struct ObjectMetadata: Hashable {
        let size: Int
        /// Revision of the object, for `If-Match`.
        let tag: String
        /// SHA-256 of the object's bytes, in base64; nil if the store does not report it.
        let checksum: String?
    }

    /// The header that requests checksums.
    static let withChecksum = (name: "x-amz-checksum-mode", value: "ENABLED")

    /// Requests the metadata of an object; nil if there is no such object.
    ///
    /// - Throws: `StorageError`, also if the bucket is missing.
    func find(at uri: S3URI) throws(StorageError) -> ObjectMetadata? {
        var request = Request(method: .head, uri: uri, headers: [Self.withChecksum], operation: "query")
        let answer = try send(request, expecting: [301, 307, 400, 401, 403, 404])
        guard (200..<300).contains(answer.status) else {
            // The answer has no body: it does not state whether the object or the bucket is missing, nor why a request
            // is refused.
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
                "query",
                uri.description,
                reason: "the store gives neither Content-Length nor ETag; use another one"
            )
        }
        return ObjectMetadata(size: size, tag: tag, checksum: answer.wholeChecksum)
    }

    /// Reads the bytes of an object, in pieces of one revision.
    ///
    /// - Throws: `StorageError`, of kind `notFound` or `tooLarge` among others.
    public func read(_ uri: S3URI, maximumSize: Int) throws(StorageError) -> [UInt8] {
        for _ in 0..<3 { if let bytes = try readOnce(uri, maximumSize: maximumSize) { return bytes } }
        throw StorageError(
            .unavailable,
            "read",
            uri.description,
            reason: "it arrives damaged or changes while it is read"
        )
    }

    /// Reads the object once; nil if it has changed meanwhile, or does not have the digest that the store reports.
    private func readOnce(_ uri: S3URI, maximumSize: Int) throws(StorageError) -> [UInt8]? {
        var bytes: [UInt8] = []
        var tag: String?
        var total = 0
        repeat {
            var request = Request(method: .get, uri: uri, headers: [Self.withChecksum], operation: "read")
            let piece = environment.partSize
            request.headers.append(("range", "bytes=\(bytes.count)-\(bytes.count + piece - 1)"))
            if let tag { request.headers.append(("if-match", tag)) }
            // A store that knows no ranges sends all of it.
            request.maximumSize = max(piece, min(maximumSize, 1 << 31))
            let answer = try send(request, expecting: [412, 416])
            switch answer.status {
            case 412: return nil
            case 416 where bytes.isEmpty:
                // An empty object has no ranges.
                request.headers.removeAll { $0.name == "range" }
                let whole = try send(request)
                return whole.body.count <= maximumSize ? whole.body : nil
            case _ where answer.header("etag")?.isEmpty != false: throw notAStore(uri, "read")
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
                throw StorageError(.tooLarge, "read", uri.description, reason: reason)
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

    /// Returns part of the bytes of an object, in pieces of one revision.
    ///
    /// - Returns: Fewer bytes than requested, or none, if the object ends before.
    /// - Throws: `StorageError`, of kind `notFound` among others.
    func read(_ uri: S3URI, range: Range<Int>) throws(StorageError) -> [UInt8] {
        guard range.lowerBound >= 0, !range.isEmpty else { return [] }
        for _ in 0..<3 { if let bytes = try readOnce(uri, range: range) { return bytes } }
        throw StorageError(
            .unavailable,
            "read",
            uri.description,
            reason: "it arrives damaged or changes while it is read"
        )
    }

    /// Reads the part once; nil if the object has changed meanwhile, or the answer does not match the request.
    private func readOnce(_ uri: S3URI, range: Range<Int>) throws(StorageError) -> [UInt8]? {
        var bytes: [UInt8] = []
        var tag: String?
        var end = range.upperBound
        repeat {
            let start = range.lowerBound + bytes.count
            let last = min(end, start + environment.partSize) - 1
            var request = Request(method: .get, uri: uri, operation: "read")
            request.headers.append(("range", "bytes=\(start)-\(last)"))
            if let tag { request.headers.append(("if-match", tag)) }
            // A store that knows no ranges sends all of it.
            request.maximumSize = 1 << 30
            let answer = try send(request, expecting: [412, 416])
            if answer.status == 412 { return nil }
            // The object ends before the range.
            if answer.status == 416 { return bytes.isEmpty ? [] : nil }
            guard answer.header("etag")?.isEmpty == false else { throw notAStore(uri, "read") }
            guard answer.status == 206 else {
                let whole = answer.body
                guard bytes.isEmpty, range.lowerBound < whole.count else { return bytes.isEmpty ? [] : nil }
                return Array(whole[range.lowerBound..<min(range.upperBound, whole.count)])
            }
            guard let found = answer.header("content-range"), let total = Self.total(found),
                found.hasPrefix("bytes \(start)-"), !answer.body.isEmpty, answer.body.count <= last - start + 1,
                total >= start + answer.body.count
            else { return nil }
            end = min(range.upperBound, total)
            tag = tag ?? answer.header("etag")
            bytes += answer.body
        } while range.lowerBound + bytes.count < end
        return bytes
    }

    /// The size in `bytes 0-9/1234`.
    private static func total(_ range: String) -> Int? {
        range.split(separator: "/").last.flatMap { Int($0) }.flatMap { $0 >= 0 ? $0 : nil }
    }
}

extension HTTPAnswer {
    /// SHA-256 of a whole object in base64: a digest of the parts' digests does not describe the bytes.
    fileprivate var wholeChecksum: String? {
        guard let text = header("x-amz-checksum-sha256"), text.utf8.count == 44, !text.contains("-"),
            header("x-amz-checksum-type")?.uppercased() != "COMPOSITE"
        else { return nil }
        return text
    }
}
