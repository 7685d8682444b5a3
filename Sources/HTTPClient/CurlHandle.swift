import Ccurl

/// libcurl's handle of one exchange at a time, with the connections that it keeps open; owns its pointer.
///
/// Sendable although libcurl's handle may be used by one thread at a time only: `HTTPClient` lends it to one caller at
/// a time.
final class CurlHandle: @unchecked Sendable {
    private let handle: UnsafeMutableRawPointer
    /// Result of the start of libcurl, which occurs once, before all other calls.
    private static let start = flywheel_curl_start()

    init() throws(HTTPClientError) {
        guard Self.start == CURLE_OK, let handle = curl_easy_init() else {
            throw HTTPClientError(.unreachable, "libcurl could not be started: no memory is left")
        }
        self.handle = handle
    }

    deinit { curl_easy_cleanup(handle) }

    /// Sends a call and waits for the whole answer.
    ///
    /// - Throws: `HTTPClientError` if there is no answer, or not all of it.
    func send(
        _ call: HTTPCall,
        body: UnsafeRawBufferPointer,
        limits: HTTPClient.Limits,
        maximumSize: Int
    ) throws(HTTPClientError) -> HTTPAnswer {
        guard Self.isField(call.url), call.headers.allSatisfy({ Self.isField($0.name) && Self.isField($0.value) })
        else {
            throw HTTPClientError(.invalid, "a header or the URL holds a control character")
        }
        curl_easy_reset(handle)
        let list = try headers(of: call)
        let head = CollectedBytes(limit: 1 << 18)
        let answer = CollectedBytes(limit: maximumSize)
        let result = withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(CURL_ERROR_SIZE)) { text in
            text.initialize(repeating: 0)
            return Result { () throws(HTTPClientError) in
                try prepare(call, body: body, limits: limits, maximumSize: maximumSize, text: text)
                try check(flywheel_curl_set_headers(handle, list.first))
                try check(flywheel_curl_collect(handle, head.pointer, answer.pointer))
                let code = curl_easy_perform(handle)
                guard code == CURLE_OK else {
                    if answer.isOver { throw HTTPClientError(.tooLarge, "the answer has over \(maximumSize) bytes") }
                    throw Self.error(code, text)
                }
                return HTTPAnswer(
                    status: flywheel_curl_status(handle),
                    headers: Self.fields(head.contents),
                    body: answer.contents
                )
            }
        }
        // After the reset, the handle keeps no pointer to memory of this call.
        curl_easy_reset(handle)
        return try result.get()
    }

    /// The caller's headers, without headers of libcurl that would make servers wait or interpret a body as a form.
    private func headers(of call: HTTPCall) throws(HTTPClientError) -> HeaderList {
        var list = HeaderList()
        for (name, value) in call.headers { try list.append("\(name): \(value)") }
        for name in ["Expect", "Content-Type"]
        where !call.headers.contains(where: { $0.name.lowercased() == name.lowercased() }) {
            try list.append("\(name):")
        }
        return list
    }

    private func prepare(
        _ call: HTTPCall,
        body: UnsafeRawBufferPointer,
        limits: HTTPClient.Limits,
        maximumSize: Int,
        text: UnsafeMutableBufferPointer<CChar>
    ) throws(HTTPClientError) {
        try check(flywheel_curl_set_error(handle, text.baseAddress))
        try check(flywheel_curl_set_text(handle, CURLOPT_URL, call.url))
        // No other scheme or location is used than the caller has named: its signature, and its secrets, are for one
        // location.
        try check(flywheel_curl_set_text(handle, CURLOPT_PROTOCOLS_STR, "http,https"))
        try set(CURLOPT_FOLLOWLOCATION, 0)
        // A path is sent as it is: a signature covers it byte by byte.
        try set(CURLOPT_PATH_AS_IS, 1)
        try set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        // The process has many threads, so libcurl must not use signals.
        try set(CURLOPT_NOSIGNAL, 1)
        try set(CURLOPT_CONNECTTIMEOUT_MS, Int(limits.connectTimeout))
        try set(CURLOPT_LOW_SPEED_LIMIT, 1)
        try set(CURLOPT_LOW_SPEED_TIME, max(1, Int(limits.idleTimeout / 1_000)))
        // A slow peer must not block a caller for days: the limit is half a minute, plus the time for the bytes at 100
        // kB/s.
        let bytes = max(body.count, min(maximumSize, 16 << 20))
        try set(CURLOPT_TIMEOUT_MS, Int(limits.connectTimeout) + 30_000 + bytes / 100)
        switch call.method {
        case .get: try set(CURLOPT_HTTPGET, 1)
        case .head: try set(CURLOPT_NOBODY, 1)
        case .post, .put, .delete:
            try check(flywheel_curl_set_body(handle, body.baseAddress, body.count))
            try check(flywheel_curl_set_text(handle, CURLOPT_CUSTOMREQUEST, call.method.rawValue))
        }
    }

    private func set(_ option: CURLoption, _ value: Int) throws(HTTPClientError) {
        try check(flywheel_curl_set_number(handle, option, value))
    }

    private func check(_ code: CURLcode) throws(HTTPClientError) {
        guard code != CURLE_OK else { return }
        throw HTTPClientError(
            .invalid,
            "libcurl refuses the request: \(String(cString: curl_easy_strerror(code)))"
        )
    }

    private static func isField(_ text: String) -> Bool { text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F } }

    private static func error(_ code: CURLcode, _ text: UnsafeMutableBufferPointer<CChar>) -> HTTPClientError {
        let detail = text.baseAddress.map { String(cString: $0) } ?? ""
        // A proxy's address may hold its password.
        let isReported = !detail.isEmpty && !detail.contains("@") && !detail.lowercased().contains("proxy")
        let reason = isReported ? detail : String(cString: curl_easy_strerror(code))
        switch code {
        case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL, CURLE_BAD_FUNCTION_ARGUMENT:
            return HTTPClientError(.invalid, reason)
        case CURLE_COULDNT_RESOLVE_PROXY, CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_CONNECT:
            return HTTPClientError(.unreachable, reason)
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CERTPROBLEM, CURLE_SSL_ISSUER_ERROR:
            return HTTPClientError(.untrusted, reason)
        case CURLE_OPERATION_TIMEDOUT: return HTTPClientError(.silent, reason)
        default: return HTTPClientError(.interrupted, reason)
        }
    }

    /// The headers of the last answer: an answer that is only "continue" precedes it.
    private static func fields(_ bytes: [UInt8]) -> [(name: String, value: String)] {
        var fields: [(name: String, value: String)] = []
        for line in bytes.split(whereSeparator: { $0 == 0x0A || $0 == 0x0D }) {
            guard !line.starts(with: "HTTP/".utf8) else {
                fields.removeAll()
                continue
            }
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { continue }
            let name = String(decoding: line[..<colon], as: UTF8.self).lowercased()
            let value = line[(colon + 1)...].drop { $0 == 0x20 || $0 == 0x09 }
            let blanks = value.reversed().prefix { $0 == 0x20 || $0 == 0x09 }.count
            fields.append((name, String(decoding: value.dropLast(blanks), as: UTF8.self)))
        }
        return fields
    }
}

/// Bytes that libcurl collects; owns them.
private struct CollectedBytes: ~Copyable {
    let pointer: UnsafeMutablePointer<flywheel_curl_bytes>

    init(limit: Int) {
        pointer = .allocate(capacity: 1)
        pointer.initialize(to: flywheel_curl_bytes(bytes: nil, count: 0, capacity: 0, limit: max(0, limit), is_over: 0))
    }

    deinit {
        free(pointer.pointee.bytes)
        pointer.deallocate()
    }

    var isOver: Bool { pointer.pointee.is_over != 0 }
    var contents: [UInt8] { Array(UnsafeRawBufferPointer(start: pointer.pointee.bytes, count: pointer.pointee.count)) }
}

/// libcurl's list of header lines; owns it.
private struct HeaderList: ~Copyable {
    private(set) var first: UnsafeMutablePointer<curl_slist>?

    deinit { curl_slist_free_all(first) }

    mutating func append(_ line: String) throws(HTTPClientError) {
        guard let longer = curl_slist_append(first, line) else {
            throw HTTPClientError(.unreachable, "no memory is left for the request")
        }
        first = longer
    }
}
