internal import HTTPClient
internal import Hashing
internal import Storage

/// Writing of objects, whole or in parts.
extension S3Client {
    /// Condition under which an object is written.
    enum Condition: Hashable {
        /// There is no object of this name.
        case ifAbsent
        /// The existing object still has this revision.
        case ifUnchanged(String)

        fileprivate var header: (name: String, value: String) {
            switch self {
            case .ifAbsent: ("if-none-match", "*")
            case .ifUnchanged(let tag): ("if-match", tag)
            }
        }
    }

    /// Writes an object.
    ///
    /// - Returns: False if the condition did not hold; also if an attempt succeeded but its answer was lost.
    /// - Throws: `StorageError`.
    func upload(
        _ bytes: UnsafeRawBufferPointer,
        _ digest: SHA256Digest,
        to uri: S3URI,
        _ condition: Condition
    ) throws(StorageError) -> Bool {
        guard bytes.count <= environment.partThreshold else { return try uploadInParts(bytes, to: uri, condition) }
        var request = Request(method: .put, uri: uri, payload: digest, operation: "write")
        request.headers = [
            condition.header, ("content-type", "application/octet-stream"),
            ("x-amz-checksum-sha256", base64(digest.bytes)),
        ]
        // A condition on the revision of a removed object does not hold either.
        let answer: HTTPAnswer
        do throws(StorageError) {
            answer = try send(request, body: bytes, expecting: [412])
        } catch {
            guard error.kind == .notFound, case .ifUnchanged = condition else { throw error }
            return false
        }
        guard answer.status != 412 else { return false }
        // Any intermediary between the client and the store may report success for anything.
        guard answer.header("etag")?.isEmpty == false else { throw notAStore(uri, "write") }
        return true
    }

    /// Returns the error for an answer that cannot be that of a store.
    func notAStore(_ uri: S3URI, _ operation: String) -> StorageError {
        let reason =
            "the server at \(endpoint) is not an object store: its answer lacks what stores send; check s3.endpoint"
        return StorageError(.unavailable, operation, uri.description, reason: reason)
    }

    private func uploadInParts(
        _ bytes: UnsafeRawBufferPointer,
        to uri: S3URI,
        _ condition: Condition
    ) throws(StorageError) -> Bool {
        var request = Request(method: .post, uri: uri, query: [("uploads", "")], operation: "begin to write")
        request.headers = [("content-type", "application/octet-stream"), ("x-amz-checksum-algorithm", "SHA256")]
        guard let upload = S3Text(try send(request).body).first("UploadId"), !upload.isEmpty else {
            throw StorageError(
                .forbidden,
                "begin to write",
                uri.description,
                reason: "the store gives no UploadId; use another one"
            )
        }
        do throws(StorageError) {
            let parts = try sendParts(bytes, to: uri, upload)
            if try complete(upload, of: parts, at: uri, condition) { return true }
        } catch {
            abort(upload, at: uri)
            throw error
        }
        abort(upload, at: uri)
        return false
    }

    private struct UploadPart {
        let tag: String
        let checksum: String
    }

    private func sendParts(
        _ bytes: UnsafeRawBufferPointer,
        to uri: S3URI,
        _ upload: String
    ) throws(StorageError) -> [UploadPart] {
        // An upload has 10,000 parts at most.
        let size = max(environment.partSize, (bytes.count + 9_999) / 10_000)
        var parts: [UploadPart] = []
        for start in stride(from: 0, to: bytes.count, by: size) {
            let part = UnsafeRawBufferPointer(rebasing: bytes[start..<min(start + size, bytes.count)])
            let digest = SHA256Digest(of: part)
            let checksum = base64(digest.bytes)
            var request = Request(method: .put, uri: uri, payload: digest, operation: "write a part of")
            request.query = [("partNumber", "\(parts.count + 1)"), ("uploadId", upload)]
            request.headers = [("x-amz-checksum-sha256", checksum)]
            let answer = try send(request, body: part)
            guard let tag = answer.header("etag"), !tag.isEmpty else {
                throw StorageError(
                    .forbidden,
                    "write a part of",
                    uri.description,
                    reason: "the store gives no ETag; use another one"
                )
            }
            parts.append(UploadPart(tag: tag, checksum: checksum))
        }
        return parts
    }

    /// Joins the parts into an object; false if the condition does not hold, or if the upload does not exist any more,
    /// as after a first attempt whose answer was lost.
    private func complete(
        _ upload: String,
        of parts: [UploadPart],
        at uri: S3URI,
        _ condition: Condition
    ) throws(StorageError) -> Bool {
        var text = "<CompleteMultipartUpload>"
        for (number, part) in parts.enumerated() {
            let tag = part.tag.replacing("&", with: "&amp;").replacing("<", with: "&lt;")
            text += "<Part><PartNumber>\(number + 1)</PartNumber><ETag>\(tag)</ETag>"
            text += "<ChecksumSHA256>\(part.checksum)</ChecksumSHA256></Part>"
        }
        text += "</CompleteMultipartUpload>"
        var request = Request(method: .post, uri: uri, query: [("uploadId", upload)], operation: "finish writing")
        request.payload = SHA256Digest(of: text.utf8)
        request.headers = [condition.header, ("content-type", "application/xml")]
        for attempt in 1...Self.attempts {
            let answer = try send(request, body: text, expecting: [404, 412])
            let fault = S3Fault(answer)
            if answer.status == 412 || fault.code == "PreconditionFailed" { return false }
            if answer.status == 404 || fault.code == "NoSuchUpload" {
                guard ["NoSuchUpload", "NoSuchKey"].contains(fault.code) else { throw error(fault, request) }
                return false
            }
            // The status is sent before the parts are joined: the result of joining them is in the body.
            guard !fault.code.isEmpty else {
                // As with an object that is written whole, an answer without a revision cannot be that of a store.
                guard S3Text(answer.body).first("ETag")?.isEmpty == false else {
                    throw notAStore(uri, "finish writing")
                }
                return true
            }
            guard fault.isTransient else { throw error(fault, request) }
            environment.pause(Self.pause(after: attempt, requestedWait: 0, jitter: environment.jitter()))
        }
        throw StorageError(
            .unavailable,
            "finish writing",
            uri.description,
            reason: "the store does not join the parts"
        )
    }

    private func send(_ request: Request, body text: String, expecting: Set<Int>) throws(StorageError) -> HTTPAnswer {
        let bytes = Array(text.utf8)
        return try bytes.withUnsafeBytes { buffer in
            Result { () throws(StorageError) in try send(request, body: buffer, expecting: expecting) }
        }.get()
    }

    /// Ends an upload, so that its parts incur no costs; if that fails, `removeLeftovers` does it later.
    private func abort(_ upload: String, at uri: S3URI) {
        _ = try? send(Request(method: .delete, uri: uri, query: [("uploadId", upload)], operation: "end writing"))
    }
}
