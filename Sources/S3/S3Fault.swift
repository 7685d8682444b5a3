internal import HTTPClient
internal import Storage

/// Refusal by a store, with its reason, as read from the answer.
struct S3Fault: Hashable {
    let status: Int
    /// Error code, as in `SlowDown`; empty if the answer contains none.
    let code: String
    /// The store's message, truncated and without control characters.
    let message: String
    /// The store's time, as given in its header `Date`.
    let date: String?
    /// Region of the bucket as reported by the store.
    let region: String?
    /// Seconds to wait as requested by the store.
    let requestedWait: Int64?

    init(_ answer: HTTPAnswer) {
        let text = S3Text(answer.body)
        status = answer.status
        code = Self.line(text.first("Code") ?? "", limit: 64)
        message = Self.line(text.first("Message") ?? "", limit: 200)
        date = answer.header("date").map { Self.line($0, limit: 40) }
        let region = answer.header("x-amz-bucket-region") ?? text.first("Region")
        self.region = region.map { Self.line($0, limit: 64) }
        requestedWait = answer.header("retry-after").flatMap { Int64($0) }.flatMap { $0 >= 0 ? $0 : nil }
    }

    /// Whether the same request may soon succeed.
    var isTransient: Bool {
        switch code {
        case "SlowDown", "InternalError", "ServiceUnavailable", "RequestTimeout", "OperationAborted",
            "ConditionalRequestConflict", "IncompleteBody", "BadDigest", "XAmzContentSHA256Mismatch", "Busy",
            "Throttling", "ThrottlingException":
            return true
        case _ where Self.fullCodes.contains(code): return false
        default: return [409, 429, 500, 502, 503, 504].contains(status)
        }
    }

    /// Whether there is no such object although the bucket exists.
    var isMissingObject: Bool { status == 404 && (code == "NoSuchKey" || code == "NoSuchVersion") }

    private static let fullCodes: Set<String> = [
        "QuotaExceeded", "XMinioStorageFull", "XMinioAdminBucketQuotaExceeded", "InsufficientStorage", "StorageFull",
        "ServiceQuotaExceeded", "AccountProblem",
    ]
    private static let credentialCodes: Set<String> = [
        "InvalidAccessKeyId", "InvalidToken", "ExpiredToken", "TokenRefreshRequired", "InvalidSecurity",
    ]

    /// Converts the refusal into the error of the operation that it ends.
    ///
    /// - Parameters:
    ///   - operation: Attempted operation, as in `write`.
    ///   - uri: The object's URI.
    ///   - bucket: The object's bucket.
    ///   - endpoint: The service.
    ///   - time: This machine's time when the request was signed, as in `20130524T000000Z`.
    /// - Returns: The cause of the refusal, and its remedy.
    func error(
        _ operation: String,
        _ uri: String,
        bucket: String,
        endpoint: S3Endpoint,
        time: String
    ) -> StorageError {
        func error(_ kind: StorageError.Kind, _ reason: String) -> StorageError {
            StorageError(kind, operation, uri, reason: "\(reason) (\(summary))")
        }
        if isMissingObject { return error(.notFound, "there is no such object") }
        switch code {
        case "RequestTimeTooSkewed", "RequestExpired":
            return error(
                .forbidden,
                "the clocks differ: it is \(time) here and \(date ?? "another time") at \(endpoint); set this machine's clock"
            )
        case "SignatureDoesNotMatch":
            return error(
                .forbidden,
                "the secret key is not that of the access key, or a proxy changes requests on their way; correct the secret and restart"
            )
        case _ where Self.credentialCodes.contains(code):
            return error(.forbidden, "the credentials are invalid or have expired; set others and restart")
        case "NoSuchBucket":
            return error(.unavailable, "there is no bucket \(bucket) at \(endpoint); create it, or name another")
        case _ where Self.fullCodes.contains(code):
            return error(.unavailable, "the bucket is full or over its quota; make room")
        case "AuthorizationHeaderMalformed", "PermanentRedirect", "TemporaryRedirect",
            "IllegalLocationConstraintException":
            let wanted = region.map { "region \($0)" } ?? "another region or endpoint"
            return error(.forbidden, "the bucket requires \(wanted); correct s3.region and s3.endpoint")
        case "SlowDown", "ServiceUnavailable", "Throttling", "ThrottlingException", "Busy":
            return error(.unavailable, "the store asks for fewer requests")
        case "ConditionalRequestConflict", "OperationAborted":
            return error(.unavailable, "another write of it is under way")
        case "BadDigest", "XAmzContentSHA256Mismatch", "IncompleteBody":
            return error(.unavailable, "data arrives damaged at the store")
        case "NoSuchUpload": return error(.unavailable, "another client has aborted the upload; it is repeated")
        case "NotImplemented":
            return error(.forbidden, "the store does not know what is asked, such as If-None-Match; use another one")
        default: break
        }
        switch status {
        case 301, 302, 307, 308:
            let wanted = region.map { "is in region \($0)" } ?? "is elsewhere"
            return error(.forbidden, "the bucket \(wanted); correct s3.region and s3.endpoint")
        case 401, 403:
            return error(.forbidden, "the store does not allow it; grant reading, writing and listing of the bucket")
        case 404: return error(.unavailable, "no object store answers at this address; check s3.endpoint and s3.style")
        case 409:
            return error(.unavailable, "another write of it is under way, or the bucket cannot accept it now")
        case 412: return error(.conflict, "something else is stored there")
        case 429: return error(.unavailable, "the store asks for fewer requests")
        case 501:
            return error(.forbidden, "the store does not know what is asked, such as If-None-Match; use another one")
        case 507: return error(.unavailable, "the bucket is full or over its quota; make room")
        case 500...599: return error(.unavailable, "the store has an internal error")
        default: return error(.forbidden, "the store refuses the request")
        }
    }

    /// Status, code and message, as in `503 SlowDown: Please reduce your request rate.`
    private var summary: String {
        "\(status)" + (code.isEmpty ? "" : " \(code)") + (message.isEmpty ? "" : ": \(message)")
    }

    /// Truncates a text from the store to `limit` characters, and replaces all that are not printable ASCII.
    private static func line(_ text: String, limit: Int) -> String {
        String(text.unicodeScalars.lazy.map { (0x20...0x7E).contains($0.value) ? Character($0) : "?" }.prefix(limit))
    }
}
