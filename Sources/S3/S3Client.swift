internal import HTTPClient
internal import Hashing
internal import Storage

/// Client of a service that implements S3: signs and sends requests, retries for a while those that may soon succeed,
/// and reports all other errors as they are. Safe from any thread.
public final class S3Client: Sendable {
    /// Maximum number of attempts.
    static let attempts = 5
    /// The longest pause between two attempts, in milliseconds.
    static let longestPause: Int64 = 2_000

    let environment: S3Environment
    private let settings: S3Settings
    private let http: HTTPClient

    /// Creates a client that has sent no request yet.
    public convenience init(_ settings: S3Settings, environment: S3Environment = S3Environment()) {
        self.init(settings, environment: environment, limits: HTTPClient.Limits())
    }

    init(_ settings: S3Settings, environment: S3Environment, limits: HTTPClient.Limits) {
        self.settings = settings
        self.environment = environment
        http = HTTPClient(limits: limits)
    }

    /// The URL of the service, for messages.
    public var endpoint: String { settings.endpoint.description }

    /// Request about an object, or about its bucket if the key is empty.
    struct Request {
        var method: HTTPCall.Method
        var uri: S3URI
        var query: [(name: String, value: String)] = []
        /// Names in lower case.
        var headers: [(name: String, value: String)] = []
        /// The digest of the body.
        var payload = RequestSigner.emptyPayload
        /// Attempted operation, for error messages.
        var operation: String
        /// Maximum number of bytes of an answer.
        var maximumSize = 1 << 20
    }

    /// Sends a request, and retries it, with growing and jittered pauses, while the outcome may soon change. A request
    /// may therefore have been carried out more than once, or once although the answer reports that it was refused.
    ///
    /// - Parameters:
    ///   - request: The request.
    ///   - body: The body.
    ///   - expected: Statuses besides 2xx that the caller handles.
    /// - Returns: An answer of 2xx or an expected status.
    /// - Throws: `StorageError` for any other outcome.
    func send(
        _ request: Request,
        body: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0),
        expecting expected: Set<Int> = []
    ) throws(StorageError) -> HTTPAnswer {
        var attempt = 1
        while true {
            let seconds = environment.now() / 1_000
            let failure: StorageError
            var requestedWait: Int64 = 0
            switch exchange(request, body, at: seconds) {
            case .success(let answer):
                if (200..<300).contains(answer.status) || expected.contains(answer.status) { return answer }
                let fault = S3Fault(answer)
                failure = error(fault, request, at: seconds)
                guard fault.isTransient, attempt < Self.attempts else { throw failure }
                requestedWait = min(fault.requestedWait ?? 0, 60) * 1_000
            case .failure(let cause):
                failure = error(cause, request)
                guard attempt < Self.attempts(after: cause.kind) else { throw failure }
            }
            environment.pause(Self.pause(after: attempt, requestedWait: requestedWait, jitter: environment.jitter()))
            attempt += 1
        }
    }

    /// Maximum number of attempts after such a failure. A silent server has cost many seconds already, in which the
    /// role does nothing else.
    private static func attempts(after kind: HTTPClientError.Kind) -> Int {
        switch kind {
        case .unreachable, .interrupted: attempts
        case .silent: 2
        case .untrusted, .tooLarge, .invalid: 1
        }
    }

    /// Returns the milliseconds to wait after an attempt of the given number, counted from 1; `jitter` is in `0..<1`. A
    /// wait that the store requests is respected up to the longest pause.
    static func pause(after attempt: Int, requestedWait: Int64, jitter: Double) -> Int64 {
        let grown = min(longestPause, 100 << Int64(min(max(attempt, 1) - 1, 8)))
        let wanted = max(grown, min(max(requestedWait, 0), longestPause))
        return Int64(Double(wanted) * (0.5 + 0.5 * jitter))
    }

    /// Returns the error for a fault that a store reports in an otherwise successful answer.
    func error(_ fault: S3Fault, _ request: Request) -> StorageError {
        error(fault, request, at: environment.now() / 1_000)
    }

    private func error(_ fault: S3Fault, _ request: Request, at seconds: Int64) -> StorageError {
        fault.error(
            request.operation,
            request.uri.description,
            bucket: request.uri.bucket,
            endpoint: settings.endpoint,
            time: RequestSigner.timestamp(seconds)
        )
    }

    private func error(_ cause: HTTPClientError, _ request: Request) -> StorageError {
        let uri = request.uri.description
        func error(_ kind: StorageError.Kind, _ reason: String) -> StorageError {
            StorageError(kind, request.operation, uri, reason: reason)
        }
        switch cause.kind {
        case .unreachable:
            return error(.unavailable, "\(settings.endpoint) cannot be reached (\(cause)); check s3.endpoint")
        case .interrupted: return error(.unavailable, "\(settings.endpoint) closed the connection early (\(cause))")
        case .silent: return error(.unavailable, "\(settings.endpoint) was silent for too long (\(cause))")
        case .untrusted: return error(.forbidden, "the certificate of \(settings.endpoint) is not trusted (\(cause))")
        case .tooLarge: return error(.tooLarge, cause.reason)
        case .invalid: return error(.invalidName, cause.reason)
        }
    }

    private func exchange(
        _ request: Request,
        _ body: UnsafeRawBufferPointer,
        at seconds: Int64
    ) -> Result<HTTPAnswer, HTTPClientError> {
        let (host, path) = address(of: request.uri)
        let query = RequestSigner.canonical(query: request.query)
        let signer = RequestSigner(credentials: settings.credentials, region: settings.region)
        let headers = signer.sign(
            method: request.method.rawValue,
            host: host,
            path: path,
            query: query,
            headers: request.headers,
            payload: request.payload,
            at: seconds
        )
        let url = "\(settings.endpoint.scheme)://\(host)\(path)\(query.isEmpty ? "" : "?\(query)")"
        return Result { () throws(HTTPClientError) in
            try http.send(
                HTTPCall(request.method, url, headers: headers),
                body: body,
                maximumSize: request.maximumSize
            )
        }
    }

    /// Returns host and encoded path of a URI. In style `auto`, a bucket with a full stop in its name is part of the
    /// path, because no certificate covers it as a host.
    func address(of uri: S3URI) -> (host: String, path: String) {
        let endpoint = settings.endpoint
        let isHost =
            settings.style == .host || settings.style == .auto && endpoint.isAmazon && !uri.bucket.contains(".")
        let key = uri.key.isEmpty ? "" : "/" + RequestSigner.encoded(uri.key, keepingSlashes: true)
        guard isHost else { return (endpoint.host, "\(endpoint.path)/\(uri.bucket)\(key)") }
        return ("\(uri.bucket).\(endpoint.host)", endpoint.path + (key.isEmpty ? "/" : key))
    }
}
